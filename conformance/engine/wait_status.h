#ifndef CONFORMANCE_ENGINE_WAIT_STATUS_H_
#define CONFORMANCE_ENGINE_WAIT_STATUS_H_

#include <string>

namespace net::conformance {

// Describes how a process ended: "killed by SIGSEGV (Segmentation fault)",
// "exited with status 3". `status` is that of waitpid(2).
std::string DescribeWaitStatus(int status);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_WAIT_STATUS_H_
