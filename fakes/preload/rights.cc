#include "fakes/preload/rights.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/machine.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/world.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

constexpr size_t kMostRights = 253;  // SCM_MAX_FD of Linux.

// What a native pair carries with the descriptors of a message.
struct Parcel {
  uint64_t position = 0;  // Of the message's first byte in the stream.
  uint64_t size = 0;      // Of the message, in bytes.
  uint32_t count = 0;
  // Of each descriptor: its number in the Transit, or -1 if it is native.
  std::array<int32_t, kMostRights> held = {};
  std::array<Kind, kMostRights> kinds = {};
};

// Returns the descriptors of a message.
std::vector<int> RightsIn(const msghdr& message) {
  std::vector<int> fds;
  for (const cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr;
       one = CMSG_NXTHDR(const_cast<msghdr*>(&message),
                         const_cast<cmsghdr*>(one))) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(one) + i * sizeof(fd), sizeof(fd));
      fds.push_back(fd);
    }
  }
  return fds;
}

// The calls of the C library below are native in a KernelSection.

bool IsOpen(int fd) {
  const fake::KernelSection section;
  return fcntl(fd, F_GETFD) >= 0;
}

bool ClosesOnExec(int fd) {
  const fake::KernelSection section;
  const int flags = fcntl(fd, F_GETFD);
  return flags >= 0 && (static_cast<unsigned>(flags) & FD_CLOEXEC) != 0;
}

// Returns the inode of a socket; of another file, 0.
uint64_t InodeOf(int fd) {
  const fake::KernelSection section;
  struct stat status = {};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino
                                                             : 0;
}

int SendParcel(int fd, const Parcel& parcel, const std::vector<int>& rights) {
  std::array<char, CMSG_SPACE(sizeof(int) * kMostRights)> control = {};
  iovec part = {.iov_base = const_cast<Parcel*>(&parcel),
                .iov_len = sizeof(parcel)};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(sizeof(int) * rights.size());
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * rights.size());
  std::memcpy(CMSG_DATA(header), rights.data(), sizeof(int) * rights.size());
  const fake::KernelSection section;
  return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

// Returns whether there is one.
bool PeekParcel(int fd, Parcel& parcel) {
  const fake::KernelSection section;
  return recv(fd, &parcel, sizeof(parcel), MSG_PEEK | MSG_DONTWAIT) ==
         static_cast<ssize_t>(sizeof(parcel));
}

// Takes the next parcel, whose rights go into the control buffer of `message`.
// Sets its msg_controllen, and MSG_CTRUNC in its flags.
void TakeParcel(int fd, msghdr& message, int flags) {
  Parcel parcel;
  iovec part = {.iov_base = &parcel, .iov_len = sizeof(parcel)};
  msghdr taken = {};
  taken.msg_iov = &part;
  taken.msg_iovlen = 1;
  taken.msg_control = message.msg_control;
  taken.msg_controllen = message.msg_controllen;
  {
    const fake::KernelSection section;
    if (recvmsg(fd, &taken, MSG_DONTWAIT | (flags & MSG_CMSG_CLOEXEC)) < 0) {
      return;
    }
  }
  const std::vector<int> fds = RightsIn(taken);
  Transit& transit = *CurrentTransit();
  for (size_t i = 0; i < parcel.count; ++i) {
    if (parcel.held[i] < 0) continue;
    if (i >= fds.size()) {
      transit.Discard(parcel.held[i]);
      continue;
    }
    transit.Install(parcel.held[i], fds[i], ClosesOnExec(fds[i]));
    SetKind(fds[i], parcel.kinds[i]);
    if (parcel.kinds[i] == Kind::kEpoll) FindNativeMembers(fds[i]);
  }
  message.msg_controllen = taken.msg_controllen;
  message.msg_flags |= taken.msg_flags & (MSG_CTRUNC | MSG_CMSG_CLOEXEC);
}

// Takes a parcel whose message was read without recvmsg(2): Linux then closes
// the descriptors.
void DropParcel(int fd) {
  msghdr nothing = {};
  TakeParcel(fd, nothing, /*flags=*/0);
}

// The first `size` bytes of the buffers.
std::vector<iovec> FirstBytes(const msghdr& message, uint64_t size) {
  std::vector<iovec> parts(message.msg_iov,
                           message.msg_iov + message.msg_iovlen);
  for (iovec& part : parts) {
    part.iov_len = std::min<uint64_t>(part.iov_len, size);
    size -= part.iov_len;
  }
  return parts;
}

}  // namespace

int JoinPlaceholders(const int* pair) {
  const fake::KernelSection section;
  int natives[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, natives) != 0) {
    return errno;
  }
  for (int i = 0; i < 2; ++i) {
    const int flags = fcntl(pair[i], F_GETFD);
    const bool closes = (static_cast<unsigned>(flags) & FD_CLOEXEC) != 0;
    dup3(natives[i], pair[i], closes ? O_CLOEXEC : 0);
    close(natives[i]);
    SetKind(pair[i], Kind::kPair);
  }
  return 0;
}

