#ifndef SYSCALLS_SYSCALLS_H_
#define SYSCALLS_SYSCALLS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "syscalls/sys_result.h"
#include "syscalls/syscalls_fwd.h"  // IWYU pragma: export: DefaultSyscalls()

namespace net {

// The kernel as a TCP program sees it. Each virtual method is one system call,
// with the arguments, blocking behaviour and errors of its man page (section
// 2). All code of this project reaches the kernel through a Syscalls, so that a
// mock, a model or a kernel that fails on demand can replace it.
//
// A method returns the call's value or errno in a SysResult. Callers must not
// read the global `errno`: an implementation may or may not set it.
//
// Ownership: a Syscalls is passed by reference and must outlive everything that
// received it. There is no global instance to replace, because two tests in one
// process would race for it.
//
// Default: no method is pure. By default a method returns ENOSYS and writes
// nothing. An implementation therefore still compiles after a call is added,
// and a fake needs only the calls that it models.
//
// Thread-safety: any method may be called from any thread, concurrently with
// any other, as with the kernel. Implementations must allow it. The man pages
// define the effect of concurrent calls on one descriptor.
class Syscalls {
 public:
  Syscalls() = default;
  Syscalls(const Syscalls&) = delete;
  Syscalls& operator=(const Syscalls&) = delete;
  virtual ~Syscalls() = default;

