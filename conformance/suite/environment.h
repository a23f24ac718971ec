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
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net {
class Faults;  // fakes/faults/faults.h
}

namespace net::conformance {

// The conditions that a case may need beyond sockets on 127.0.0.1. If the
// environment cannot meet a need, the case does not run, and its outcome is
// `precondition`.
enum class Need : uint32_t {
  kNone = 0,
  // IPv6 on the loopback interface. Every case on v6 needs it.
  kIpv6 = 1U << 0,
  // A network of its own, for cases that use a fixed port, set a sysctl, take
  // the interface down or add a route.
  kOwnNetwork = 1U << 1,
  // A second effective user.
  kOtherUser = 1U << 2,
  // The case can execute another program.
  kExec = 1U << 3,
  // Task::Interrupt() reaches the implementation.
  kInterrupt = 1U << 4,
  // Calls of the implementation with an option list (option_lists.h). If the
  // implementation cannot make them, the outcome is `unsupported`.
  kOptionLists = 1U << 5,
  // Faults can be injected into the system calls of the implementation:
  // Context::InjectFaults(). Such a case sends no signal, because a signal can
  // end a trapped call that has not run (fakes/trap).
  kFaults = 1U << 6,
  // In addition to kFaults: faults can be injected into close(2), too.
  kFaultsOfClose = 1U << 7,
};
constexpr Need operator|(Need a, Need b) {
  return static_cast<Need>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}
constexpr bool Includes(Need needs, Need need) {
  return (static_cast<uint32_t>(needs) & static_cast<uint32_t>(need)) != 0;
}

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
