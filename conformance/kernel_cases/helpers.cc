#include "conformance/kernel_cases/helpers.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

using loopback::FullQueue;
using loopback::Listener;
using loopback::RawSocket;

LongAddress MakeLongAddress(const ip::Endpoint& endpoint) {
  const ip::SockAddr address(endpoint);
  LongAddress result;
  std::memcpy(&result.storage, address.get(), address.size());
  return result;
}

absl::StatusOr<RawSocket> NewTcp(Context& c, int type_flags) {
  const SysResult made =
      c.sys().Socket(c.family(), SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0);
  if (!made.ok()) return ErrnoError(made.error(), "socket");
  return RawSocket(made.fd(), c.sys());
}

absl::StatusOr<Listener> NewListener(Context& c,
                                     const loopback::ListenConfig& config) {
  return loopback::ListenAnywhere(c.sys(), c.family(), config);
}

absl::StatusOr<loopback::Pair> NewPair(Context& c) {
  return loopback::ConnectedPair(c.sys(), c.family());
}

absl::StatusOr<loopback::Pair> NewSmallPair(Context& c) {
  return loopback::ConnectedPair(c.sys(), c.family(),
                                 {.receive_buffer = loopback::kSmallestBuffer},
                                 {.send_buffer = loopback::kSmallestBuffer});
}

absl::StatusOr<Connecting> NewConnecting(Context& c) {
  absl::StatusOr<FullQueue> queue = FullQueue::Make(c.sys(), c.family());
  if (!queue.ok()) return queue.status();
  absl::StatusOr<RawSocket> client =
      loopback::ConnectTo(c.sys(), queue->endpoint(), {.nonblocking = true});
  if (!client.ok()) return client.status();
  return Connecting{*std::move(queue), *std::move(client)};
}

SysResult Listen(const RawSocket& socket, int backlog) {
  return socket.syscalls().Listen(socket.fd(), backlog);
}

SysResult Connect(const RawSocket& socket, const ip::Endpoint& remote) {
  const ip::SockAddr address(remote);
  return socket.syscalls().Connect(socket.fd(), address.get(), address.size());
}

absl::StatusOr<RawSocket> Accept(const RawSocket& listener, int flags) {
  const SysResult accepted = listener.syscalls().Accept4(
      listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | flags);
  if (!accepted.ok()) return ErrnoError(accepted.error(), "accept4");
  return RawSocket(accepted.fd(), listener.syscalls());
}

SysResult Disconnect(const RawSocket& socket) {
  sockaddr nobody = {};
  nobody.sa_family = AF_UNSPEC;
  return socket.syscalls().Connect(socket.fd(), &nobody, sizeof(nobody));
}

SysResult SetSocketOption(const RawSocket& socket, int name, int value) {
  return socket.SetOption(SOL_SOCKET, name, value);
}

absl::StatusOr<int> Ask(const RawSocket& socket, uint64_t request) {
  int value = -1;
  const SysResult asked = socket.syscalls().Ioctl(
      socket.fd(), request, reinterpret_cast<intptr_t>(&value));
  if (!asked.ok()) return ErrnoError(asked.error(), "ioctl");
  return value;
}

SysResult PollNow(const RawSocket& socket) {
  return socket.Ready(POLLIN | POLLOUT | POLLPRI | POLLRDHUP);
}

absl::StatusOr<std::string> RecvOnce(const RawSocket& socket, size_t size,
                                     int flags) {
  std::string data(size, '\0');
  const SysResult received = socket.Recv(absl::MakeSpan(data), flags);
  if (!received.ok()) return ErrnoError(received.error(), "recv");
  data.resize(static_cast<size_t>(received.value()));
  return data;
}

PendingCall::PendingCall(Context& c, std::function<SysResult()> call)
    : task_(
          c.env().Start([this, call = std::move(call)] { result_ = call(); })) {
}

PendingCall::~PendingCall() = default;

bool PendingCall::AwaitBlocked() { return task_->AwaitBlocked(); }

void PendingCall::Interrupt() { task_->Interrupt(); }

SysResult PendingCall::Join() {
  task_->Join();
  return result_;
}

}  // namespace net::conformance
