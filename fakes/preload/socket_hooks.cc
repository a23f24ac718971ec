#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fakes/preload/descriptors.h"
#include "fakes/preload/native.h"
#include "fakes/preload/rights.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/sys_result.h"

NET_NEXT_FUNCTION(socket)
NET_NEXT_FUNCTION(socketpair)
NET_NEXT_FUNCTION(bind)
NET_NEXT_FUNCTION(listen)
NET_NEXT_FUNCTION(accept)
NET_NEXT_FUNCTION(accept4)
NET_NEXT_FUNCTION(connect)
NET_NEXT_FUNCTION(getsockname)
NET_NEXT_FUNCTION(getpeername)
NET_NEXT_FUNCTION(getsockopt)
NET_NEXT_FUNCTION(setsockopt)
NET_NEXT_FUNCTION(shutdown)

namespace net::preload {
namespace {

constexpr int kTypeFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

// SOCK_TYPE_MASK of Linux. The other bits are flags, known ones or not.
constexpr int kTypeMask = 0xf;

// Returns whether a new socket belongs to the FakeKernel: TCP sockets do.
bool IsTcp(int domain, int type, int protocol) {
  return (domain == AF_INET || domain == AF_INET6) &&
         (type & kTypeMask) == SOCK_STREAM &&
         (protocol == 0 || protocol == IPPROTO_TCP);
}

// Closes a descriptor of the FakeKernel at its end.
class Owned {
 public:
  explicit Owned(SysResult made) : made_(made) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (made_.ok()) static_cast<void>(Sys().Close(made_.fd()));
  }

  SysResult made() const { return made_; }
  int fd() const { return made_.fd(); }
  int Release() {
    const int fd = made_.fd();
    made_ = SysResult();
    return fd;
  }

 private:
  SysResult made_;
};

// Makes a pair of connected sockets for socketpair(2): over TCP, because the
// FakeKernel's Unix sockets carry no data.
SysResult MakePair(int flags, int* pair) {
  const Owned listener(Sys().Socket(AF_INET, SOCK_STREAM, 0));
  if (!listener.made().ok()) return listener.made();
  SysResult result = Sys().Listen(listener.fd(), 1);
  if (!result.ok()) return result;
  sockaddr_in addr = {};
  socklen_t size = sizeof(addr);
  auto* const address = reinterpret_cast<sockaddr*>(&addr);
  result = Sys().GetSockName(listener.fd(), address, &size);
  if (!result.ok()) return result;
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Owned client(Sys().Socket(AF_INET, SOCK_STREAM | (flags & SOCK_CLOEXEC), 0));
  if (!client.made().ok()) return client.made();
  result = Sys().Connect(client.fd(), address, size);
  if (!result.ok()) return result;
  Owned server(Sys().Accept4(listener.fd(), nullptr, nullptr, flags));
  if (!server.made().ok()) return server.made();
  int nonblock = (flags & SOCK_NONBLOCK) != 0 ? 1 : 0;
  result =
      Sys().Ioctl(client.fd(), FIONBIO, reinterpret_cast<intptr_t>(&nonblock));
  // A Unix socket sends at once.
  constexpr int kOn = 1;
  for (const int fd : {client.fd(), server.fd()}) {
    if (!result.ok()) return result;
    result = Sys().SetSockOpt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof(kOn));
  }
  if (!result.ok()) return result;
  pair[0] = client.fd();
  pair[1] = server.fd();
  const int error = CurrentTransit() == nullptr ? 0 : JoinPlaceholders(pair);
  if (error != 0) return SysResult::Error(error);
  client.Release();
  server.Release();
  return SysResult::Ok();
}

}  // namespace
}  // namespace net::preload

using net::preload::IsFake;
using net::preload::IsInCharge;
using net::preload::Returned;
using net::preload::RunBlocking;
using net::preload::Sys;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  if (!IsInCharge() || !net::preload::IsTcp(domain, type, protocol)) {
    return next::socket(domain, type, protocol);
  }
  return Returned(Sys().Socket(domain, type, protocol));
}

int socketpair(int domain, int type, int protocol, int fds[2]) noexcept {
  constexpr int kFlags = net::preload::kTypeFlags;
  if (!IsInCharge() || domain != AF_UNIX || (type & ~kFlags) != SOCK_STREAM) {
    return next::socketpair(domain, type, protocol, fds);
  }
  return Returned(net::preload::MakePair(type & kFlags, fds));
}

int bind(int fd, const sockaddr* addr, socklen_t size) noexcept {
  if (!IsFake(fd, "bind")) return next::bind(fd, addr, size);
  return Returned(Sys().Bind(fd, addr, size));
}

int listen(int fd, int backlog) noexcept {
  if (!IsFake(fd, "listen")) return next::listen(fd, backlog);
  return Returned(Sys().Listen(fd, backlog));
}

int accept(int fd, sockaddr* addr, socklen_t* size) {
  if (!IsFake(fd, "accept")) {
    return RunBlocking("accept", fd, POLLIN,
                       [&] { return next::accept(fd, addr, size); });
  }
  return Returned(Sys().Accept(fd, addr, size));
}

int accept4(int fd, sockaddr* addr, socklen_t* size, int flags) {
  if (!IsFake(fd, "accept4")) {
    return RunBlocking("accept4", fd, POLLIN,
                       [&] { return next::accept4(fd, addr, size, flags); });
  }
  return Returned(Sys().Accept4(fd, addr, size, flags));
}

int connect(int fd, const sockaddr* addr, socklen_t size) {
  if (!IsFake(fd, "connect")) return next::connect(fd, addr, size);
  return Returned(Sys().Connect(fd, addr, size));
}

int getsockname(int fd, sockaddr* addr, socklen_t* size) noexcept {
  if (!IsFake(fd, "getsockname")) return next::getsockname(fd, addr, size);
  return Returned(Sys().GetSockName(fd, addr, size));
}

int getpeername(int fd, sockaddr* addr, socklen_t* size) noexcept {
  if (!IsFake(fd, "getpeername")) return next::getpeername(fd, addr, size);
  return Returned(Sys().GetPeerName(fd, addr, size));
}

int getsockopt(int fd, int level, int name, void* value,
               socklen_t* size) noexcept {
  if (!IsFake(fd, "getsockopt")) {
    return next::getsockopt(fd, level, name, value, size);
  }
  return Returned(Sys().GetSockOpt(fd, level, name, value, size));
}

int setsockopt(int fd, int level, int name, const void* value,
               socklen_t size) noexcept {
  if (!IsFake(fd, "setsockopt")) {
    return next::setsockopt(fd, level, name, value, size);
  }
  return Returned(Sys().SetSockOpt(fd, level, name, value, size));
}

int shutdown(int fd, int how) noexcept {
  if (!IsFake(fd, "shutdown")) return next::shutdown(fd, how);
  return Returned(Sys().Shutdown(fd, how));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
