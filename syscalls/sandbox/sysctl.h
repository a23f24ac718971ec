#ifndef SYSCALLS_SANDBOX_SYSCTL_H_
#define SYSCALLS_SANDBOX_SYSCTL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The settings of the kernel below /proc/sys (sysctl(8)). Most settings of
// net.ipv4 and net.ipv6 belong to the process's network namespace, so tests
// change them only after EnterOwnNetwork().

namespace net::sandbox {

// Returns the value of "net.ipv4.tcp_syn_retries", without its newline.
absl::StatusOr<std::string> ReadSysctl(absl::string_view name);

absl::Status WriteSysctl(absl::string_view name, absl::string_view value);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_SYSCTL_H_
