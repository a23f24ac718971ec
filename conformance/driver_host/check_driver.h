#ifndef CONFORMANCE_DRIVER_HOST_CHECK_DRIVER_H_
#define CONFORMANCE_DRIVER_HOST_CHECK_DRIVER_H_

#include <ostream>

#include "conformance/driver_host/driver_process.h"

namespace net::conformance {

// Finds out whether a driver keeps to the protocol, where a run would not: what
// it does with commands and options that it does not know, with numbers of
// sockets that there are not, with other versions, with large frames, with what
// is no frame, at the end of the channel. Each check has a driver of its own.
//
// Prints a line for each check, and stops if not even the first is passed; true
// if it passes them all. A driver that does
// not answer is waited for for ten seconds.
bool CheckDriver(const DriverCommand& command, std::ostream& out);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_CHECK_DRIVER_H_
