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

// `fd` is a descriptor of this process for a socket of TCP over IPv4 or IPv6.
bool IsTcpSocket(int fd);

// Another process, seen from outside: through /proc (proc(5)), pidfd_getfd(2)
// and prlimit(2). Needs the right to trace it (ptrace(2)): to be root, or to
// have started it. Owns a pidfd.
//
// Thread-safe. What must not fail throws HarnessError, or SubjectError where
// the process has ended.
class ProcessView {
 public:
  explicit ProcessView(pid_t pid);
  ProcessView(const ProcessView&) = delete;
  ProcessView& operator=(const ProcessView&) = delete;
  ~ProcessView();

  pid_t pid() const { return pid_; }

  // The descriptor that the process has by this number.
  DescriptorId Identify(int fd) const;

  // The process's open sockets, of any kind.
  std::vector<DescriptorId> Sockets() const;

  // Its open sockets of TCP, with what they are. (The other descriptors are the
  // language's own: its event loop, its libraries.)
  std::vector<Environment::Descriptor> TcpSockets() const;

  // A descriptor of this process for the same open file, with the same
  // close-on-exec flag, for a witness. The caller closes it. Nullopt if that
  // descriptor is not open (any more), or must not be looked at.
  std::optional<int> Duplicate(const DescriptorId& id) const;

  // The file of a descriptor, as /proc names it: "socket:[4711]", "/dev/null";
  // "" if it is not open. Nullopt if it must not be looked at.
  std::optional<std::string> LinkOfDescriptor(int fd) const;

  // The signals for which the process has a handler, a bit each: signal 1 is
  // the lowest bit.
  uint64_t CaughtSignals() const;

  // The descriptors without FD_CLOEXEC: those that exec leaves open.
  std::vector<DescriptorId> SurvivorsOfExec() const;

  // See Environment::LimitDescriptors().
  void LimitDescriptors(std::optional<int> free) const;

  // The system calls that its threads sleep in.
  const BlockedCallReader& calls() const { return calls_; }

  // Interrupts the system calls of all threads by `signal`, and waits until
  // each that does not block it has taken it. Throws SubjectError if one does
  // not.
  void Interrupt(int signal) const;

  // What each thread does, for people.
  std::string Snapshot() const;

 private:
  std::string Folder() const;  // of its descriptors
  // The numbers in a folder of /proc/PID: "fd", "task".
  std::vector<int> List(const char* folder) const;
  std::vector<pid_t> Threads() const { return List("task"); }
  bool HasEnded() const;
  [[noreturn]] void ThrowEnded() const;
  // Throws if a system call about the process has failed.
  void CheckAnswer(int64_t answer, const char* operation) const;

  const pid_t pid_;
  const int pidfd_;
  const BlockedCallReader calls_;
  uint64_t limit_ = 0;  // RLIMIT_NOFILE as it was
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_PROCESS_VIEW_H_
