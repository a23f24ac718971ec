#include "conformance/driver_host/probe.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/driver_host/channel_watch.h"

namespace net::conformance {
namespace {

constexpr absl::Duration kInspectionInterval = absl::Milliseconds(100);
// After this time an answer counts as slow.
constexpr absl::Duration kSlow = absl::Seconds(3);
// A driver that has been blocked in read(2), or has slept without using the
// processor, for this long will certainly not answer.
constexpr absl::Duration kBlocked = absl::Seconds(2);
constexpr absl::Duration kIdle = absl::Seconds(9);
// A driver that has used this much processor time without answering is taken
// for one that loops.
constexpr absl::Duration kUsed = absl::Seconds(8);

constexpr size_t kShown = 240;

// Escapes bytes for people, but not the quotes of JSON.
std::string Shown(absl::string_view bytes) {
  return absl::StrCat(
      absl::StrReplaceAll(absl::CHexEscape(bytes.substr(0, kShown)),
                          {{"\\\"", "\""}, {"\\'", "'"}, {"\\\\", "\\"}}),
      bytes.size() > kShown ? "..." : "");
}

}  // namespace

void Probe::Say(absl::string_view bytes) {
  if (!received_.empty()) {
    sent_.clear();
    received_.clear();
  }
  sent_.append(bytes.data(), std::min(bytes.size(), kShown + 1));
  while (!bytes.empty()) {
    const ssize_t written =
        write(process_.channel().write_fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // The driver ended: Receive() reports that.
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

absl::StatusOr<std::string> Probe::Receive() {
  const auto start = std::chrono::steady_clock::now();
  ChannelWatch watch(process_.channel());
  bool is_slow = false;
  while (true) {
    auto message = frames_.Next();
    if (!message.ok()) return message.status();
    if (message->has_value()) return **std::move(message);
    const absl::Status more = ReadMore(kInspectionInterval);
    if (more.ok()) continue;
    if (!absl::IsDeadlineExceeded(more)) return more;
    watch.Inspect();
    const absl::Duration waited =
        absl::FromChrono(std::chrono::steady_clock::now() - start);
    const bool blocked = absl::FromChrono(watch.BlockedInRead()) >= kBlocked;
    const absl::Duration used = absl::FromChrono(watch.Used());
    if (waited >= kTimeout || (waited >= kSlow && blocked) || used >= kUsed ||
        absl::FromChrono(watch.Idle()) >= kIdle) {
      // On a loaded machine this thread may have been delayed for seconds. The
      // answer can have arrived meanwhile.
      const absl::Status last = ReadMore(absl::ZeroDuration());
      if (last.ok()) continue;
      if (!absl::IsDeadlineExceeded(last)) return last;
      std::string text = WhatIsMissing(waited);
      if (blocked) {
        absl::StrAppend(&text,
                        " The driver is blocked in read(2), waiting for the "
                        "next command.");
      } else if (used >= kUsed) {
        absl::StrAppend(&text, " The driver has used ",
                        absl::ToInt64Seconds(used), " s of processor time.");
      }
      return absl::DeadlineExceededError(text);
    }
    if (waited >= kSlow && !std::exchange(is_slow, true) &&
        on_slow_ != nullptr) {
      on_slow_(WhatIsMissing(waited));
    }
  }
}

std::string Probe::WhatIsMissing(absl::Duration waited) const {
  const std::string time =
      absl::StrCat(" within ", absl::ToInt64Seconds(waited), " s");
  if (frames_.rest().empty()) {
    return absl::StrCat("no byte of an answer arrived", time,
                        ": is the frame flushed?");
  }
  return absl::StrCat(frames_.DescribeRest(), time,
                      ": is the length right, and the frame flushed?");
}

std::string Probe::LastExchange() const {
  return absl::StrCat("sent:     ", Shown(sent_), "\nreceived: ",
                      received_.empty() ? "nothing" : Shown(received_));
}

absl::Status Probe::ReadMore(absl::Duration moment) {
  pollfd event = {
      .fd = process_.channel().read_fd, .events = POLLIN, .revents = 0};
  if (poll(&event, 1, static_cast<int>(absl::ToInt64Milliseconds(moment))) ==
      0) {
    return absl::DeadlineExceededError("");
  }
  std::array<char, 65536> buffer;
  const ssize_t got = read(event.fd, buffer.data(), buffer.size());
  if (got == 0) {
    const std::string rest = frames_.DescribeRest();
    return absl::NotFoundError(rest.empty()
                                   ? "the driver ended"
                                   : absl::StrCat("the driver ended; ", rest));
  }
  if (got > 0) {
    const absl::string_view bytes(buffer.data(), static_cast<size_t>(got));
    frames_.Append(bytes);
    received_.append(bytes.data(), std::min(bytes.size(), kShown + 1));
  }
  return absl::OkStatus();
}

}  // namespace net::conformance
