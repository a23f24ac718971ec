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

namespace net::conformance {

// What a case may need of the environment beyond sockets on 127.0.0.1. A case
// whose need cannot be met is not run: its outcome is `precondition`.
enum class Need : uint32_t {
  kNone = 0,
  // IPv6 on the loopback interface. Every case on the axis v6 needs it.
  kIpv6 = 1U << 0,
  // A network of its own: for cases that name a port, set a sysctl, take the
  // interface down or add a route.
  kOwnNetwork = 1U << 1,
  // A second effective user.
  kOtherUser = 1U << 2,
  // Programs can be started.
  kExec = 1U << 3,
  // Task::Interrupt() reaches the implementation.
  kInterrupt = 1U << 4,
};
constexpr Need operator|(Need a, Need b) {
  return static_cast<Need>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}
constexpr bool Includes(Need needs, Need need) {
  return (static_cast<uint32_t>(needs) & static_cast<uint32_t>(need)) != 0;
}

// Identifies an open descriptor. The same number in another process is another
// descriptor, and so is the same number of another socket: numbers are handed
// out again after a close.
struct DescriptorId {
  pid_t process = 0;   // 0: the case's own
  int fd = -1;         // in that process
  uint64_t inode = 0;  // of the socket (fstat(2)); 0 if it is none, or unknown

  friend bool operator==(const DescriptorId& a,
                         const DescriptorId& b) = default;
  friend bool operator<(const DescriptorId& a, const DescriptorId& b) {
    return std::tie(a.process, a.fd, a.inode) <
           std::tie(b.process, b.fd, b.inode);
  }
};

// A thread that takes part in a case. Destroying it joins it.
class Task {
 public:
  virtual ~Task() = default;

  // Waits until the body has returned.
  virtual void Join() = 0;

  // Waits until the body is blocked in a system call of a socket that is not
  // ready, or has returned. True if it is blocked. A body that sleeps in
  // another call for some seconds fails the case, which ends.
  virtual bool AwaitBlocked() = 0;

  // Interrupts what the task waits for by a signal whose handler does nothing
  // and which does not restart system calls, and waits until the handler has
  // run or the body has returned. A task that is not in a system call just
  // loses some time. (Need::kInterrupt)
  virtual void Interrupt() = 0;
};

// The world that a case runs in: the kernel that peers and witnesses talk to,
// and everything that a case may do to it. Cases touch the world through this
// class and the Syscalls it gives, and through nothing else: that is what lets
// them run on any kernel. Each case has a world of its own, so nothing needs to
// be put back.
//
// The operations below succeed or end the case as a harness error: what may
// fail by nature is a Need.
//
// Thread-safety: Syscalls and OpenDescriptors() from any thread; the rest
// belongs to the case's first thread.
class Environment {
 public:
  struct Descriptor {
    DescriptorId id;
    std::string what;  // for people: "TCP socket 127.0.0.1:4711, listening"
    // The number by which the case's own process has it, and a witness looks at
    // it; nullopt if that process does not have it.
    std::optional<int> own_fd = std::nullopt;

    friend bool operator==(const Descriptor& a, const Descriptor& b) {
      return a.id == b.id;
    }
  };

  virtual ~Environment() = default;

  // The kernel as the case's process sees it.
  virtual Syscalls& syscalls() = 0;

  // Why a need (a single bit) cannot be met here; nullopt if it can.
  virtual std::optional<std::string> Lacks(Need need) = 0;

  // Runs `body` in a thread.
  virtual std::unique_ptr<Task> Start(std::function<void()> body) = 0;

  // The open descriptors of the case's processes: the ledger. Of a process that
  // joined the case after its start, those that it has opened since: before
  // that the case had no part in them.
  virtual std::vector<Descriptor> OpenDescriptors() = 0;

  // Forks, execs another program, and returns the descriptors that are open in
  // that program. (Need::kExec)
  virtual std::vector<Descriptor> DescriptorsAfterExec() = 0;

  // Lets the process open `free` more descriptors than it has open now, and no
  // more (RLIMIT_NOFILE); or as many as before, for nullopt.
  virtual void LimitDescriptors(std::optional<int> free) = 0;

  // Takes the right to bind to ports below net.ipv4.ip_unprivileged_port_start
  // (CAP_NET_BIND_SERVICE, capabilities(7)) from the process.
  virtual void DropPrivilegedPorts() = 0;

  // Runs `body` with another effective user. (Need::kOtherUser)
  virtual void AsOtherUser(absl::FunctionRef<void()> body) = 0;

  // Sets a sysctl of the network, "net.ipv4.tcp_syn_retries".
  // (Need::kOwnNetwork)
  virtual void SetSysctl(absl::string_view name, absl::string_view value) = 0;

  // Takes the loopback interface down: ::1 is gone, and what is sent to
  // 127.0.0.1 is lost. (Need::kOwnNetwork)
  virtual void TakeLoopbackDown() = 0;

  // Adds a route that makes connect(2) to `addr` fail with `error`:
  // EHOSTUNREACH (an `unreachable` route), EACCES (`prohibit`) or EINVAL
  // (`blackhole`). (Need::kOwnNetwork)
  virtual void AddFailingRoute(const ip::Addr& addr, int error) = 0;
};

// "5 (TCP socket 127.0.0.1:4711, listening)".
inline std::ostream& operator<<(std::ostream& os,
                                const Environment::Descriptor& descriptor) {
  return os << descriptor.id.fd << " (" << descriptor.what << ")";
}

// True if one of the descriptors is the one that the case's own process has by
// the number `fd`.
inline bool HasOwnFd(const std::vector<Environment::Descriptor>& descriptors,
                     int fd) {
  return std::any_of(descriptors.begin(), descriptors.end(),
                     [fd](const auto& one) { return one.own_fd == fd; });
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_ENVIRONMENT_H_
