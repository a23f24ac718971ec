#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_IMPLEMENTATION_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_IMPLEMENTATION_H_

#include <functional>
#include <memory>

#include "conformance/driver_host/driver.h"
#include "conformance/suite/implementation.h"

namespace net::conformance {

// The implementation behind a driver. Each method sends a command, and its
// result is the answer. Methods throw DriverError if the driver fails.
//
// If an answer contradicts what the runner knows, the result is an Error that
// describes the contradiction: a port that the socket does not have, or success
// with a capability that hello denied.
//
// `abandon` ends a case that needs more operations at a time than the driver
// can hold; see MakeLinuxEnvironment().
std::unique_ptr<Implementation> MakeDriverImplementation(
    std::shared_ptr<DriverSockets> sockets, std::function<void()> abandon);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_IMPLEMENTATION_H_
