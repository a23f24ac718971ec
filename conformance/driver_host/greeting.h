#ifndef CONFORMANCE_DRIVER_HOST_GREETING_H_
#define CONFORMANCE_DRIVER_HOST_GREETING_H_

#include <ostream>

#include "absl/status/statusor.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/engine/subject.h"

namespace net::conformance {

// Starts a driver, reads its answer to `hello`, and ends it. An error says what
// was sent, what came, and what a usual cause is; a driver that forgets to
// flush costs three seconds, see Probe::Hear(). After three seconds a hint goes
// to `hints`.
//
// To be called while the process has one thread.
absl::StatusOr<SubjectGreeting> GreetDriver(const DriverCommand& command,
                                            const DriverWorld& world,
                                            std::ostream& hints);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_GREETING_H_
