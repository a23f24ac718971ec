#ifndef CONFORMANCE_ENGINE_WAIT_STATUS_H_
#define CONFORMANCE_ENGINE_WAIT_STATUS_H_

#include <string>

namespace net::conformance {

// What became of a process, in words: "killed by SIGSEGV (Segmentation fault)",
// "exited with status 3". `status` is waitpid(2)'s.
std::string DescribeWaitStatus(int status);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_WAIT_STATUS_H_
