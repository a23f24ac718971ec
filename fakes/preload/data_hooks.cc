#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <vector>

#include "fakes/preload/descriptors.h"
#include "fakes/preload/native.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/sys_result.h"

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
NET_NEXT_FUNCTION(sendfile)
NET_NEXT_FUNCTION(__read_chk)
NET_NEXT_FUNCTION(__recv_chk)
NET_NEXT_FUNCTION(__recvfrom_chk)

namespace net::preload {
namespace {

// Returns the message of readv(2), writev(2), recvfrom(2) and sendto(2).
msghdr MessageOf(const iovec* buffers, size_t count) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(buffers);
  message.msg_iovlen = count;
  return message;
}

// Returns whether the calls of sockets work on the descriptor.
bool IsSocket(Kind kind) {
  return kind != Kind::kCounter && kind != Kind::kPipe;
}

// Reads all buffers with one call. A descriptor that is not a socket must be
// read and written in one piece: an eventfd has one number, and a pipe's
// write(2) is atomic.
SysResult ReadPiece(int fd, const iovec* buffers, int count) {
  size_t space = 0;
  for (int i = 0; i < count; ++i) space += buffers[i].iov_len;
  std::vector<char> data(space);
  const SysResult read = Sys().Read(fd, data.data(), space);
  const char* from = data.data();
  size_t left = read.ok() ? static_cast<size_t>(read.value()) : 0;
  for (int i = 0; i < count && left > 0; ++i) {
    const size_t size = std::min(left, buffers[i].iov_len);
    std::memcpy(buffers[i].iov_base, from, size);
    from += size;
    left -= size;
  }
  return read;
}

SysResult WritePiece(int fd, const iovec* buffers, int count) {
  std::vector<char> data;
  for (int i = 0; i < count; ++i) {
    const auto* const begin = static_cast<const char*>(buffers[i].iov_base);
    data.insert(data.end(), begin, begin + buffers[i].iov_len);
  }
  return Sys().Write(fd, data.data(), data.size());
}

SysResult RecvFrom(int fd, void* data, size_t size, int flags, sockaddr* addr,
                   socklen_t* addr_size) {
  if (addr == nullptr) return Sys().Recv(fd, data, size, flags);
  if (addr_size == nullptr) return SysResult::Error(EFAULT);
  iovec buffer = {.iov_base = data, .iov_len = size};
  msghdr message = MessageOf(&buffer, 1);
  message.msg_name = addr;
  message.msg_namelen = *addr_size;
  const SysResult result = Sys().RecvMsg(fd, &message, flags);
  if (result.ok()) *addr_size = message.msg_namelen;
  return result;
}

SysResult SendTo(int fd, const void* data, size_t size, int flags,
                 const sockaddr* addr, socklen_t addr_size) {
  if (addr == nullptr) return Sys().Send(fd, data, size, flags);
  iovec buffer = {.iov_base = const_cast<void*>(data), .iov_len = size};
  msghdr message = MessageOf(&buffer, 1);
  message.msg_name = const_cast<sockaddr*>(addr);
  message.msg_namelen = addr_size;
  return Sys().SendMsg(fd, &message, flags);
}

// Receives several messages as recvmmsg(2) does: only the first one may block
// with MSG_WAITFORONE, and an error after the first one is left for the next
// call.
SysResult RecvMessages(int fd, mmsghdr* messages, unsigned count, int flags) {
  unsigned done = 0;
  for (; done < count; ++done) {
    const SysResult result =
        Sys().RecvMsg(fd, &messages[done].msg_hdr, flags & ~MSG_WAITFORONE);
    if (!result.ok()) return done > 0 ? SysResult::Ok(done) : result;
    messages[done].msg_len = static_cast<unsigned>(result.value());
    if ((flags & MSG_WAITFORONE) != 0) flags |= MSG_DONTWAIT;
  }
  return SysResult::Ok(done);
}

SysResult SendMessages(int fd, mmsghdr* messages, unsigned count, int flags) {
  unsigned done = 0;
  for (; done < count; ++done) {
    const SysResult result = Sys().SendMsg(fd, &messages[done].msg_hdr, flags);
    if (!result.ok()) return done > 0 ? SysResult::Ok(done) : result;
    messages[done].msg_len = static_cast<unsigned>(result.value());
  }
  return SysResult::Ok(done);
}

// sendfile(2) from a native file to a socket of the FakeKernel.
SysResult SendFile(int out_fd, int in_fd, off_t* offset, size_t size) {
  constexpr size_t kChunk = 65536;
  std::vector<char> data(std::min(size, kChunk));
  const off_t start = offset != nullptr ? *offset : lseek(in_fd, 0, SEEK_CUR);
  if (start < 0) return SysResult::Error(errno);
  size_t done = 0;
  SysResult sent = SysResult::Ok();
  while (done < size) {
    const auto position = start + static_cast<off_t>(done);
    const ssize_t read =
        pread(in_fd, data.data(), std::min(size - done, kChunk), position);
    if (read < 0) sent = SysResult::Error(errno);
    if (read <= 0) break;
    sent = Sys().Send(out_fd, data.data(), static_cast<size_t>(read), 0);
    if (!sent.ok()) break;
    done += static_cast<size_t>(sent.value());
    if (sent.value() < read) break;
  }
  const auto end = start + static_cast<off_t>(done);
  if (offset != nullptr) {
    *offset = end;
  } else {
    lseek(in_fd, end, SEEK_SET);
  }
  return done > 0 || sent.ok() ? SysResult::Ok(static_cast<int64_t>(done))
                               : sent;
}

}  // namespace
}  // namespace net::preload

