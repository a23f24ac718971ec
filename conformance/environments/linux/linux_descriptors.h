#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_DESCRIPTORS_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_DESCRIPTORS_H_

#include <sys/resource.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/suite/environment.h"

namespace net::conformance {

// The descriptors of this process. All throw HarnessError where they fail.

// The numbers in a folder of descriptors: "/proc/self/fd", "/proc/4711/fd".
std::vector<int> ListDescriptors(const std::string& folder);

// The inode of the socket that is open by the number `fd` in such a folder; 0
// if that is no socket.
uint64_t SocketInode(const std::string& folder, int fd);

// What a descriptor is, for people: "socket 127.0.0.1:4711, listening".
std::string DescribeDescriptor(int fd);

// The open ones, by number, with what they are.
std::vector<Environment::Descriptor> ListOpenDescriptors();

// Those that are open in a program that this process forks and execs.
std::vector<Environment::Descriptor> ListDescriptorsAfterExec();

// Why that program cannot be started; nullopt if it can.
std::optional<std::string> LacksExec();

// The RLIMIT_NOFILE with which just `free` more descriptors can be opened, by
// who has those open of which `is_open` says so. (The kernel hands out the
// lowest free number, below the limit.)
rlim_t LimitThatLeaves(int free, absl::FunctionRef<bool(int fd)> is_open);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_DESCRIPTORS_H_
