#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/transcript.h"
#include "conformance/suite/environment.h"
#include "fakes/faults/faults.h"

namespace net::conformance {

// Called for actions of the runner, other than commands, that can change a
// driver's answers. `kind` is "peer" with the connect(2), bind(2) or listen(2)
// of a peer, in the format of strace(1); or "world" with a change to the driver
// or its network, in words.
using OnRunnersAction =
    std::function<void(absl::string_view kind, absl::string_view text)>;

// The environment of a case whose implementation is behind a driver: the
// machine's kernel and the driver's network. Actions on "the process" (its
// descriptors, their limit, its privileges, signals) are applied to the driver.
//
// `faults` injects faults into the driver's system calls. If it is null,
// `why_no_faults` is the reason.
//
// `command` starts another driver if a change cannot be made to a running one.
// `abandon`: see MakeLinuxEnvironment().
std::unique_ptr<Environment> MakeDriverEnvironment(
    std::shared_ptr<DriverSockets> sockets, const DriverCommand& command,
    std::shared_ptr<Transcript> transcript, std::function<void()> abandon,
    Faults* faults, std::string why_no_faults,
    OnRunnersAction on_action = nullptr);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_ENVIRONMENT_H_