using net::preload::IsFake;
using net::preload::Kind;
using net::preload::KindOf;
using net::preload::Returned;
using net::preload::RunNative;
using net::preload::Sys;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,
// readability-identifier-naming, bugprone-reserved-identifier): glibc's names.
extern "C" {

ssize_t read(int fd, void* data, size_t size) {
  if (!IsFake(fd, "read")) {
    return RunNative(fd, POLLIN, [&] { return next::read(fd, data, size); });
  }
  return Returned<ssize_t>(Sys().Read(fd, data, size));
}

ssize_t write(int fd, const void* data, size_t size) {
  if (!IsFake(fd, "write")) {
    return RunNative(fd, POLLOUT, [&] { return next::write(fd, data, size); });
  }
  return Returned<ssize_t>(Sys().Write(fd, data, size));
}

ssize_t readv(int fd, const iovec* buffers, int count) {
  const Kind kind = KindOf(fd, "readv");
  if (kind == Kind::kNative) {
    return RunNative(fd, POLLIN,
                     [&] { return next::readv(fd, buffers, count); });
  }
  if (!net::preload::IsSocket(kind)) {
    return Returned<ssize_t>(net::preload::ReadPiece(fd, buffers, count));
  }
  msghdr message = net::preload::MessageOf(buffers, static_cast<size_t>(count));
  return Returned<ssize_t>(Sys().RecvMsg(fd, &message, 0));
}

ssize_t writev(int fd, const iovec* buffers, int count) {
  const Kind kind = KindOf(fd, "writev");
  if (kind == Kind::kNative) {
    return RunNative(fd, POLLOUT,
                     [&] { return next::writev(fd, buffers, count); });
  }
  if (!net::preload::IsSocket(kind)) {
    return Returned<ssize_t>(net::preload::WritePiece(fd, buffers, count));
  }
  const msghdr message =
      net::preload::MessageOf(buffers, static_cast<size_t>(count));
  return Returned<ssize_t>(Sys().SendMsg(fd, &message, 0));
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
      net::preload::RecvFrom(fd, data, size, flags, addr, addr_size));
}

ssize_t sendto(int fd, const void* data, size_t size, int flags,
               const sockaddr* addr, socklen_t addr_size) {
  if (!IsFake(fd, "sendto")) {
    return RunNative(fd, POLLOUT, [&] {
      return next::sendto(fd, data, size, flags, addr, addr_size);
    });
  }
  return Returned<ssize_t>(
      net::preload::SendTo(fd, data, size, flags, addr, addr_size));
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if (!IsFake(fd, "recvmsg")) {
    return RunNative(fd, POLLIN,
                     [&] { return next::recvmsg(fd, message, flags); });
  }
  return Returned<ssize_t>(Sys().RecvMsg(fd, message, flags));
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (!IsFake(fd, "sendmsg")) {
    return RunNative(fd, POLLOUT,
                     [&] { return next::sendmsg(fd, message, flags); });
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
  return Returned(net::preload::RecvMessages(fd, messages, count, flags));
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (!IsFake(fd, "sendmmsg")) {
    return RunNative(fd, POLLOUT, [&] {
      return next::sendmmsg(fd, messages, count, flags);
    });
  }
  return Returned(net::preload::SendMessages(fd, messages, count, flags));
}

ssize_t sendfile(int out_fd, int in_fd, off_t* offset, size_t size) noexcept {
  if (IsFake(out_fd, "sendfile") && !IsFake(in_fd, "sendfile")) {
    return Returned<ssize_t>(
        net::preload::SendFile(out_fd, in_fd, offset, size));
  }
  // Linux cannot read a socket with sendfile(2), either: EINVAL.
  return next::sendfile(out_fd, in_fd, offset, size);
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
