#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_DESCRIPTORS_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_DESCRIPTORS_H_

#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/suite/environment.h"

namespace net::conformance {

// The descriptors of this process. The functions throw HarnessError if they
// fail.

// Describes a descriptor for people: "socket 127.0.0.1:4711, listening".
std::string DescribeDescriptor(int fd);

// Returns the open descriptors in order of their numbers, with descriptions.
std::vector<Environment::Descriptor> ListOpenDescriptors();

// Returns the descriptors that are open in a program that this process forks
// and execs.
std::vector<Environment::Descriptor> ListDescriptorsAfterExec();

// Returns why that program cannot be started, or nullopt if it can.
std::optional<std::string> LacksExec();

// RLIMIT_NOFILE of this process, as Environment::LimitDescriptors() changes it.
class DescriptorLimit {
 public:
  DescriptorLimit();

  // Lets the process open exactly `free` more descriptors. For nullopt,
  // restores the original limit.
  void Leave(std::optional<int> free) const;
  // Returns ListOpenDescriptors(). Restores the original limit meanwhile,
  // because listing needs a free descriptor.
  std::vector<Environment::Descriptor> ListOpen() const;

 private:
  rlimit usual_ = {};
};

// Returns the RLIMIT_NOFILE with which a process can open exactly `free` more
// descriptors. `is_open` returns whether the process has a descriptor open. The
// kernel assigns the lowest free number below the limit.
rlim_t LimitThatLeaves(int free, absl::FunctionRef<bool(int fd)> is_open);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_DESCRIPTORS_H_
