// The calls of a FakeProcess that move bytes: they check descriptors and copy
// addresses, message headers and arrays of buffers. The implementations are in
// kernel/.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <ctime>
#include <numeric>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/control_messages.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/socket.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using fake::Caller;
using fake::CopyIn;
using fake::FileRef;
using fake::RawAddress;

constexpr int kMostParts = 1024;                        // UIO_MAXIOV of Linux.
constexpr size_t kMostBytes = INT_MAX & ~size_t{4095};  // MAX_RW_COUNT

using Parts = absl::InlinedVector<iovec, 4>;

size_t TotalOf(const Parts& parts) {
  return std::accumulate(
      parts.begin(), parts.end(), size_t{0},
      [](size_t sum, const iovec& part) { return sum + part.iov_len; });
}

// Copies an array of buffers in, and cuts it to kMostBytes (import_iovec() of
// Linux's lib/iov_iter.c). Returns an errno, or 0 on success.
int CopyPartsIn(const iovec* user, size_t count, Parts& out) {
  out.resize(count);
  if (!CopyIn(out.data(), user, count * sizeof(iovec))) return EFAULT;
  for (const iovec& part : out) {
    if (static_cast<ssize_t>(part.iov_len) < 0) return EINVAL;
  }
  // Linux cuts a single buffer before it checks the address.
  if (count == 1) out[0].iov_len = std::min(out[0].iov_len, kMostBytes);
  size_t room = kMostBytes;
  for (iovec& part : out) {
    if (!fake::IsInUserSpace(part.iov_base, part.iov_len)) return EFAULT;
    part.iov_len = std::min(part.iov_len, room);
    room -= part.iov_len;
  }
  return 0;
}

// A message header and its buffers, copied in.
struct Message {
  msghdr header = {};
  Parts parts;
};

int CopyMessageIn(const msghdr* user, Message& out) {
  if (!CopyIn(&out.header, user, sizeof(out.header))) return EFAULT;
  if (out.header.msg_name != nullptr &&
      static_cast<int>(out.header.msg_namelen) < 0) {
    return EINVAL;
  }
  if (out.header.msg_iovlen > kMostParts) return EMSGSIZE;
  return CopyPartsIn(out.header.msg_iov, out.header.msg_iovlen, out.parts);
}

// Copies the buffers of readv(2) or writev(2) in and returns the result of
// `move`. Does not call it if the buffers are invalid or have no room.
SysResult WithBuffers(
    const iovec* buffers, int count,
    absl::FunctionRef<SysResult(absl::Span<const iovec>)> move) {
  if (count < 0 || count > kMostParts) return SysResult::Error(EINVAL);
  Parts parts;
  const int error = CopyPartsIn(buffers, static_cast<size_t>(count), parts);
  if (error != 0) return SysResult::Error(error);
  return TotalOf(parts) == 0 ? SysResult::Ok() : move(parts);
}

// Returns the buffer of read(2), send(2) and the like as an array.
iovec OnePart(const void* data, size_t size) {
  return {.iov_base = const_cast<void*>(data),
          .iov_len = std::min(size, kMostBytes)};
}

// Returns the result of a call that has moved `count` messages: their number,
// or else what the last one has returned. A deadlock is always reported.
SysResult CountOr(unsigned int count, SysResult last) {
  if (last.error() == EDEADLK) return last;
  return count > 0 || last.ok() ? SysResult::Ok(count) : last;
}

}  // namespace

// --- One buffer

SysResult FakeProcess::DoSend(int fd, const void* data, size_t size,
                              int flags) {
  return SendBytes(fd, data, size, flags, nullptr, 0, "send");
}

SysResult FakeProcess::DoSendTo(int fd, const void* data, size_t size,
                                int flags, const sockaddr* addr,
                                socklen_t len) {
  return SendBytes(fd, data, size, flags, addr, len, "sendto");
}

inline SysResult FakeProcess::SendBytes(int fd, const void* data, size_t size,
                                        int flags, const sockaddr* addr,
                                        socklen_t len, absl::string_view call) {
  const iovec part = OnePart(data, size);
  if (!fake::IsInUserSpace(data, part.iov_len)) {
    return SysResult::Error(EFAULT);
  }
  SysResult result;
  fake::Socket* const socket = descriptors_->GetSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller(call, fd);
  const FileRef ref(*socket, caller);
  const auto send = [&](const RawAddress* to) {
    const SysResult sent = socket->SendTo(caller, to, {&part, 1}, flags);
    if ((flags & MSG_EOR) != 0 && sent.ok()) NoteMessage(fd, flags, call);
    return sent;
  };
  if (addr == nullptr) return send(nullptr);
  RawAddress address;
  const int error = CopyAddressIn(addr, len, address);
  if (error != 0) return SysResult::Error(error);
  return send(&address);
}

