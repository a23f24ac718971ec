#include "fakes/trap/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

// Newer than Debian 12's headers.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace net::trap {
namespace {

// x32's numbers have this bit. Kernels without x32, Debian's among them, answer
// ENOSYS.
constexpr uint32_t kX32Bit = 0x40000000;
// A tracer sets the number -1 for a call that is not to be made.
constexpr uint32_t kNoCall = 0xffffffff;

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

// Jumps over `then` instructions if the loaded word is `value`, else over
// `otherwise`.
sock_filter IfEqual(uint32_t value, uint8_t then, uint8_t otherwise) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise);
}

sock_filter Return(uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

// The low half of an argument: the kernel reads an int. (Both architectures are
// little-endian.)
size_t LowHalfOf(size_t argument) {
  return offsetof(seccomp_data, args) + argument * sizeof(uint64_t);
}

// Appends the check of socket(2). It must be the last one: it overwrites the
// loaded number.
void AppendSocketCheck(std::vector<sock_filter>& program) {
  constexpr uint32_t kTypeMask = 0xf;  // SOCK_TYPE_MASK of include/linux/net.h
  program.insert(
      program.end(),
      {IfEqual(SYS_socket, 0, 7),  //
       Load(LowHalfOf(0)),         //
       IfEqual(AF_INET, 1, 0),     //
       IfEqual(AF_INET6, 0, 4),    //
       Load(LowHalfOf(1)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kTypeMask),
       IfEqual(SOCK_STREAM, 0, 1), Return(SECCOMP_RET_USER_NOTIF)});
}

int Ioctl(int fd, uint64_t request, void* argument) {
  return ioctl(fd, request, argument) < 0 ? errno : 0;
}

// Sets `number` to the new descriptor's.
int AddDescriptor(int listener, seccomp_notif_addfd request, int& number) {
  const int result = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
  if (result < 0) return errno;
  number = result;
  return 0;
}

}  // namespace

std::vector<sock_filter> BuildFilter(absl::Span<const int> numbers) {
  std::vector<sock_filter> program = {
      Load(offsetof(seccomp_data, arch)),
      IfEqual(kArchitecture, 1, 0),
      Return(SECCOMP_RET_USER_NOTIF),
      Load(offsetof(seccomp_data, nr)),
      IfEqual(kNoCall, 0, 1),
      Return(SECCOMP_RET_ALLOW),
      IfEqual(SYS_io_uring_setup, 0, 1),
      Return(SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1),
      Return(SECCOMP_RET_ERRNO | ENOSYS),
  };
  const auto notify = [&](int number) {
    program.push_back(IfEqual(static_cast<uint32_t>(number), 0, 1));
    program.push_back(Return(SECCOMP_RET_USER_NOTIF));
  };
  notify(kCanaryNumber);
  bool has_socket = false;
  for (const int number : numbers) {
    if (number == SYS_socket) {
      has_socket = true;
    } else {
      notify(number);
    }
  }
  if (has_socket) AppendSocketCheck(program);
  program.push_back(Return(SECCOMP_RET_ALLOW));
  return program;
}

int InstallFilter(absl::Span<const sock_filter> program, bool wait_killable) {
  const sock_fprog filter = {
      .len = static_cast<uint16_t>(program.size()),
      .filter = const_cast<sock_filter*>(program.data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
  const uint64_t flags =
      SECCOMP_FILTER_FLAG_NEW_LISTENER |
      (wait_killable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0);
  const auto listener = static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
  return listener < 0 ? -errno : listener;
}

void Listener::UseSyncWakeUp() const {
  // Kernels before 6.6 fail with EINVAL, and are only slower.
  static_cast<void>(ioctl(fd(), SECCOMP_IOCTL_NOTIF_SET_FLAGS,
                          SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP));
}

int Listener::Receive(seccomp_notif& notification) const {
  notification = {};  // The kernel requires zeros.
  return Ioctl(fd(), SECCOMP_IOCTL_NOTIF_RECV, &notification);
}

int Listener::Reply(uint64_t id, int64_t value, int error) const {
  seccomp_notif_resp response = {.id = id,
                                 .val = error > 0 ? 0 : value,
                                 .error = error > 0 ? -error : 0,
                                 .flags = 0};
  return Ioctl(fd(), SECCOMP_IOCTL_NOTIF_SEND, &response);
}

int Listener::Continue(uint64_t id) const {
  seccomp_notif_resp response = {
      .id = id,
      .val = 0,
      .error = 0,
      .flags = static_cast<uint32_t>(SECCOMP_USER_NOTIF_FLAG_CONTINUE)};
  return Ioctl(fd(), SECCOMP_IOCTL_NOTIF_SEND, &response);
}

bool Listener::IsValid(uint64_t id) const {
  return Ioctl(fd(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int Listener::ReplyWithDescriptor(uint64_t id, int fd, uint32_t flags,
                                  int& number) const {
  return AddDescriptor(fd_.get(),
                       {.id = id,
                        .flags = SECCOMP_ADDFD_FLAG_SEND,
                        .srcfd = static_cast<uint32_t>(fd),
                        .newfd = 0,
                        .newfd_flags = flags},
                       number);
}

int Listener::ReplyWithDescriptorAt(uint64_t id, int fd, uint32_t flags,
                                    int number) const {
  return AddDescriptor(
      fd_.get(),
      {.id = id,
       .flags = SECCOMP_ADDFD_FLAG_SEND | SECCOMP_ADDFD_FLAG_SETFD,
       .srcfd = static_cast<uint32_t>(fd),
       .newfd = static_cast<uint32_t>(number),
       .newfd_flags = flags},
      number);
}

int Listener::ReplaceDescriptor(uint64_t id, int fd, uint32_t flags,
                                int number) const {
  return AddDescriptor(fd_.get(),
                       {.id = id,
                        .flags = SECCOMP_ADDFD_FLAG_SETFD,
                        .srcfd = static_cast<uint32_t>(fd),
                        .newfd = static_cast<uint32_t>(number),
                        .newfd_flags = flags},
                       number);
}

}  // namespace net::trap
