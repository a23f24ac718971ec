#include "conformance/loopback/peers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/loopback/raw_socket.h"
#include "conformance/loopback/transfer.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"

namespace net::loopback {

Dribbler::Dribbler(const RawSocket& socket, absl::string_view payload)
    : socket_(socket), payload_(payload) {}

absl::Status Dribbler::Step() {
  if (done()) return absl::OkStatus();
  if (sent_ == 0) {
    const SysResult set = socket_.SetOption(IPPROTO_TCP, TCP_NODELAY, 1);
    if (!set.ok()) return ErrnoError(set.error(), "setsockopt TCP_NODELAY");
  }
  const absl::string_view payload = payload_;
  absl::Status status = SendAll(socket_, payload.substr(sent_, 1));
  if (status.ok()) ++sent_;
  return status;
}

absl::Status CloseWithUnreadData(RawSocket& peer) {
  const SysResult ready = peer.Wait(POLLIN);
  if (!ready.ok()) return ErrnoError(ready.error(), "poll");
  char byte = 0;
  const SysResult unread =
      peer.Recv(absl::MakeSpan(&byte, 1), MSG_PEEK | MSG_DONTWAIT);
  if (!unread.ok()) return ErrnoError(unread.error(), "recv");
  if (unread.value() == 0) return ErrnoError(ENODATA, "recv");
  const SysResult closed = peer.Close();
  if (!closed.ok()) return ErrnoError(closed.error(), "close");
  return absl::OkStatus();
}

}  // namespace net::loopback
