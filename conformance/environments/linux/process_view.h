#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_PROCESS_VIEW_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_PROCESS_VIEW_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/environments/linux/blocked_call.h"
#include "conformance/suite/environment.h"

namespace net::conformance {

// Returns true if `fd` of this process is a TCP socket over IPv4 or IPv6.
bool IsTcpSocket(int fd);

// Inspects another process through /proc (proc(5)), pidfd_getfd(2) and
// prlimit(2). Requires permission to trace it (ptrace(2)): root has it, and so
// has the parent process. Owns a pidfd.
//
// Thread-safe. Methods throw SubjectError if the process has ended, and
// HarnessError if a system call fails that must not fail.
class ProcessView {
 public:
  explicit ProcessView(pid_t pid);
  ProcessView(const ProcessView&) = delete;
  ProcessView& operator=(const ProcessView&) = delete;
  ~ProcessView();

  pid_t pid() const { return pid_; }

  // Returns the id of the process's descriptor with this number.
  DescriptorId Identify(int fd) const;

  // Returns the process's open sockets, of any kind.
  std::vector<DescriptorId> Sockets() const;

  // Returns the process's open TCP sockets, with descriptions. Omits other
  // descriptors, because they belong to the runtime of its language: to the
  // event loop, to libraries.
  std::vector<Environment::Descriptor> TcpSockets() const;

  // Returns a descriptor of this process for the same open file, with the same
  // close-on-exec flag, for a witness. The caller owns it. Returns nullopt if
  // the descriptor is no longer open, or access is denied.
  std::optional<int> Duplicate(const DescriptorId& id) const;

  // Returns the file of a descriptor as /proc names it: "socket:[4711]",
  // "/dev/null". Returns "" if the descriptor is not open, and nullopt if
  // access is denied.
  std::optional<std::string> LinkOfDescriptor(int fd) const;

  // Returns the signals for which the process has a handler, one bit each.
  // Signal 1 is the lowest bit.
  uint64_t CaughtSignals() const;

  // Returns the descriptors without FD_CLOEXEC, which exec leaves open.
  std::vector<DescriptorId> SurvivorsOfExec() const;

  // See Environment::LimitDescriptors().
  void LimitDescriptors(std::optional<int> free) const;

  // Reads the system calls that its threads sleep in.
  const BlockedCallReader& calls() const { return calls_; }

  // Sends `signal` to all threads, which interrupts their system calls, and
  // waits until each thread that does not block it has handled it. Throws
  // SubjectError if a thread does not.
  void Interrupt(int signal) const;

  // Describes the threads' states and the open TCP sockets, for people.
  std::string Snapshot() const;

 private:
  std::string Folder() const;  // of its descriptors
  // Returns the numbers in a folder of /proc/PID: "fd", "task".
  std::vector<int> List(const char* folder) const;
  std::vector<pid_t> Threads() const { return List("task"); }
  bool HasEnded() const;
  [[noreturn]] void ThrowEnded() const;
  // Throws if a system call on the process has failed.
  void CheckResult(int64_t result, const char* operation) const;

  const pid_t pid_;
  const int pidfd_;
  const BlockedCallReader calls_;
  uint64_t limit_ = 0;  // the original RLIMIT_NOFILE
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_PROCESS_VIEW_H_
