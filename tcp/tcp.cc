#include "tcp/tcp.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <optional>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "tcp/options.h"
#include "tcp/sock_flags.h"
#include "tcp/socket.h"

namespace net::tcp {
namespace {

constexpr uint32_t kDefaultBacklog = 10;

// Returns the SOCK_* bits for socket(2) and accept4(2), or nullopt if `flags`
// has an unknown bit.
std::optional<int> ToSockBits(SockFlags flags) {
  constexpr SockFlags kKnown = SockFlags::kNonblock | SockFlags::kNoCloexec;
  if ((flags & ~kKnown) != SockFlags::kNone) return std::nullopt;
  int bits = 0;
  if ((flags & SockFlags::kNonblock) != SockFlags::kNone) bits |= SOCK_NONBLOCK;
  if ((flags & SockFlags::kNoCloexec) == SockFlags::kNone) bits |= SOCK_CLOEXEC;
  return bits;
}

template <typename Option>
SockFlags UnionOfFlags(absl::Span<const Option> options) {
  SockFlags flags = SockFlags::kNone;
  for (const Option& option : options) {
    if (const auto* more = std::get_if<SockFlags>(&option)) {
      flags = flags | *more;
    }
  }
  return flags;
}

// Returns the SO_* name of an option, or 0 if it is not a socket option.
struct SocketOptionOf {
  int operator()(KeepAlive) const { return SO_KEEPALIVE; }
  int operator()(ReuseAddr) const { return SO_REUSEADDR; }
  int operator()(ReusePort) const { return SO_REUSEPORT; }
  template <typename Other>
  int operator()(Other) const {
    return 0;
  }
};

// Turns on each socket option once, in the order given. Returns the first
// errno, or 0 on success.
template <typename Option>
int SetSocketOptions(const Socket& socket, absl::Span<const Option> options) {
  uint64_t done = 0;
  for (const Option& option : options) {
    const int name = std::visit(SocketOptionOf(), option);
    const uint64_t bit = uint64_t{1} << name;
    if (name == 0 || (done & bit) != 0) continue;
    done |= bit;
    constexpr int kOn = 1;
    const SysResult result = socket.syscalls().SetSockOpt(
        socket.fd(), SOL_SOCKET, name, &kOn, sizeof(kOn));
    if (!result.ok()) return result.error();
  }
  return 0;
}

int BacklogOf(absl::Span<const ListenOption> options) {
  uint32_t backlog = kDefaultBacklog;
  for (const ListenOption& option : options) {
    if (const auto* given = std::get_if<Backlog>(&option)) {
      backlog = given->value;
    }
  }
  return static_cast<int>(std::min<uint32_t>(backlog, INT_MAX));
}

bool HasNullPortAssignment(absl::Span<const ListenOption> options) {
  return std::any_of(options.begin(), options.end(), [](const auto& option) {
    const auto* assignment = std::get_if<PortAssignment>(&option);
    return assignment != nullptr && assignment->port == nullptr;
  });
}

// Fills in every PortAssignment. Returns an errno, or 0 on success.
int AssignPort(const Socket& socket, absl::Span<const ListenOption> options) {
  const bool wanted =
      std::any_of(options.begin(), options.end(), [](const auto& option) {
        return std::holds_alternative<PortAssignment>(option);
      });
  if (!wanted) return 0;
  ip::SockAddr address;
  const SysResult result = socket.syscalls().GetSockName(
      socket.fd(), address.get(), address.size_ptr());
  if (!result.ok()) return result.error();
  const std::optional<ip::Endpoint> local = address.ToEndpoint();
  if (!local.has_value()) return EAFNOSUPPORT;
  for (const ListenOption& option : options) {
    if (const auto* assignment = std::get_if<PortAssignment>(&option)) {
      *assignment->port = local->port;
    }
  }
  return 0;
}

// Waits until a connection attempt whose connect(2) failed with EINTR has
// ended. The attempt continues in the kernel, so connect(2) must not be called
// again: it would fail with EALREADY. Returns the attempt's errno, or 0 if the
// connection is established.
int AwaitConnection(const Socket& socket) {
  pollfd writable = {.fd = socket.fd(), .events = POLLOUT, .revents = 0};
  SysResult polled;
  do {
    polled = socket.syscalls().Poll(&writable, 1, /*timeout_ms=*/-1);
  } while (polled.error() == EINTR);
  if (!polled.ok()) return polled.error();
  int error = 0;
  socklen_t size = sizeof(error);
  const SysResult result = socket.syscalls().GetSockOpt(
      socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return result.ok() ? error : result.error();
}

// Connects a new socket. Returns an errno, or 0 if the connection is
// established or, with `nonblocking`, under way.
int ConnectSocket(const Socket& socket, const ip::Endpoint& remote,
                  bool nonblocking) {
  const ip::SockAddr address(remote);
  const int error = socket.syscalls()
                        .Connect(socket.fd(), address.get(), address.size())
                        .error();
  if (nonblocking) return error == EINPROGRESS || error == EINTR ? 0 : error;
  return error == EINTR ? AwaitConnection(socket) : error;
}

}  // namespace

absl::StatusOr<Socket> Listen(ip::Addr addr, uint16_t port,
                              absl::Span<const ListenOption> options,
                              Syscalls& sys) {
  const ip::Endpoint local{addr, port};
  const auto failure = [&local](int error) {
    return ErrnoError(error, "listen", local);
  };
  const std::optional<int> bits = ToSockBits(UnionOfFlags(options));
  if (!bits.has_value() || HasNullPortAssignment(options)) {
    return failure(EINVAL);
  }
  const SysResult made = sys.Socket(addr.family(), SOCK_STREAM | *bits, 0);
  if (!made.ok()) return failure(made.error());
  Socket socket(made.fd(), sys);
  if (int error = SetSocketOptions(socket, options)) return failure(error);
  const ip::SockAddr address(local);
  const SysResult bound = sys.Bind(socket.fd(), address.get(), address.size());
  if (!bound.ok()) return failure(bound.error());
  const SysResult listening = sys.Listen(socket.fd(), BacklogOf(options));
  if (!listening.ok()) return failure(listening.error());
  if (int error = AssignPort(socket, options)) return failure(error);
  return socket;
}

absl::StatusOr<Socket> Connect(ip::Addr addr, uint16_t port,
                               absl::Span<const ConnectOption> options,
                               Syscalls& sys) {
  const ip::Endpoint remote{addr, port};
  const auto failure = [&remote](int error) {
    return ErrnoError(error, "connect", remote);
  };
  const std::optional<int> bits = ToSockBits(UnionOfFlags(options));
  if (!bits.has_value()) return failure(EINVAL);
  const SysResult made = sys.Socket(addr.family(), SOCK_STREAM | *bits, 0);
  if (!made.ok()) return failure(made.error());
  Socket socket(made.fd(), sys);
  if (int error = SetSocketOptions(socket, options)) return failure(error);
  const bool nonblocking = (*bits & SOCK_NONBLOCK) != 0;
  if (int error = ConnectSocket(socket, remote, nonblocking)) {
    return failure(error);
  }
  return socket;
}

absl::StatusOr<Socket> Accept(const Socket& listener, SockFlags flags) {
  const std::optional<int> bits = ToSockBits(flags);
  if (!bits.has_value()) return ErrnoError(EINVAL, "accept");
  Syscalls& sys = listener.syscalls();
  SysResult accepted;
  do {
    accepted = sys.Accept4(listener.fd(), nullptr, nullptr, *bits);
  } while (accepted.error() == EINTR || accepted.error() == ECONNABORTED);
  if (!accepted.ok()) return ErrnoError(accepted.error(), "accept");
  return Socket(accepted.fd(), sys);
}

std::optional<ip::Endpoint> PeerAddr(const Socket& socket) {
  ip::SockAddr address;
  const SysResult result = socket.syscalls().GetPeerName(
      socket.fd(), address.get(), address.size_ptr());
  if (!result.ok()) return std::nullopt;
  return address.ToEndpoint();
}

}  // namespace net::tcp
