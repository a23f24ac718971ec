#include "conformance/loopback/connection.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::loopback {
namespace {

struct IntOption {
  int level;
  int name;
  std::optional<int> value;  // unset: keep the kernel's default
};

absl::Status SetOptions(const RawSocket& socket,
                        std::initializer_list<IntOption> options) {
  for (const IntOption& option : options) {
    if (!option.value.has_value()) continue;
    const SysResult set =
        socket.SetOption(option.level, option.name, *option.value);
    if (!set.ok()) return ErrnoError(set.error(), "setsockopt");
  }
  return absl::OkStatus();
}

absl::Status Configure(const RawSocket& socket, const ListenConfig& config) {
  constexpr std::optional<int> kOn = 1;
  constexpr std::optional<int> kAsItIs = std::nullopt;
  return SetOptions(
      socket, {
                  {SOL_SOCKET, SO_REUSEADDR, config.reuse_addr ? kOn : kAsItIs},
                  {SOL_SOCKET, SO_REUSEPORT, config.reuse_port ? kOn : kAsItIs},
                  {IPPROTO_IPV6, IPV6_V6ONLY, config.v6_only},
                  {SOL_SOCKET, SO_RCVBUF, config.receive_buffer},
              });
}

absl::Status Configure(const RawSocket& socket, const ConnectConfig& config) {
  absl::Status status =
      SetOptions(socket, {
                             {SOL_SOCKET, SO_SNDBUF, config.send_buffer},
                             {SOL_SOCKET, SO_RCVBUF, config.receive_buffer},
                         });
  if (!status.ok() || !config.local.has_value()) return status;
  return Bind(socket, *config.local);
}

// Returns the errno of an attempt to connect, or 0 if the connection is
// established or, on a non-blocking socket, in progress. A signal does not end
// the attempt: it continues in the kernel, and connect(2) must not be called
// again.
int Connect(const RawSocket& socket, const ip::Endpoint& remote,
            bool nonblocking) {
  const ip::SockAddr address(remote);
  const int error = socket.syscalls()
                        .Connect(socket.fd(), address.get(), address.size())
                        .error();
  if (error != EINTR && error != EINPROGRESS) return error;
  if (nonblocking) return 0;
  const SysResult ready = socket.Wait(POLLOUT);
  if (!ready.ok()) return ready.error();
  const absl::StatusOr<int> pending = socket.PendingError();
  return pending.ok() ? *pending : ErrnoOf(pending);
}

struct Accepted {
  RawSocket socket;
  std::optional<ip::Endpoint> peer;
};

// Uses the peer's address from accept4(2), because getpeername(2) fails for a
// connection that was reset while queued.
absl::StatusOr<Accepted> AcceptNext(const RawSocket& listener, int flags) {
  Syscalls& sys = listener.syscalls();
  SysResult result;
  ip::SockAddr peer;
  do {
    peer = ip::SockAddr();
    result = sys.Accept4(listener.fd(), peer.get(), peer.size_ptr(),
                         flags | SOCK_CLOEXEC);
  } while (result.error() == EINTR);
  if (!result.ok()) return ErrnoError(result.error(), "accept4");
  return Accepted{RawSocket(result.fd(), sys), peer.ToEndpoint()};
}

}  // namespace

absl::StatusOr<RawSocket> NewSocket(Syscalls& sys, int family,
                                    bool nonblocking) {
  const int flags = SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
  const SysResult made = sys.Socket(family, SOCK_STREAM | flags, 0);
  if (!made.ok()) return ErrnoError(made.error(), "socket");
  return RawSocket(made.fd(), sys);
}

absl::Status Bind(const RawSocket& socket, const ip::Endpoint& local) {
  const ip::SockAddr address(local);
  const SysResult bound =
      socket.syscalls().Bind(socket.fd(), address.get(), address.size());
  if (!bound.ok()) return ErrnoError(bound.error(), "bind", local);
  return absl::OkStatus();
}

ip::Addr LoopbackAddr(int family) {
  return family == AF_INET6 ? ip::kLocalV6 : ip::kLocalV4;
}

