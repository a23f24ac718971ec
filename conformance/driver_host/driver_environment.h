#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_

#include <functional>
#include <memory>

#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/transcript.h"
#include "conformance/suite/environment.h"

namespace net::conformance {

// The actions of the runner, besides commands, that can change answers:
// "peer" with the connect(2), bind(2) or listen(2) of a peer, in the manner of
// strace(1); "world" with a change to the driver or its network, in words.
using OnRunnersAction =
    std::function<void(absl::string_view kind, absl::string_view text)>;

// The world of a case whose implementation is behind a driver: this machine's
// kernel and the driver's network, as the case's own process sees them; but
// what is done to "the process" (its descriptors, their limit, its privileges,
// signals) is done to the driver.
//
// `command` starts another driver where a running one cannot be changed.
// `abandon`: see MakeLinuxEnvironment().
std::unique_ptr<Environment> MakeDriverEnvironment(
    std::shared_ptr<DriverSockets> sockets, const DriverCommand& command,
    std::shared_ptr<Transcript> transcript, std::function<void()> abandon,
    OnRunnersAction on_action = nullptr);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_
