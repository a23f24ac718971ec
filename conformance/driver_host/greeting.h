#ifndef CONFORMANCE_DRIVER_HOST_GREETING_H_
#define CONFORMANCE_DRIVER_HOST_GREETING_H_

#include <ostream>

#include "absl/status/statusor.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/engine/subject.h"

namespace net::conformance {

// Starts a driver, sends `hello`, reads the answer, and ends the driver. If no
// answer has arrived after three seconds, prints a hint to `hints`.
//
// The error contains the message that was sent, the bytes that were received,
// and a usual cause. A driver that forgets to flush costs three seconds; see
// Probe::Receive().
//
// The calling process must have one thread.
absl::StatusOr<SubjectGreeting> GreetDriver(const DriverCommand& command,
                                            const DriverNetwork& network,
                                            std::ostream& hints);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_GREETING_H_