Listener::Listener(RawSocket socket, const ip::Endpoint& endpoint)
    : socket_(std::move(socket)), endpoint_(endpoint) {}

absl::StatusOr<RawSocket> Listener::Accept(int flags) const {
  absl::StatusOr<Accepted> accepted = AcceptNext(socket_, flags);
  if (!accepted.ok()) return accepted.status();
  return std::move(accepted->socket);
}

absl::StatusOr<RawSocket> Listener::AcceptFrom(const ip::Endpoint& client,
                                               int flags) const {
  while (true) {
    absl::StatusOr<Accepted> accepted = AcceptNext(socket_, flags);
    if (!accepted.ok()) return accepted.status();
    if (accepted->peer == client) return std::move(accepted->socket);
  }
}

absl::StatusOr<Listener> ListenOn(Syscalls& sys, const ip::Endpoint& local,
                                  const ListenConfig& config) {
  absl::StatusOr<RawSocket> socket =
      NewSocket(sys, local.addr.family(), config.nonblocking);
  if (!socket.ok()) return socket.status();
  if (absl::Status status = Configure(*socket, config); !status.ok()) {
    return status;
  }
  if (absl::Status status = Bind(*socket, local); !status.ok()) return status;
  const SysResult listening = sys.Listen(socket->fd(), config.backlog);
  if (!listening.ok()) return ErrnoError(listening.error(), "listen", local);
  const absl::StatusOr<ip::Endpoint> endpoint = socket->LocalEndpoint();
  if (!endpoint.ok()) return endpoint.status();
  return Listener(*std::move(socket), *endpoint);
}

absl::StatusOr<Listener> ListenAnywhere(Syscalls& sys, int family,
                                        const ListenConfig& config) {
  return ListenOn(sys, ip::Endpoint{LoopbackAddr(family), 0}, config);
}

absl::StatusOr<RawSocket> ConnectTo(Syscalls& sys, const ip::Endpoint& remote,
                                    const ConnectConfig& config) {
  absl::StatusOr<RawSocket> socket =
      NewSocket(sys, remote.addr.family(), config.nonblocking);
  if (!socket.ok()) return socket.status();
  if (absl::Status status = Configure(*socket, config); !status.ok()) {
    return status;
  }
  if (int error = Connect(*socket, remote, config.nonblocking)) {
    return ErrnoError(error, "connect", remote);
  }
  return socket;
}

Pair::Pair(RawSocket client_end, RawSocket server_end)
    : client(std::move(client_end)), server(std::move(server_end)) {}

Pair::~Pair() {
  for (RawSocket* end : {&client, &server}) {
    if (end->is_open()) static_cast<void>(end->Reset());
  }
}

absl::StatusOr<Pair> ConnectedPair(Syscalls& sys, int family) {
  return ConnectedPair(sys, family, ListenConfig{}, ConnectConfig{});
}

absl::StatusOr<Pair> ConnectedPair(Syscalls& sys, int family,
                                   const ListenConfig& server,
                                   const ConnectConfig& client) {
  const absl::StatusOr<Listener> listener = ListenAnywhere(sys, family, server);
  if (!listener.ok()) return listener.status();
  absl::StatusOr<RawSocket> connected =
      ConnectTo(sys, listener->endpoint(), client);
  if (!connected.ok()) return connected.status();
  const absl::StatusOr<ip::Endpoint> origin = connected->LocalEndpoint();
  if (!origin.ok()) return origin.status();
  // A non-blocking attempt may still be in progress. Accept() needs it
  // complete.
  if (const SysResult ready = connected->Wait(POLLOUT); !ready.ok()) {
    return ErrnoError(ready.error(), "poll");
  }
  if (const SysResult ready = listener->socket().Wait(POLLIN); !ready.ok()) {
    return ErrnoError(ready.error(), "poll");
  }
  absl::StatusOr<RawSocket> accepted = listener->AcceptFrom(*origin);
  if (!accepted.ok()) return accepted.status();
  return Pair(*std::move(connected), *std::move(accepted));
}

}  // namespace net::loopback
