#include "syscalls/sandbox/forbidden_calls.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/status/status.h"
#include "syscalls/errors/error.h"

namespace net::sandbox {
namespace {

// Makes system call `number` fail with EPERM where (argument & mask) == value.
absl::Status Forbid(uint32_t number, uint32_t argument, uint32_t mask,
                    uint32_t value) {
  const auto offset = static_cast<uint32_t>(offsetof(seccomp_data, args) +
                                            argument * sizeof(uint64_t));
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter = {.len = std::size(program), .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return ErrnoError(errno, "PR_SET_NO_NEW_PRIVS");
  }
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    return ErrnoError(errno, "PR_SET_SECCOMP");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ForbidInterfaceFlags() {
  return Forbid(SYS_ioctl, 1, ~0U, SIOCSIFFLAGS);
}

absl::Status ForbidWriting() {
  return Forbid(SYS_openat, 2, O_ACCMODE, O_WRONLY);
}

}  // namespace net::sandbox
