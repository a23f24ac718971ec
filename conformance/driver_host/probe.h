#ifndef CONFORMANCE_DRIVER_HOST_PROBE_H_
#define CONFORMANCE_DRIVER_HOST_PROBE_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/driver_host/channel_watch.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/frame.h"
#include "nlohmann/json.hpp"

namespace net::conformance {

// A driver to which anything can be sent, in frames or not, and whose answers
// are waited for, but not for ever. For what is about drivers rather than about
// implementations; SIGPIPE must be ignored.
class Probe {
 public:
  // After `timeout` an answer is not waited for any more; after less if it is
  // certain that none will come: see Hear().
  Probe(const DriverCommand& command, absl::Duration timeout,
        const DriverWorld& world = {})
      : timeout_(timeout), process_(command, world) {}

  void Say(absl::string_view bytes);
  void SayFrame(const nlohmann::json& message) {
    Say(EncodeFrame(message.dump()));
  }

  // The next message. NotFound: the driver ended without; InvalidArgument: what
  // came is no frame; DeadlineExceeded: no whole frame came in time. That is
  // the timeout; or three seconds, if the driver waits in read(2) for the next
  // command; or nine, if it sleeps and has not used the processor. A driver
  // that is still starting does use it.
  //
  // The message says what came, and what a usual cause is. After three seconds
  // `on_slow`, if not null, is called with it.
  absl::StatusOr<std::string> Hear();
  void OnSlow(std::function<void(absl::string_view hint)> on_slow) {
    on_slow_ = std::move(on_slow);
  }

  // Waits until it has ended; OK if with status 0.
  absl::Status AwaitEnd() { return process_.AwaitEnd(timeout_); }
  void HangUp() { process_.CloseChannel(); }

  // For people: what was sent last and what was received since, and how the
  // driver ended and what it printed.
  std::string LastExchange() const;
  std::string Describe() { return process_.Describe(); }
  const DriverProcess& process() const { return process_; }

 private:
  // Waits for more bytes: a moment, at most.
  absl::Status ReadMore(absl::Duration moment);
  std::string WhatIsMissing(absl::Duration waited) const;

  const absl::Duration timeout_;
  DriverProcess process_;
  FrameReader frames_;
  std::function<void(absl::string_view hint)> on_slow_;
  // The last exchange; bytes that were sent one after the other are one.
  std::string sent_;
  std::string received_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_PROBE_H_
