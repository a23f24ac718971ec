#ifndef CONFORMANCE_SUITE_ENVIRONMENT_H_
#define CONFORMANCE_SUITE_ENVIRONMENT_H_

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/need.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls_fwd.h"

namespace net {
class Faults;  // fakes/faults/faults.h
}

namespace net::conformance {

// Identifies an open descriptor. The number alone does not: other processes use
// the same numbers, and a number is reused after a close.
struct DescriptorId {
  pid_t process = 0;   // 0: the case's own process
  int fd = -1;         // its number in that process
  uint64_t inode = 0;  // the socket's (fstat(2)); 0: not a socket, or unknown

  friend bool operator==(const DescriptorId& a,
                         const DescriptorId& b) = default;
  friend bool operator<(const DescriptorId& a, const DescriptorId& b) {
    return std::tie(a.process, a.fd, a.inode) <
           std::tie(b.process, b.fd, b.inode);
  }
};

// A thread that takes part in a case. The destructor joins it.
class Task {
 public:
  virtual ~Task() = default;

  // Waits until the body has returned.
  virtual void Join() = 0;

  // Waits until the body has returned, or is blocked in a system call on a
  // socket that is not ready. Returns true if it is blocked. Fails and ends the
  // case if the body sleeps in another call for some seconds.
  virtual bool AwaitBlocked() = 0;

  // Interrupts the task's system call by a signal. The signal's handler does
  // nothing and does not restart system calls. Waits until the handler has run
  // or the body has returned. A task that is not in a system call is only
  // delayed. Needs Need::kInterrupt.
  virtual void Interrupt() = 0;
};

// A process that a case has forked. The destructor calls Kill().
class ChildProcess {
 public:
  virtual ~ChildProcess() = default;

  // Waits until the body has returned, or is blocked in a system call on a
  // socket that is not ready. Returns true if it is blocked.
  virtual bool AwaitBlocked() = 0;

  // Waits until the body has returned, and the process has exited.
  virtual void Join() = 0;

  // Ends the process, also if its call is blocked (SIGKILL). Waits until the
  // process has exited and its descriptors are closed.
  virtual void Kill() = 0;
};

// The environment of a case: the kernel that peers and witnesses use, and every
// change that a case may make to it. Cases reach their surroundings only
// through this class and its Syscalls, so they run on any kernel. Each case has
// an environment of its own and does not have to undo its changes.
//
// An operation that fails ends the case with the outcome `harness-error`.
// Operations that are not possible everywhere have a Need.
//
// Thread-safety: syscalls() and OpenDescriptors() may be called from any
// thread, the others only from the case's first thread.
class Environment {
 public:
  struct Descriptor {
    DescriptorId id;
    std::string what;  // for people: "TCP socket 127.0.0.1:4711, listening"
    // Its number in the case's own process, which a witness uses; nullopt if it
    // is not open there.
    std::optional<int> own_fd = std::nullopt;

    friend bool operator==(const Descriptor& a, const Descriptor& b) {
      return a.id == b.id;
    }
  };

  virtual ~Environment() = default;

  // The kernel as the case's process sees it.
  virtual Syscalls& syscalls() = 0;

  // Returns why `need` (a single bit) cannot be met here, or nullopt if it can.
  virtual std::optional<std::string> Lacks(Need need) = 0;

  // Runs `body` in a new thread.
  virtual std::unique_ptr<Task> Start(std::function<void()> body) = 0;

  // Returns the open descriptors of the case's processes: the ledger. Of a
  // process that is older than the case, returns only the descriptors that it
  // has opened since it joined the case.
  virtual std::vector<Descriptor> OpenDescriptors() = 0;

  // Forks, executes another program, and returns the descriptors that are open
  // in that program. Needs Need::kExec.
  virtual std::vector<Descriptor> DescriptorsAfterExec() = 0;

  // Forks a process (fork(2)) that runs `body` with its own Syscalls and then
  // exits. It has copies of all descriptors of the case's process. The body
  // must not assert, and nothing that it writes is seen here. Must not be
  // called while a Task runs. Needs Need::kFork.
  virtual std::unique_ptr<ChildProcess> Fork(
      std::function<void(Syscalls&)> body) = 0;

  // Lets the process open only `free` more descriptors than are open now
  // (RLIMIT_NOFILE). Restores the original limit if `free` is nullopt.
  virtual void LimitDescriptors(std::optional<int> free) = 0;

  // Removes CAP_NET_BIND_SERVICE (capabilities(7)) from the process: the right
  // to bind to ports below net.ipv4.ip_unprivileged_port_start.
  virtual void DropPrivilegedPorts() = 0;

  // Runs `body` with another effective user. Needs Need::kOtherUser.
  virtual void AsOtherUser(absl::FunctionRef<void()> body) = 0;

  // Sets a sysctl of the network, such as "net.ipv4.tcp_syn_retries". Needs
  // Need::kOwnNetwork. If this version of Linux does not have it, the outcome
  // of the case is `precondition`.
  virtual void SetSysctl(absl::string_view name, absl::string_view value) = 0;

  // Sets the loopback interface up or down. While it is down, ::1 is not local,
  // and packets to 127.0.0.1 are lost. Needs Need::kOwnNetwork.
  virtual void SetLoopbackUp(bool up) = 0;

  // Adds a route that makes connect(2) to `addr` fail with `error`:
  // EHOSTUNREACH (an `unreachable` route), EACCES (`prohibit`) or EINVAL
  // (`blackhole`). Needs Need::kOwnNetwork.
  virtual void AddFailingRoute(const ip::Addr& addr, int error) = 0;

  // Returns the object that injects faults into the process of the
  // implementation. Returns null if the implementation runs in the case's
  // process, or if no faults can be injected.
  virtual Faults* faults() { return nullptr; }
};

// Prints "5 (TCP socket 127.0.0.1:4711, listening)".
inline std::ostream& operator<<(std::ostream& os,
                                const Environment::Descriptor& descriptor) {
  return os << descriptor.id.fd << " (" << descriptor.what << ")";
}

// Returns whether `descriptors` contains the descriptor `fd` of the case's own
// process.
inline bool HasOwnFd(const std::vector<Environment::Descriptor>& descriptors,
                     int fd) {
  return std::any_of(descriptors.begin(), descriptors.end(),
                     [fd](const auto& one) { return one.own_fd == fd; });
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_ENVIRONMENT_H_
