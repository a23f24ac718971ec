#ifndef CONFORMANCE_KERNEL_CASES_FILE_COMMANDS_H_
#define CONFORMANCE_KERNEL_CASES_FILE_COMMANDS_H_

#include <sys/types.h>

#include <cstdint>

#include "conformance/loopback/loopback.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// fcntl(2) and ioctl(2) of a file.

namespace net::conformance {

// An ID that no process has: the maximum of pid_max is 2^22.
inline constexpr pid_t kNobody = 1 << 23;

inline SysResult Fcntl(const loopback::RawSocket& file, int command,
                       intptr_t argument = 0) {
  return file.syscalls().Fcntl(file.fd(), command, argument);
}
// With a pointer to `argument`.
template <typename T>
SysResult FcntlAt(const loopback::RawSocket& file, int command, T& argument) {
  return Fcntl(file, command, reinterpret_cast<intptr_t>(&argument));
}
template <typename T>
SysResult IoctlAt(const loopback::RawSocket& file, uint64_t request,
                  T& argument) {
  return file.syscalls().Ioctl(file.fd(), request,
                               reinterpret_cast<intptr_t>(&argument));
}

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_FILE_COMMANDS_H_