  // Sockets: socket(2), bind(2), listen(2), accept(2), accept4(2), connect(2),
  // getsockname(2), getpeername(2), setsockopt(2), getsockopt(2), shutdown(2).
  // accept(2) is accept4(2) without flags: an accepted socket does not inherit
  // O_NONBLOCK, and stays open across execve(2).
  virtual SysResult Socket(int domain, int type, int protocol);
  virtual SysResult Bind(int fd, const sockaddr* addr, socklen_t len);
  virtual SysResult Listen(int fd, int backlog);
  virtual SysResult Accept(int fd, sockaddr* addr, socklen_t* len);
  virtual SysResult Accept4(int fd, sockaddr* addr, socklen_t* len, int flags);
  virtual SysResult Connect(int fd, const sockaddr* addr, socklen_t len);
  virtual SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len);
  virtual SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len);
  virtual SysResult SetSockOpt(int fd, int level, int name, const void* value,
                               socklen_t len);
  virtual SysResult GetSockOpt(int fd, int level, int name, void* value,
                               socklen_t* len);
  virtual SysResult Shutdown(int fd, int how);

  // Data: send(2), recv(2), sendto(2), recvfrom(2), sendmsg(2), recvmsg(2),
  // sendmmsg(2), recvmmsg(2), read(2), write(2), readv(2), writev(2),
  // sendfile(2), splice(2).
  //
  // - send(2) is sendto(2) with a null address. A connected TCP socket ignores
  //   the address, and TCP gives recvfrom(2) none: `*len` becomes 0.
  // - readv(2) and writev(2) are read(2) and write(2) with several buffers, for
  //   every kind of file; sendmsg(2) and recvmsg(2) need a socket.
  // - sendmmsg(2) and recvmmsg(2) return the number of messages, and fail only
  //   if the first message does. The timeout of recvmmsg(2) is checked after
  //   each message: it does not end a blocking receive.
  // - sendfile(2) needs an `in_fd` with positions, such as a regular file,
  //   unless `out_fd` is a pipe. splice(2) needs a pipe at one end. Both raise
  //   SIGPIPE like write(2).
  virtual SysResult Send(int fd, const void* data, size_t size, int flags);
  virtual SysResult Recv(int fd, void* data, size_t size, int flags);
  virtual SysResult SendTo(int fd, const void* data, size_t size, int flags,
                           const sockaddr* addr, socklen_t len);
  virtual SysResult RecvFrom(int fd, void* data, size_t size, int flags,
                             sockaddr* addr, socklen_t* len);
  virtual SysResult SendMsg(int fd, const msghdr* message, int flags);
  virtual SysResult RecvMsg(int fd, msghdr* message, int flags);
  virtual SysResult SendMMsg(int fd, mmsghdr* messages, unsigned int count,
                             int flags);
  virtual SysResult RecvMMsg(int fd, mmsghdr* messages, unsigned int count,
                             int flags, timespec* timeout);
  virtual SysResult Read(int fd, void* data, size_t size);
  virtual SysResult Write(int fd, const void* data, size_t size);
  virtual SysResult ReadV(int fd, const iovec* buffers, int count);
  virtual SysResult WriteV(int fd, const iovec* buffers, int count);
  virtual SysResult SendFile(int out_fd, int in_fd, off_t* offset, size_t size);
  virtual SysResult Splice(int in_fd, loff_t* in_offset, int out_fd,
                           loff_t* out_offset, size_t size, unsigned int flags);

  // Readiness: poll(2), ppoll(2), select(2), pselect(2), epoll_create1(2),
  // epoll_ctl(2), epoll_wait(2), epoll_pwait(2), epoll_pwait2(2). Timeouts are
  // as in the man pages: `timeout_ms` is in milliseconds, and -1 blocks without
  // a limit. A null `timeout` blocks without a limit, too. select(2) sets
  // `*timeout` to the time that is left. PSelect6() leaves its timeout alone,
  // as libc's pselect(2) does. (The table has the name of the kernel's call.)
  virtual SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms);
  virtual SysResult PPoll(pollfd* fds, nfds_t count, const timespec* timeout,
                          const sigset_t* signals);
  virtual SysResult Select(int count, fd_set* readable, fd_set* writable,
                           fd_set* exceptional, timeval* timeout);
  virtual SysResult PSelect6(int count, fd_set* readable, fd_set* writable,
                             fd_set* exceptional, const timespec* timeout,
                             const sigset_t* signals);
  virtual SysResult EpollCreate1(int flags);
  virtual SysResult EpollCtl(int epoll_fd, int operation, int fd,
                             epoll_event* event);
  virtual SysResult EpollWait(int epoll_fd, epoll_event* events, int max_events,
                              int timeout_ms);
  virtual SysResult EpollPWait(int epoll_fd, epoll_event* events,
                               int max_events, int timeout_ms,
                               const sigset_t* signals);
  virtual SysResult EpollPWait2(int epoll_fd, epoll_event* events,
                                int max_events, const timespec* timeout,
                                const sigset_t* signals);

  // Descriptors: close(2), fcntl(2), ioctl(2), dup(2), dup3(2), pipe2(2),
  // eventfd(2). The third argument of fcntl and ioctl is not variadic here. It
  // is the integer or pointer that the command takes; pass 0 if it takes none.
  virtual SysResult Close(int fd);
  virtual SysResult Fcntl(int fd, int command, intptr_t argument);
  virtual SysResult Ioctl(int fd, uint64_t request, intptr_t argument);
  virtual SysResult Dup(int fd);
  virtual SysResult Dup3(int old_fd, int new_fd, int flags);
  virtual SysResult Pipe2(int fds[2], int flags);
  virtual SysResult EventFd(unsigned int initial, int flags);

  // Time: clock_gettime(2), nanosleep(2), timerfd_create(2),
  // timerfd_settime(2), timerfd_gettime(2). A timerfd is readable from its
  // first expiration on; read(2) returns how often it has expired since, as a
  // uint64_t, and sets that number to 0.
  virtual SysResult ClockGetTime(clockid_t clock, timespec* time);
  virtual SysResult NanoSleep(const timespec* duration, timespec* remaining);
  virtual SysResult TimerFdCreate(clockid_t clock, int flags);
  virtual SysResult TimerFdSetTime(int fd, int flags, const itimerspec* value,
                                   itimerspec* old_value);
  virtual SysResult TimerFdGetTime(int fd, itimerspec* value);
};

}  // namespace net

#endif  // SYSCALLS_SYSCALLS_H_
