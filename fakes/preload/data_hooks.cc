#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>
#include <ctime>

#include "fakes/preload/descriptors.h"
#include "fakes/preload/native.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/rights.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"

// The functions that <bits/...2.h> calls with _FORTIFY_SOURCE have no other
// declaration.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming):
// glibc's names.
ssize_t __read_chk(int fd, void* data, size_t size, size_t space);
ssize_t __recv_chk(int fd, void* data, size_t size, size_t space, int flags);
ssize_t __recvfrom_chk(int fd, void* data, size_t size, size_t space, int flags,
                       sockaddr* addr, socklen_t* addr_size);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

NET_NEXT_FUNCTION(read)
NET_NEXT_FUNCTION(write)
NET_NEXT_FUNCTION(readv)
NET_NEXT_FUNCTION(writev)
NET_NEXT_FUNCTION(recv)
NET_NEXT_FUNCTION(send)
NET_NEXT_FUNCTION(recvfrom)
NET_NEXT_FUNCTION(sendto)
NET_NEXT_FUNCTION(recvmsg)
NET_NEXT_FUNCTION(sendmsg)
NET_NEXT_FUNCTION(recvmmsg)
NET_NEXT_FUNCTION(sendmmsg)
NET_NEXT_FUNCTION(__read_chk)
NET_NEXT_FUNCTION(__recv_chk)
NET_NEXT_FUNCTION(__recvfrom_chk)

using net::preload::IsFake;
using net::preload::Kind;
using net::preload::KindOf;
using net::preload::Returned;
using net::preload::RunBlocking;
using net::preload::RunNative;
using net::preload::Sys;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,
// readability-identifier-naming, bugprone-reserved-identifier): glibc's names.
extern "C" {

ssize_t read(int fd, void* data, size_t size) {
  if (!IsFake(fd, "read")) {
    return RunBlocking("read", fd, POLLIN,
                       [&] { return next::read(fd, data, size); });
  }
  return Returned<ssize_t>(Sys().Read(fd, data, size));
}

ssize_t write(int fd, const void* data, size_t size) {
  if (!IsFake(fd, "write")) {
    return RunBlocking("write", fd, POLLOUT,
                       [&] { return next::write(fd, data, size); });
  }
  return Returned<ssize_t>(Sys().Write(fd, data, size));
}

ssize_t readv(int fd, const iovec* buffers, int count) {
  if (!IsFake(fd, "readv")) {
    return RunBlocking("readv", fd, POLLIN,
                       [&] { return next::readv(fd, buffers, count); });
  }
  return Returned<ssize_t>(Sys().ReadV(fd, buffers, count));
}

ssize_t writev(int fd, const iovec* buffers, int count) {
  if (!IsFake(fd, "writev")) {
    return RunBlocking("writev", fd, POLLOUT,
                       [&] { return next::writev(fd, buffers, count); });
  }
  return Returned<ssize_t>(Sys().WriteV(fd, buffers, count));
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  if (!IsFake(fd, "recv")) {
    return RunNative(fd, POLLIN,
                     [&] { return next::recv(fd, data, size, flags); });
  }
  return Returned<ssize_t>(Sys().Recv(fd, data, size, flags));
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  if (!IsFake(fd, "send")) {
    return RunNative(fd, POLLOUT,
                     [&] { return next::send(fd, data, size, flags); });
  }
  return Returned<ssize_t>(Sys().Send(fd, data, size, flags));
}

ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* addr,
                 socklen_t* addr_size) {
  if (!IsFake(fd, "recvfrom")) {
    return RunNative(fd, POLLIN, [&] {
      return next::recvfrom(fd, data, size, flags, addr, addr_size);
    });
  }
  return Returned<ssize_t>(
      Sys().RecvFrom(fd, data, size, flags, addr, addr_size));
}

ssize_t sendto(int fd, const void* data, size_t size, int flags,
               const sockaddr* addr, socklen_t addr_size) {
  if (!IsFake(fd, "sendto")) {
    return RunNative(fd, POLLOUT, [&] {
      return next::sendto(fd, data, size, flags, addr, addr_size);
    });
  }
  return Returned<ssize_t>(
      Sys().SendTo(fd, data, size, flags, addr, addr_size));
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  const Kind kind = KindOf(fd, "recvmsg");
  if (kind == Kind::kNative) {
    const ssize_t received = RunNative(
        fd, POLLIN, [&] { return next::recvmsg(fd, message, flags); });
    if (received >= 0) net::preload::InstallRights(*message);
    return received;
  }
  if (kind == Kind::kPair) {
    return Returned<ssize_t>(
        net::preload::ReceiveFromPair(fd, *message, flags));
  }
  return Returned<ssize_t>(Sys().RecvMsg(fd, message, flags));
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const Kind kind = KindOf(fd, "sendmsg");
  if (kind == Kind::kNative) {
    net::preload::RightsOnNative rights(*message);
    const ssize_t sent = RunNative(
        fd, POLLOUT, [&] { return next::sendmsg(fd, message, flags); });
    if (sent < 0) rights.Discard();
    return sent;
  }
  if (kind == Kind::kPair && net::preload::HasRights(*message)) {
    return Returned<ssize_t>(net::preload::SendToPair(fd, *message, flags));
  }
  return Returned<ssize_t>(Sys().SendMsg(fd, message, flags));
}

int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags,
             timespec* timeout) {
  if (!IsFake(fd, "recvmmsg")) {
    return RunNative(fd, POLLIN, [&] {
      return next::recvmmsg(fd, messages, count, flags, timeout);
    });
  }
  return Returned(Sys().RecvMMsg(fd, messages, count, flags, timeout));
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (!IsFake(fd, "sendmmsg")) {
    return RunNative(fd, POLLOUT, [&] {
      return next::sendmmsg(fd, messages, count, flags);
    });
  }
  return Returned(Sys().SendMMsg(fd, messages, count, flags));
}

ssize_t __read_chk(int fd, void* data, size_t size, size_t space) {
  if (!IsFake(fd, "read")) return next::__read_chk(fd, data, size, space);
  return read(fd, data, size);
}

ssize_t __recv_chk(int fd, void* data, size_t size, size_t space, int flags) {
  if (!IsFake(fd, "recv")) {
    return next::__recv_chk(fd, data, size, space, flags);
  }
  return recv(fd, data, size, flags);
}

ssize_t __recvfrom_chk(int fd, void* data, size_t size, size_t space, int flags,
                       sockaddr* addr, socklen_t* addr_size) {
  if (!IsFake(fd, "recvfrom")) {
    return next::__recvfrom_chk(fd, data, size, space, flags, addr, addr_size);
  }
  return recvfrom(fd, data, size, flags, addr, addr_size);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name,
// readability-identifier-naming, bugprone-reserved-identifier)
