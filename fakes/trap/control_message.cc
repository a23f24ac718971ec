#include "fakes/trap/control_message.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "syscalls/errors/error.h"

namespace net::trap {

absl::Status SendMessage(int channel, const std::string& text) {
  while (send(channel, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return ErrnoError(errno, "send");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> ReceiveMessage(int channel) {
  std::string text(kLongestMessage, '\0');
  while (true) {
    const ssize_t size = recv(channel, text.data(), text.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    // The other side closed the channel with a message unread.
    if (size < 0 && errno == ECONNRESET) return std::nullopt;
    if (size < 0) return ErrnoError(errno, "recv");
    if (size == 0) return std::nullopt;
    text.resize(static_cast<size_t>(size));
    return text;
  }
}

}  // namespace net::trap
