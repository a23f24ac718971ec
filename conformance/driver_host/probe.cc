#include "conformance/driver_host/probe.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace net::conformance {

void Probe::Say(absl::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written =
        write(process_.channel().write_fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // It has ended: then there is no answer.
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

absl::StatusOr<std::string> Probe::Hear() {
  const absl::Time deadline = absl::Now() + patience_;
  while (true) {
    auto message = frames_.Next();
    if (!message.ok()) return message.status();
    if (message->has_value()) return **std::move(message);
    const absl::Status more = ReadMore(deadline);
    if (!more.ok()) return more;
  }
}

absl::Status Probe::ReadMore(absl::Time deadline) {
  pollfd event = {
      .fd = process_.channel().read_fd, .events = POLLIN, .revents = 0};
  const auto left = absl::ToInt64Milliseconds(deadline - absl::Now());
  if (left <= 0 || poll(&event, 1, static_cast<int>(left)) == 0) {
    return absl::DeadlineExceededError("it does not answer");
  }
  std::array<char, 65536> buffer;
  const ssize_t got = read(event.fd, buffer.data(), buffer.size());
  if (got == 0) return absl::NotFoundError("it ended");
  if (got > 0) frames_.Append({buffer.data(), static_cast<size_t>(got)});
  return absl::OkStatus();
}

}  // namespace net::conformance