SysResult FakeProcess::DoRecv(int fd, void* data, size_t size, int flags) {
  return ReceiveBytes(fd, data, size, flags, nullptr, nullptr, "recv");
}

SysResult FakeProcess::DoRecvFrom(int fd, void* data, size_t size, int flags,
                                  sockaddr* addr, socklen_t* len) {
  return ReceiveBytes(fd, data, size, flags, addr, len, "recvfrom");
}

inline SysResult FakeProcess::ReceiveBytes(int fd, void* data, size_t size,
                                           int flags, sockaddr* addr,
                                           socklen_t* len,
                                           absl::string_view call) {
  const iovec part = OnePart(data, size);
  if (!fake::IsInUserSpace(data, part.iov_len)) {
    return SysResult::Error(EFAULT);
  }
  SysResult result;
  fake::Socket* const socket = descriptors_->GetSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller(call, fd);
  const FileRef ref(*socket, caller);
  result = socket->Recv(caller, {&part, 1}, flags);
  if (!result.ok() || addr == nullptr) return result;
  // TCP returns no address. The bytes have been taken, even if this fails.
  const int error = CopyAddressOut(RawAddress(), addr, len);
  return error == 0 ? result : SysResult::Error(error);
}

SysResult FakeProcess::DoRead(int fd, void* data, size_t size) {
  SysResult result;
  fake::File* const file = FindReadable(fd, &result);
  if (file == nullptr) return result;
  if (!fake::IsInUserSpace(data, size)) return SysResult::Error(EFAULT);
  const Caller caller = MakeCaller("read", fd);
  const FileRef ref(*file, caller);
  const iovec part = OnePart(data, size);
  return file->Read(caller, {&part, 1});
}

SysResult FakeProcess::DoWrite(int fd, const void* data, size_t size) {
  SysResult result;
  fake::File* const file = FindWritable(fd, &result);
  if (file == nullptr) return result;
  if (!fake::IsInUserSpace(data, size)) return SysResult::Error(EFAULT);
  const Caller caller = MakeCaller("write", fd);
  const FileRef ref(*file, caller);
  const iovec part = OnePart(data, size);
  return file->Write(caller, {&part, 1});
}

fake::File* FakeProcess::FindReadable(int fd, SysResult* error) const {
  fake::File* const file = descriptors_->Get(fd);
  const bool is_open = file != nullptr && file->access_mode() != O_WRONLY;
  if (is_open && file->has_read()) return file;
  *error = SysResult::Error(is_open ? EINVAL : EBADF);
  return nullptr;
}

fake::File* FakeProcess::FindWritable(int fd, SysResult* error) const {
  fake::File* const file = descriptors_->Get(fd);
  const bool is_open = file != nullptr && file->access_mode() != O_RDONLY;
  if (is_open && file->has_write()) return file;
  *error = SysResult::Error(is_open ? EINVAL : EBADF);
  return nullptr;
}

// --- Several buffers

SysResult FakeProcess::DoReadV(int fd, const iovec* buffers, int count) {
  SysResult result;
  fake::File* const file = FindReadable(fd, &result);
  if (file == nullptr) return result;
  return WithBuffers(buffers, count, [&](absl::Span<const iovec> parts) {
    const Caller caller = MakeCaller("readv", fd);
    const FileRef ref(*file, caller);
    return file->Read(caller, parts);
  });
}

SysResult FakeProcess::DoWriteV(int fd, const iovec* buffers, int count) {
  SysResult result;
  fake::File* const file = FindWritable(fd, &result);
  if (file == nullptr) return result;
  return WithBuffers(buffers, count, [&](absl::Span<const iovec> parts) {
    const Caller caller = MakeCaller("writev", fd);
    const FileRef ref(*file, caller);
    return file->Write(caller, parts);
  });
}

// --- Messages

SysResult FakeProcess::DoSendMsg(int fd, const msghdr* message, int flags) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  size_t size = 0;
  return SendMessage(*socket, MakeCaller("sendmsg", fd), message, flags, &size);
}

