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

// Sends arbitrary bytes to a driver and reads its answers with a time limit.
// For checks of drivers rather than of implementations. SIGPIPE must be
// ignored.
class Probe {
 public:
  // Long, because it ends only the wait for a driver that goes on using the
  // processor: on a loaded machine it gets little of it.
  static constexpr absl::Duration kTimeout = absl::Minutes(5);
  static constexpr absl::Duration kEndTimeout = absl::Seconds(60);

  // An answer is awaited for at most `timeout`, and less if it is certain that
  // none will arrive: see Receive().
  explicit Probe(const DriverCommand& command,
                 const DriverNetwork& network = {})
      : process_(command, network) {}

  void Say(absl::string_view bytes);
  void SayFrame(const nlohmann::json& message) {
    Say(EncodeFrame(message.dump()));
  }

  // Returns the next message. Fails with
  //
  // - NotFound: the driver ended without an answer.
  // - InvalidArgument: the bytes are not a frame.
  // - DeadlineExceeded: no whole frame arrived within kTimeout; or within
  //   three seconds, if the driver is blocked in read(2), waiting for the next
  //   command; or nine seconds passed in which it slept and did not use the
  //   processor; or it has used eight seconds of processor time. (A driver that
  //   is still starting uses the processor. On a loaded machine it gets little
  //   of it, so that elapsed time would not be a measure.)
  //
  // The error describes what arrived, and names a usual cause. After three
  // seconds `on_slow`, if not null, is called with that text.
  absl::StatusOr<std::string> Receive();
  void OnSlow(std::function<void(absl::string_view hint)> on_slow) {
    on_slow_ = std::move(on_slow);
  }

  // Waits until the driver has ended. Returns OK if it exited with status 0.
  absl::Status AwaitEnd() { return process_.AwaitEnd(kEndTimeout); }
  void HangUp() { process_.CloseChannel(); }

  // Describe for people the last exchange; and how the driver ended and its
  // output.
  std::string LastExchange() const;
  std::string Describe() { return process_.Describe(); }
  const DriverProcess& process() const { return process_; }

 private:
  // Waits for more bytes, at most for `moment`.
  absl::Status ReadMore(absl::Duration moment);
  std::string WhatIsMissing(absl::Duration waited) const;

  DriverProcess process_;
  FrameReader frames_;
  std::function<void(absl::string_view hint)> on_slow_;
  // The last exchange. Bytes sent without an answer in between are one message.
  std::string sent_;
  std::string received_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_PROBE_H_