bool HasRights(const msghdr& message) {
  for (const cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr;
       one = CMSG_NXTHDR(const_cast<msghdr*>(&message),
                         const_cast<cmsghdr*>(one))) {
    if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_RIGHTS) {
      return true;
    }
  }
  return false;
}

SysResult SendToPair(int fd, const msghdr& message, int flags) {
  const std::vector<int> rights = RightsIn(message);
  if (rights.size() > kMostRights) return SysResult::Error(EINVAL);
  for (const int right : rights) {
    if (!IsOpen(right) || IsInternal(right)) return SysResult::Error(EBADF);
  }
  Transit& transit = *CurrentTransit();
  Parcel parcel = {.position = transit.PositionOf(fd).written};
  msghdr data = message;
  data.msg_control = nullptr;
  data.msg_controllen = 0;
  const SysResult sent = Sys().SendMsg(fd, &data, flags);
  if (!sent.ok() || sent.value() == 0 || rights.empty()) return sent;
  parcel.size = static_cast<uint64_t>(sent.value());
  parcel.count = static_cast<uint32_t>(rights.size());
  for (size_t i = 0; i < rights.size(); ++i) {
    parcel.kinds[i] = KindOf(rights[i], "sendmsg");
    parcel.held[i] = parcel.kinds[i] == Kind::kNative
                         ? -1
                         : transit.Hold(rights[i], /*inode=*/0);
  }
  const int error = SendParcel(fd, parcel, rights);
  if (error == 0) return sent;
  for (size_t i = 0; i < rights.size(); ++i) {
    if (parcel.held[i] >= 0) transit.Discard(parcel.held[i]);
  }
  // If the peer has been closed, Linux drops the descriptors with the data.
  return error == EPIPE || error == ECONNRESET ? sent : SysResult::Error(error);
}

SysResult ReceiveFromPair(int fd, msghdr& message, int flags) {
  if ((flags & (MSG_PEEK | MSG_ERRQUEUE)) != 0) {
    return Sys().RecvMsg(fd, &message, flags);
  }
  // The descriptors are known when data has come. A recvmsg(2) ends with the
  // message whose descriptors it returns (unix_stream_read_generic() of Linux,
  // net/unix/af_unix.c).
  char byte = 0;
  const SysResult first =
      Sys().Recv(fd, &byte, 1, MSG_PEEK | (flags & MSG_DONTWAIT));
  if (!first.ok()) return first;
  Parcel parcel;
  uint64_t before = 0;  // Bytes before the parcel's message.
  uint64_t limit = 0;
  while (first.value() > 0 && limit == 0 && PeekParcel(fd, parcel)) {
    const uint64_t position = CurrentTransit()->PositionOf(fd).read;
    if (parcel.position < position) {
      DropParcel(fd);
      continue;
    }
    before = parcel.position - position;
    limit = before + parcel.size;
  }
  if (limit == 0) return Sys().RecvMsg(fd, &message, flags);
  std::vector<iovec> parts = FirstBytes(message, limit);
  msghdr data = message;
  data.msg_iov = parts.data();
  data.msg_control = nullptr;
  data.msg_controllen = 0;
  const SysResult received = Sys().RecvMsg(fd, &data, flags);
  if (!received.ok()) return received;
  message.msg_namelen = data.msg_namelen;
  message.msg_flags = data.msg_flags & ~MSG_CTRUNC;
  if (static_cast<uint64_t>(received.value()) > before) {
    TakeParcel(fd, message, flags);
  } else {
    message.msg_controllen = 0;
  }
  return received;
}

// --- Native sockets

RightsOnNative::RightsOnNative(const msghdr& message) {
  if (!IsInCharge() || CurrentTransit() == nullptr || !HasRights(message)) {
    return;
  }
  for (const int fd : RightsIn(message)) {
    if (!IsOwned(fd)) continue;
    // Other placeholders have no inode of their own.
    const uint64_t inode = InodeOf(fd);
    if (inode == 0) continue;
    held_.push_back(CurrentTransit()->Hold(fd, inode));
  }
}

void RightsOnNative::Discard() {
  const int error = errno;
  for (const int held : held_) CurrentTransit()->Discard(held);
  errno = error;
}

void InstallRights(const msghdr& message) {
  if (!IsInCharge() || CurrentTransit() == nullptr || !HasRights(message)) {
    return;
  }
  for (const int fd : RightsIn(message)) {
    const uint64_t inode = InodeOf(fd);
    const int held = inode == 0 ? -1 : CurrentTransit()->Find(inode);
    if (held < 0) continue;
    CurrentTransit()->Install(held, fd, ClosesOnExec(fd));
    SetKind(fd, KindOfSocket(fd));
  }
}

}  // namespace net::preload
