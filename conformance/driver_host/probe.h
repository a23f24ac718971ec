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
  // The longest wait for an answer. It is long, because it matters only for a
  // driver that keeps using the processor, of which it gets little on a loaded
  // machine.
  static constexpr absl::Duration kTimeout = absl::Minutes(5);
  static constexpr absl::Duration kEndTimeout = absl::Seconds(60);

  // Starts the driver. Throws HarnessError if no process can be made.
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
  // - DeadlineExceeded: no whole frame arrived, and one of these is true:
  //   - kTimeout has passed.
  //   - Three seconds have passed, and the driver is blocked in read(2),
  //     waiting for the next command.
  //   - The driver has slept for nine seconds without using the processor.
  //   - The driver has used eight seconds of processor time. (A driver that is
  //     still starting uses the processor. On a loaded machine it gets little
  //     of it, so elapsed time is not a measure.)
  //
  // The error describes the bytes that arrived, and names a usual cause. After
  // three seconds without an answer, the function of OnSlow() is called with
  // that text.
  absl::StatusOr<std::string> Receive();
  void OnSlow(std::function<void(absl::string_view hint)> on_slow) {
    on_slow_ = std::move(on_slow);
  }

  // Waits until the driver has ended. Returns OK if it exited with status 0.
  absl::Status AwaitEnd() { return process_.AwaitEnd(kEndTimeout); }
  void HangUp() { process_.CloseChannel(); }

  // Describe for people the last exchange, and how the driver ended, with its
  // output.
  std::string LastExchange() const;
  std::string Describe() { return process_.Describe(); }
  const DriverProcess& process() const { return process_; }

 private:
  // Waits for more bytes, for at most `moment`.
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