SysResult FakeProcess::SendMessage(fake::Socket& socket, const Caller& caller,
                                   const msghdr* message, int flags,
                                   size_t* size) {
  Message copy;
  const int error = CopyMessageIn(message, copy);
  if (error != 0) return SysResult::Error(error);
  *size = TotalOf(copy.parts);
  RawAddress address;
  const RawAddress* name = nullptr;
  if (copy.header.msg_name != nullptr) {
    const auto most = static_cast<socklen_t>(sizeof(address.storage));
    const int bad =
        CopyAddressIn(static_cast<const sockaddr*>(copy.header.msg_name),
                      std::min(copy.header.msg_namelen, most), address);
    if (bad != 0) return SysResult::Error(bad);
    name = &address;
  }
  fake::ControlMessages control;
  if (const int bad = control.CopyFrom(copy.header); bad != 0) {
    return SysResult::Error(bad);
  }
  const FileRef ref(socket, caller);
  const int refused = control.Check(caller.net_admin);
  if (refused != 0) {
    // Linux reads them when the connection is established.
    const SysResult ready = socket.SendTo(caller, name, {}, flags);
    return ready.ok() ? SysResult::Error(refused) : ready;
  }
  const SysResult result = socket.SendTo(caller, name, copy.parts, flags);
  if (has_strict_options() && result.ok()) {
    NoteMessage(caller.site.fd, flags, "sendmsg");
    NoteControl(caller.site.fd, control);
  }
  return result;
}

SysResult FakeProcess::DoRecvMsg(int fd, msghdr* message, int flags) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  return ReceiveMessage(*socket, MakeCaller("recvmsg", fd), message, flags);
}

SysResult FakeProcess::ReceiveMessage(fake::Socket& socket,
                                      const Caller& caller, msghdr* message,
                                      int flags) {
  Message copy;
  const int error = CopyMessageIn(message, copy);
  if (error != 0) return SysResult::Error(error);
  const FileRef ref(socket, caller);
  fake::ControlWriter control(copy.header.msg_control,
                              copy.header.msg_controllen);
  const SysResult result = socket.RecvMsg(caller, copy.parts, flags, control);
  if (!result.ok()) return result;
  // TCP returns no address.
  if (copy.header.msg_name != nullptr) message->msg_namelen = 0;
  message->msg_controllen = control.used();
  message->msg_flags = (flags & MSG_CMSG_CLOEXEC) | control.flags();
  return result;
}

// --- Several messages

// __sys_sendmmsg() of Linux (net/socket.c): an error after the first message is
// lost, and a message that was sent in part is the last.
SysResult FakeProcess::DoSendMMsg(int fd, mmsghdr* messages, unsigned int count,
                                  int flags) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller("sendmmsg", fd);
  const FileRef ref(*socket, caller);
  count = std::min(count, unsigned{kMostParts});
  unsigned int done = 0;
  result = SysResult::Ok();
  while (done < count) {
    size_t size = 0;
    result =
        SendMessage(*socket, caller, &messages[done].msg_hdr, flags, &size);
    if (!result.ok()) break;
    const auto sent = static_cast<unsigned int>(result.value());
    messages[done++].msg_len = sent;
    if (sent < size) break;
  }
  return CountOr(done, result);
}

// do_recvmmsg() of Linux (net/socket.c): the socket keeps an error after the
// first message for the next call.
SysResult FakeProcess::DoRecvMMsg(int fd, mmsghdr* messages, unsigned int count,
                                  int flags, timespec* timeout) {
  fake::Nanoseconds end = fake::kForever;
  if (timeout != nullptr) {
    timespec copy = {};
    if (!CopyIn(&copy, timeout, sizeof(copy))) return SysResult::Error(EFAULT);
    if (!fake::IsValidTime(copy)) return SysResult::Error(EINVAL);
    end = kernel_.clock.After(fake::ToNanoseconds(copy));
  }
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller("recvmmsg", fd);
  const FileRef ref(*socket, caller);
  if ((flags & MSG_ERRQUEUE) == 0) {
    if (const int error = socket->TakeError(); error != 0) {
      return SysResult::Error(error);
    }
  }
  unsigned int done = 0;
  result = SysResult::Ok();
  while (done < count) {
    result = ReceiveMessage(*socket, caller, &messages[done].msg_hdr,
                            flags & ~MSG_WAITFORONE);
    if (!result.ok()) {
      const int error = result.error();
      const bool is_kept = error != EAGAIN && error != EINTR;
      if (done > 0 && is_kept) socket->KeepError(error);
      break;
    }
    messages[done++].msg_len = static_cast<unsigned int>(result.value());
    if ((flags & MSG_WAITFORONE) != 0) flags |= MSG_DONTWAIT;
    if (timeout == nullptr) continue;
    const fake::Nanoseconds left =
        std::max<fake::Nanoseconds>(end - kernel_.clock.now(), 0);
    *timeout = fake::ToTimespec(left);
    if (left == 0) break;
  }
  return CountOr(done, result);
}

}  // namespace net
