#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_

#include <functional>
#include <memory>

#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/environment.h"

namespace net::conformance {

// The world of a case whose implementation is behind a driver: this machine's
// kernel and the driver's network, as the case's own process sees them; but
// what is done to "the process" (its descriptors, their limit, its privileges,
// signals) is done to the driver.
//
// `command` starts another driver where a running one cannot be changed.
// `abandon`: see MakeLinuxEnvironment().
std::unique_ptr<Environment> MakeDriverEnvironment(
    std::shared_ptr<DriverSockets> sockets, const DriverCommand& command,
    std::function<void()> abandon);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_
