#ifndef FAKES_TRACING_SYSCALLS_H_
#define FAKES_TRACING_SYSCALLS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// A Syscalls in front of another that hands a line for each call to a sink, in
// the manner of strace(1):
//
//   TracingSyscalls traced(kernel, [](absl::string_view line) {
//     std::cerr << line << "\n";
//   }, "server");
//
//   server: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3
//   server: connect(3, {AF_INET, 127.0.0.1:80}, 16) = -1 EINPROGRESS
//   server: poll([{3, POLLOUT}], 1, -1) = 1 [{3, POLLOUT}]
//   server: recv(3, "GET / HTTP/1.1\r\n", 4096, 0) = 16
//
// A line is written when the call has ended, so calls that wait are told late.
// What a call fills in is told where it did; ? stands for what is not known.
// There is no address in a line and nothing else that changes from run to run,
// so a program that makes the same calls on a kernel that gives the same
// answers has the same trace, byte by byte.
//
// The calls themselves, their arguments and answers are not touched. Pointers
// that are null or outside of user space are not read, nor are any where the
// kernel answered EFAULT; one that dangles otherwise crashes the program.
//
// The target outlives it. Thread-safety: as of Syscalls. The sink is called by
// the thread that made the call, by one thread at a time whichever
// TracingSyscalls it belongs to, so that several can have one trace. It must
// not make calls through one.
class TracingSyscalls final : public Syscalls {
 public:
  using Sink = std::function<void(absl::string_view line)>;

  // `name` says whose calls these are, in front of each line; empty: nothing.
  TracingSyscalls(Syscalls& target, Sink sink, absl::string_view name = "")
      : target_(target), sink_(std::move(sink)), name_(name) {}

  SysResult Socket(int domain, int type, int protocol) override;
  SysResult Bind(int fd, const sockaddr* addr, socklen_t len) override;
  SysResult Listen(int fd, int backlog) override;
  SysResult Accept4(int fd, sockaddr* addr, socklen_t* len, int flags) override;
  SysResult Connect(int fd, const sockaddr* addr, socklen_t len) override;
  SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len) override;
  SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len) override;
  SysResult SetSockOpt(int fd, int level, int name, const void* value,
                       socklen_t len) override;
  SysResult GetSockOpt(int fd, int level, int name, void* value,
                       socklen_t* len) override;
  SysResult Shutdown(int fd, int how) override;

  SysResult Send(int fd, const void* data, size_t size, int flags) override;
  SysResult Recv(int fd, void* data, size_t size, int flags) override;
  SysResult SendMsg(int fd, const msghdr* message, int flags) override;
  SysResult RecvMsg(int fd, msghdr* message, int flags) override;
  SysResult Read(int fd, void* data, size_t size) override;
  SysResult Write(int fd, const void* data, size_t size) override;

  SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms) override;
  SysResult PPoll(pollfd* fds, nfds_t count, const timespec* timeout,
                  const sigset_t* signals) override;
  SysResult EpollCreate1(int flags) override;
  SysResult EpollCtl(int epoll_fd, int operation, int fd,
                     epoll_event* event) override;
  SysResult EpollWait(int epoll_fd, epoll_event* events, int max_events,
                      int timeout_ms) override;

  SysResult Close(int fd) override;
  SysResult Fcntl(int fd, int command, intptr_t argument) override;
  SysResult Ioctl(int fd, uint64_t request, intptr_t argument) override;
  SysResult Dup(int fd) override;
  SysResult Dup3(int old_fd, int new_fd, int flags) override;
  SysResult Pipe2(int fds[2], int flags) override;
  SysResult EventFd(unsigned int initial, int flags) override;

  SysResult ClockGetTime(clockid_t clock, timespec* time) override;
  SysResult NanoSleep(const timespec* duration, timespec* remaining) override;

 private:
  // Hands the line of a call to the sink, and returns its answer. `more` stands
  // behind the answer.
  template <typename... Arguments>
  SysResult Told(SysResult result, absl::string_view more,
                 absl::string_view call, const Arguments&... arguments) const;

  SysResult ToldName(SysResult result, absl::string_view call, int fd,
                     const sockaddr* addr, const socklen_t* len,
                     socklen_t room) const;
  SysResult ToldPoll(SysResult result, absl::string_view call,
                     const pollfd* fds, nfds_t count,
                     absl::string_view arguments) const;

  Syscalls& target_;
  const Sink sink_;
  const std::string name_;
};

}  // namespace net

#endif  // FAKES_TRACING_SYSCALLS_H_
