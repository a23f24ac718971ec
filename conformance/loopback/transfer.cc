#include "conformance/loopback/transfer.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"

namespace net::loopback {
namespace {

// Handles the errno of a call in the middle of a transfer. Returns OK if the
// call must be made again: after EINTR, and after EAGAIN once poll(2) reports
// `events`.
absl::Status Recover(const RawSocket& socket, int error, int16_t events,
                     absl::string_view operation) {
  if (error == EINTR) return absl::OkStatus();
  if (error != EAGAIN) return ErrnoError(error, operation);
  const SysResult ready = socket.Wait(events);
  if (!ready.ok()) return ErrnoError(ready.error(), "poll");
  return absl::OkStatus();
}

// Receives until `limit` bytes are received or the stream ends.
absl::StatusOr<std::string> RecvUpTo(const RawSocket& socket, size_t limit) {
  std::string data;
  std::array<char, 16384> buffer;
  while (data.size() < limit) {
    const size_t wanted = std::min(buffer.size(), limit - data.size());
    const SysResult got =
        socket.Recv(absl::MakeSpan(buffer).subspan(0, wanted));
    if (got.ok()) {
      if (got.value() == 0) break;
      data.append(buffer.data(), static_cast<size_t>(got.value()));
    } else if (absl::Status status =
                   Recover(socket, got.error(), POLLIN, "recv");
               !status.ok()) {
      return status;
    }
  }
  return data;
}

}  // namespace

absl::Status SendAll(const RawSocket& socket, absl::string_view data) {
  while (!data.empty()) {
    const SysResult sent = socket.Send(data);
    if (sent.ok()) {
      data.remove_prefix(static_cast<size_t>(sent.value()));
    } else if (absl::Status status =
                   Recover(socket, sent.error(), POLLOUT, "send");
               !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RecvExactly(const RawSocket& socket, size_t size) {
  absl::StatusOr<std::string> data = RecvUpTo(socket, size);
  if (data.ok() && data->size() < size) return ErrnoError(ENODATA, "recv");
  return data;
}

absl::StatusOr<std::string> RecvUntilEof(const RawSocket& socket) {
  return RecvUpTo(socket, std::string::npos);
}

absl::StatusOr<size_t> SendUntilFull(const RawSocket& socket) {
  constexpr size_t kLimit = size_t{256} << 20;
  const std::string filler(65536, '#');
  size_t sent = 0;
  while (sent < kLimit) {
    const SysResult result = socket.Send(filler, MSG_DONTWAIT);
    if (result.ok()) {
      sent += static_cast<size_t>(result.value());
    } else if (result.error() == EAGAIN) {
      return sent;
    } else if (result.error() != EINTR) {
      return ErrnoError(result.error(), "send");
    }
  }
  return ErrnoError(ENOBUFS, "fill");
}

}  // namespace net::loopback
