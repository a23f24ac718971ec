#ifndef CONFORMANCE_DRIVER_HOST_PROBE_H_
#define CONFORMANCE_DRIVER_HOST_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/frame.h"
#include "nlohmann/json.hpp"

namespace net::conformance {

// A driver to which anything can be said, in frames or not, and whose answers
// are waited for with patience, but not for ever. For what is about drivers
// rather than about implementations; SIGPIPE must be ignored.
class Probe {
 public:
  Probe(const DriverCommand& command, absl::Duration patience,
        const DriverWorld& world = {})
      : patience_(patience), process_(command, world) {}

  void Say(absl::string_view bytes) const;
  void SayFrame(const nlohmann::json& message) const {
    Say(EncodeFrame(message.dump()));
  }

  // The next message. NotFound: the driver ended without; DeadlineExceeded: it
  // does not answer; InvalidArgument: it is not even a frame.
  absl::StatusOr<std::string> Hear();

  // Waits until it has ended; OK if with status 0.
  absl::Status AwaitEnd() { return process_.AwaitEnd(patience_); }
  void HangUp() { process_.CloseChannel(); }
  std::string Describe() { return process_.Describe(); }

 private:
  absl::Status ReadMore(absl::Time deadline);

  const absl::Duration patience_;
  DriverProcess process_;
  FrameReader frames_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_PROBE_H_
