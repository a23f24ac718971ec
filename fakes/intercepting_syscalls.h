#ifndef FAKES_INTERCEPTING_SYSCALLS_H_
#define FAKES_INTERCEPTING_SYSCALLS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "absl/functional/function_ref.h"
#include "fakes/call.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// What an interceptor is told of a call before it is made.
struct Invocation {
  Call call = Call::kSocket;
  // The descriptor that the call is about, its first argument: epoll_ctl's is
  // the epoll's, dup3's the old one. -1 where the first argument is none.
  int fd = -1;
  // The value of a success is a new descriptor: socket, accept4, dup, dup3,
  // epoll_create1, eventfd, and fcntl with F_DUPFD or F_DUPFD_CLOEXEC.
  bool makes_descriptor = false;
  // pipe2's array, which holds two new descriptors after a success; null for
  // every other call.
  const int* pipe_descriptors = nullptr;
};

// A Syscalls in front of another, all of whose calls go through one method:
// the base of those that count, fail, record or delay calls whatever they are.
// A subclass overrides Intercept(), and sees the whole surface.
//
//   class CallCounter final : public InterceptingSyscalls {
//    public:
//     using InterceptingSyscalls::InterceptingSyscalls;
//     int calls() const { return calls_; }
//
//    protected:
//     SysResult Intercept(const Invocation&,
//                         absl::FunctionRef<SysResult()> make) override {
//       ++calls_;
//       return make();
//     }
//
//    private:
//     std::atomic<int> calls_ = 0;
//   };
//
// The target outlives it. Thread-safety: as of Syscalls; Intercept() is called
// in the thread of the caller, concurrently, and must not hold a lock while it
// makes a call that may block.
class InterceptingSyscalls : public Syscalls {
 public:
  explicit InterceptingSyscalls(Syscalls& target) : target_(target) {}

  SysResult Socket(int domain, int type, int protocol) final;
  SysResult Bind(int fd, const sockaddr* addr, socklen_t len) final;
  SysResult Listen(int fd, int backlog) final;
  SysResult Accept4(int fd, sockaddr* addr, socklen_t* len, int flags) final;
  SysResult Connect(int fd, const sockaddr* addr, socklen_t len) final;
  SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len) final;
  SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len) final;
  SysResult SetSockOpt(int fd, int level, int name, const void* value,
                       socklen_t len) final;
  SysResult GetSockOpt(int fd, int level, int name, void* value,
                       socklen_t* len) final;
  SysResult Shutdown(int fd, int how) final;

  SysResult Send(int fd, const void* data, size_t size, int flags) final;
  SysResult Recv(int fd, void* data, size_t size, int flags) final;
  SysResult SendMsg(int fd, const msghdr* message, int flags) final;
  SysResult RecvMsg(int fd, msghdr* message, int flags) final;
  SysResult Read(int fd, void* data, size_t size) final;
  SysResult Write(int fd, const void* data, size_t size) final;

  SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms) final;
  SysResult PPoll(pollfd* fds, nfds_t count, const timespec* timeout,
                  const sigset_t* signals) final;
  SysResult EpollCreate1(int flags) final;
  SysResult EpollCtl(int epoll_fd, int operation, int fd,
                     epoll_event* event) final;
  SysResult EpollWait(int epoll_fd, epoll_event* events, int max_events,
                      int timeout_ms) final;

  SysResult Close(int fd) final;
  SysResult Fcntl(int fd, int command, intptr_t argument) final;
  SysResult Ioctl(int fd, uint64_t request, intptr_t argument) final;
  SysResult Dup(int fd) final;
  SysResult Dup3(int old_fd, int new_fd, int flags) final;
  SysResult Pipe2(int fds[2], int flags) final;
  SysResult EventFd(unsigned int initial, int flags) final;

  SysResult ClockGetTime(clockid_t clock, timespec* time) final;
  SysResult NanoSleep(const timespec* duration, timespec* remaining) final;

 protected:
  // Answers a call. make() makes it on the target, with the caller's
  // arguments, and may be called any number of times, or not at all.
  virtual SysResult Intercept(const Invocation& invocation,
                              absl::FunctionRef<SysResult()> make) = 0;

  Syscalls& target() const { return target_; }

 private:
  Syscalls& target_;
};

}  // namespace net

#endif  // FAKES_INTERCEPTING_SYSCALLS_H_
