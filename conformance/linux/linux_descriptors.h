#ifndef CONFORMANCE_LINUX_LINUX_DESCRIPTORS_H_
#define CONFORMANCE_LINUX_LINUX_DESCRIPTORS_H_

#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "conformance/environment.h"

namespace net::conformance {

// The descriptors of this process. All throw HarnessError where they fail.

// The open ones, by number, with what they are.
std::vector<Environment::Descriptor> ListOpenDescriptors();

// Those that are open in a program that this process forks and execs.
std::vector<int> ListDescriptorsAfterExec();

// Why that program cannot be started; nullopt if it can.
std::optional<std::string> LacksExec();

// The RLIMIT_NOFILE with which just `free` more descriptors can be opened. (The
// kernel hands out the lowest free number, below the limit.)
rlim_t LimitThatLeaves(int free);

}  // namespace net::conformance

#endif  // CONFORMANCE_LINUX_LINUX_DESCRIPTORS_H_
