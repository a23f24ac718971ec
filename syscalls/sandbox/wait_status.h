#ifndef SYSCALLS_SANDBOX_WAIT_STATUS_H_
#define SYSCALLS_SANDBOX_WAIT_STATUS_H_

#include <string>

namespace net::sandbox {

// Returns how a process ended, in words: "killed by SIGSEGV (Segmentation
// fault)", "exited with status 3". `status` is waitpid(2)'s.
std::string DescribeWaitStatus(int status);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_WAIT_STATUS_H_
