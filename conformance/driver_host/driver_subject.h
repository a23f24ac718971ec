#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_SUBJECT_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_SUBJECT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/engine/subject.h"

namespace net::conformance {

struct DriverSubjectOptions {
  // The reason, for messages, why faults cannot be injected into a driver that
  // has no trap.
  std::string why_no_faults = "the driver was started without a trap";
  bool ipv6 = true;  // in the driver's network
  // The folder of the channel if the user starts the driver (see
  // AttachedDriver); else "".
  std::string attach_folder;
  // Called in the trial's process for each message, as Session::OnFrame.
  std::function<void(absl::string_view trial_name, bool sent,
                     absl::string_view message)>
      on_frame = nullptr;
  // Called in the trial's process for other actions of the runner, with a kind
  // and a text; see MakeDriverEnvironment().
  std::function<void(absl::string_view trial_name, absl::string_view kind,
                     absl::string_view text)>
      on_action = nullptr;
};

// Starts a driver, for the runner. Throws HarnessError.
std::unique_ptr<Subject> StartDriver(const DriverCommand& command,
                                     const DriverSubjectOptions& options = {});

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_SUBJECT_H_
