#include "conformance/loopback/full_queue.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/loopback/connection.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::loopback {

FullQueue::FullQueue(Listener listener) : listener_(std::move(listener)) {}

absl::StatusOr<FullQueue> FullQueue::Make(Syscalls& sys, int family,
                                          int backlog) {
  absl::StatusOr<Listener> listener =
      ListenAnywhere(sys, family, {.backlog = backlog});
  if (!listener.ok()) return listener.status();
  FullQueue queue(*std::move(listener));
  const size_t asked = static_cast<size_t>(std::max(backlog, 0));
  if (absl::Status status = queue.Fill(2 * asked + 64); !status.ok()) {
    return status;
  }
  return queue;
}

absl::Status FullQueue::Fill(size_t limit) {
  Syscalls& sys = listener_.socket().syscalls();
  while (fillers_.size() < limit) {
    absl::StatusOr<RawSocket> client =
        ConnectTo(sys, endpoint(), {.nonblocking = true});
    if (!client.ok()) return client.status();
    const SysResult ended = client->Ready(POLLOUT);
    if (!ended.ok()) return ErrnoError(ended.error(), "poll");
    // The attempt is still in progress, so its SYN was dropped. Closing the
    // socket ends the attempt, which would otherwise compete with the test's
    // own attempts for the first free place.
    if (ended.value() == 0) return absl::OkStatus();
    const absl::StatusOr<int> error = client->PendingError();
    if (!error.ok()) return error.status();
    if (*error != 0) return ErrnoError(*error, "connect", endpoint());
    fillers_.push_back(*std::move(client));
  }
  return ErrnoError(ENOBUFS, "fill the accept queue", endpoint());
}

absl::Status FullQueue::DrainOne() {
  const SysResult waiting = listener_.socket().Ready(POLLIN);
  if (!waiting.ok()) return ErrnoError(waiting.error(), "poll");
  if (fillers_.empty() || waiting.value() == 0) {
    return ErrnoError(ENODATA, "drain");
  }
  // The queue is first in, first out, so the oldest filler is next.
  absl::StatusOr<RawSocket> oldest = listener_.Accept();
  if (!oldest.ok()) return oldest.status();
  fillers_.erase(fillers_.begin());
  const SysResult reset = oldest->Reset();
  if (!reset.ok()) return ErrnoError(reset.error(), "reset");
  return absl::OkStatus();
}

absl::Status FullQueue::Drain() {
  while (queued() > 0) {
    if (absl::Status status = DrainOne(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace net::loopback
