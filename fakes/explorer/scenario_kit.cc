#include "fakes/explorer/scenario_kit.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::kit {

absl::Status ToStatus(SysResult result, absl::string_view operation) {
  if (result.ok()) return absl::OkStatus();
  return ErrnoError(result.error(), operation);
}

absl::Status FirstError(const absl::Status& first, const absl::Status& second) {
  return first.ok() ? second : first;
}

SysResult NewSocket(Syscalls& sys) {
  return sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

SysResult BindTo(Syscalls& sys, int fd, uint16_t port) {
  const ip::SockAddr address(ip::Endpoint{ip::kLocalV4, port});
  return sys.Bind(fd, address.get(), address.size());
}

SysResult ConnectTo(Syscalls& sys, int fd, uint16_t port) {
  const ip::SockAddr address(ip::Endpoint{ip::kLocalV4, port});
  return sys.Connect(fd, address.get(), address.size());
}

SysResult StartListening(Syscalls& sys, int fd) { return sys.Listen(fd, 10); }

SysResult TurnOn(Syscalls& sys, int fd, int option) {
  constexpr int kOn = 1;
  return sys.SetSockOpt(fd, SOL_SOCKET, option, &kOn, sizeof(kOn));
}

SysResult ReadPort(Syscalls& sys, int fd, uint16_t* port) {
  ip::SockAddr address;
  const SysResult result =
      sys.GetSockName(fd, address.get(), address.size_ptr());
  // A truncated address is none.
  if (result.ok() && address.ToEndpoint().has_value()) {
    *port = address.ToEndpoint()->port;
  }
  return result;
}

SysResult AcceptFrom(Syscalls& sys, int fd) {
  return sys.Accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
}

SysResult SendOnce(Syscalls& sys, int fd, absl::string_view data) {
  return sys.Send(fd, data.data(), data.size(), MSG_NOSIGNAL);
}

SysResult RecvOnce(Syscalls& sys, int fd, char* data, size_t size) {
  return sys.Recv(fd, data, size, 0);
}

SysResult AwaitWritable(Syscalls& sys, int fd) {
  pollfd writable = {.fd = fd, .events = POLLOUT, .revents = 0};
  return sys.Poll(&writable, 1, /*timeout_ms=*/-1);
}

absl::Status CloseIt(Syscalls& sys, int fd) {
  return ToStatus(sys.Close(fd), "close");
}

void Discard(Syscalls& sys, int fd) {
  if (fd >= 0) static_cast<void>(sys.Close(fd));
}

absl::Status MakeListener(Syscalls& sys, int* fd, uint16_t* port) {
  const SysResult made = NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  absl::Status status = ToStatus(BindTo(sys, made.fd(), 0), "bind");
  if (status.ok()) {
    status = ToStatus(StartListening(sys, made.fd()), "listen");
  }
  if (status.ok()) {
    status = ToStatus(ReadPort(sys, made.fd(), port), "getsockname");
  }
  if (!status.ok()) {
    Discard(sys, made.fd());
    return status;
  }
  *fd = made.fd();
  return absl::OkStatus();
}

SysResult ConnectPatiently(Syscalls& sys, int fd, uint16_t port) {
  const SysResult connected = ConnectTo(sys, fd, port);
  if (connected.error() != EINTR) return connected;
  const SysResult polled = RetryOnEintr([&] { return AwaitWritable(sys, fd); });
  if (!polled.ok()) return polled;
  int error = 0;
  socklen_t size = sizeof(error);
  const SysResult read =
      sys.GetSockOpt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return read.ok() && error != 0 ? SysResult::Error(error) : read;
}

absl::Status MakePair(Syscalls& sys, Pair* pair) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status status = MakeListener(sys, &listener, &port);
  if (!status.ok()) return status;
  const SysResult client = NewSocket(sys);
  status = ToStatus(client, "socket");
  if (status.ok()) {
    status = ToStatus(ConnectPatiently(sys, client.fd(), port), "connect");
  }
  SysResult server;
  if (status.ok()) {
    do {
      server = AcceptFrom(sys, listener);
    } while (server.error() == EINTR || server.error() == ECONNABORTED);
    status = ToStatus(server, "accept");
  }
  status = FirstError(status, CloseIt(sys, listener));
  if (!status.ok()) {
    if (client.ok()) Discard(sys, client.fd());
    if (server.ok()) Discard(sys, server.fd());
    return status;
  }
  *pair = {.client = client.fd(), .server = server.fd()};
  return absl::OkStatus();
}

absl::Status ClosePair(Syscalls& sys, const Pair& pair) {
  const absl::Status client = CloseIt(sys, pair.client);
  return FirstError(client, CloseIt(sys, pair.server));
}

absl::Status WithPair(Syscalls& sys,
                      absl::FunctionRef<absl::Status(const Pair&)> body) {
  Pair pair;
  absl::Status status = MakePair(sys, &pair);
  if (!status.ok()) return status;
  status = body(pair);
  return FirstError(status, ClosePair(sys, pair));
}

absl::Status WithListener(
    Syscalls& sys,
    absl::FunctionRef<absl::Status(int listener, uint16_t port, int client)>
        body) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status status = MakeListener(sys, &listener, &port);
  if (!status.ok()) return status;
  const SysResult client = NewSocket(sys);
  status = ToStatus(client, "socket");
  if (client.ok()) {
    status = body(listener, port, client.fd());
    status = FirstError(status, CloseIt(sys, client.fd()));
  }
  return FirstError(status, CloseIt(sys, listener));
}

absl::Status SendAll(Syscalls& sys, int fd, absl::string_view data) {
  while (!data.empty()) {
    const SysResult sent =
        RetryOnEintr([&] { return SendOnce(sys, fd, data); });
    if (!sent.ok()) return ToStatus(sent, "send");
    data.remove_prefix(static_cast<size_t>(sent.value()));
  }
  return absl::OkStatus();
}

absl::Status RecvAll(Syscalls& sys, int fd, char* data, size_t size) {
  for (size_t had = 0; had < size;) {
    const SysResult received =
        RetryOnEintr([&] { return RecvOnce(sys, fd, data + had, size - had); });
    if (!received.ok()) return ToStatus(received, "recv");
    if (received.value() == 0) return absl::DataLossError("ends early");
    had += static_cast<size_t>(received.value());
  }
  return absl::OkStatus();
}

}  // namespace net::kit
