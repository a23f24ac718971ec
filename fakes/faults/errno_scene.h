#ifndef FAKES_FAULTS_ERRNO_SCENE_H_
#define FAKES_FAULTS_ERRNO_SCENE_H_

#include <sys/syscall.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/loopback/loopback.h"
#include "fakes/faults/errno_probes.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// Sockets and observations for the probes.

namespace net {

inline Syscalls& Linux() { return DefaultSyscalls(); }

loopback::RawSocket NewTcp(int type_flags = 0);
loopback::RawSocket NewUdp();
loopback::RawSocket NewBound(bool reuse_addr = false);  // To 127.0.0.1.
loopback::Listener NewListener();
loopback::Listener NewNonblockingListener();
loopback::Pair NewPair();
// The read end of a pipe, as a descriptor that is no socket.
loopback::RawSocket NewPipeEnd();

// A non-blocking socket whose connect(2) was refused. Its error is pending.
loopback::RawSocket NewRefused();
// A non-blocking socket whose connect(2) gave up after `queue` dropped its
// SYNs. Takes about 3 seconds.
loopback::RawSocket NewTimedOut(const loopback::FullQueue& queue);
// A pair whose client has received the server's reset.
loopback::RawSocket NewReset();

SysResult CallBind(const loopback::RawSocket& socket,
                   const ip::Endpoint& local);
SysResult CallConnect(const loopback::RawSocket& socket,
                      const ip::Endpoint& remote);
// Waits until poll(2) reports an event.
void AwaitEvent(const loopback::RawSocket& socket, int16_t events);

// Returns a pointer to memory that no program has.
template <typename T>
T* BadPointer() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is the purpose
  return reinterpret_cast<T*>(uintptr_t{8});
}

// Makes a call while RLIMIT_NOFILE has that value.
SysResult WithDescriptorLimit(int limit, absl::FunctionRef<SysResult()> call);

// Makes a call with a limit at which no further descriptor can be opened.
SysResult WithoutDescriptors(absl::FunctionRef<SysResult()> call);

// The numbers of the calls that libc makes for poll(2) and epoll_wait(2). Newer
// architectures have only the other forms.
#if defined(SYS_poll)
inline constexpr int64_t kPollNumber = SYS_poll;
inline constexpr int64_t kEpollWaitNumber = SYS_epoll_wait;
#else
inline constexpr int64_t kPollNumber = SYS_ppoll;
inline constexpr int64_t kEpollWaitNumber = SYS_epoll_pwait;
#endif

// Makes a call that blocks in the system call `number` (SYS_accept4), and
// interrupts it by a signal without SA_RESTART. A call that returns without
// blocking is not interrupted.
SysResult Interrupted(int64_t number, absl::FunctionRef<SysResult()> call);

// Observes sockets around a call. The observation has the open descriptors and,
// of each socket: its TCP state, local and remote endpoint, the number of
// queued connections of a listener, the number of bytes to read, and whether
// its directions are shut down.
class Watch {
 public:
  explicit Watch(std::vector<const loopback::RawSocket*> sockets)
      : sockets_(std::move(sockets)) {}

  // Includes whether an error is pending, which a failing call usually
  // reports and so clears.
  Watch& WithPendingError() {
    pending_error_ = true;
    return *this;
  }
  // Leaves out the local endpoint: a failing connect(2) keeps the port that it
  // was given.
  Watch& WithoutLocal() {
    local_ = false;
    return *this;
  }
  // Includes the interest list of an epoll (/proc/self/fdinfo).
  Watch& WithEpoll(int fd) {
    epoll_ = fd;
    return *this;
  }
  // Includes an option's value.
  Watch& WithOption(int level, int name) {
    option_ = {level, name};
    return *this;
  }

  Provoked Of(absl::FunctionRef<SysResult()> call) const;

 private:
  std::string Observe() const;

  const std::vector<const loopback::RawSocket*> sockets_;
  bool pending_error_ = false;
  bool local_ = true;
  int epoll_ = -1;
  std::optional<std::pair<int, int>> option_;
};

}  // namespace net

#endif  // FAKES_FAULTS_ERRNO_SCENE_H_
