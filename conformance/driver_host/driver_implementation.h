#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_IMPLEMENTATION_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_IMPLEMENTATION_H_

#include <functional>
#include <memory>

#include "conformance/driver_host/driver.h"
#include "conformance/suite/implementation.h"

namespace net::conformance {

// The implementation behind a driver: each method is a command, its result the
// answer. Methods throw DriverError where the driver does not do its part.
//
// Where the driver says something that the runner knows better, the result is
// an Error that says so: a port that its socket does not have, something done
// that its handshake says it cannot.
//
// `abandon` ends a case that needs more operations at a time than the driver
// can hold; see MakeLinuxEnvironment().
std::unique_ptr<Implementation> MakeDriverImplementation(
    std::shared_ptr<DriverSockets> sockets, std::function<void()> abandon);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_IMPLEMENTATION_H_
