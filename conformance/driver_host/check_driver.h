#ifndef CONFORMANCE_DRIVER_HOST_CHECK_DRIVER_H_
#define CONFORMANCE_DRIVER_HOST_CHECK_DRIVER_H_

#include <ostream>

#include "conformance/driver_host/driver_process.h"

namespace net::conformance {

// Checks whether a driver keeps to the protocol in situations that a run does
// not produce:
//
// - unknown commands, options and members, unknown socket numbers
// - other versions of the protocol
// - large frames, frames in pieces, bytes that are not a frame
// - the end of the channel
//
// Each check starts a driver of its own and prints a line. If the first check
// fails, the others are not run. Returns true if all checks passed. A driver
// that does not answer takes nine seconds a check if it sleeps, and twenty
// seconds if it uses the processor.
bool CheckDriver(const DriverCommand& command, std::ostream& out);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_CHECK_DRIVER_H_
