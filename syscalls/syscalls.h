#ifndef SYSCALLS_SYSCALLS_H_
#define SYSCALLS_SYSCALLS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "syscalls/sys_result.h"

namespace net {

// The kernel as a TCP program sees it: one virtual for each system call, with
// the arguments and the meaning of its man page (section 2). Everything in
// this project reaches the kernel through a Syscalls, so that the kernel can
// be replaced: by a mock, by a model, by a kernel that fails on demand.
//
// A call returns the kernel's own answer, a value or an errno, in a SysResult.
// The global `errno` is never part of it, though an implementation over libc
// may disturb it.
//
// A Syscalls is passed explicitly, by reference, and outlives everything that
// was given it. There is no global one to swap: two tests in one process would
// race for it.
//
// No method is pure. The default of each answers ENOSYS and touches nothing,
// so that an implementation written today outlives a call added tomorrow, and
// a fake need only have the calls that it means.
//
// Thread-safety: as of the kernel. Every method may be called from any thread,
// concurrently with every other, and implementations must allow that; what
// calls on one descriptor do to each other is the kernel's affair.
class Syscalls {
 public:
  Syscalls() = default;
  Syscalls(const Syscalls&) = delete;
  Syscalls& operator=(const Syscalls&) = delete;
  virtual ~Syscalls() = default;

  // Sockets: socket(2), bind(2), listen(2), accept4(2), connect(2),
  // getsockname(2), getpeername(2), setsockopt(2), getsockopt(2), shutdown(2).
  virtual SysResult Socket(int domain, int type, int protocol);
  virtual SysResult Bind(int fd, const sockaddr* addr, socklen_t len);
  virtual SysResult Listen(int fd, int backlog);
  virtual SysResult Accept4(int fd, sockaddr* addr, socklen_t* len, int flags);
  virtual SysResult Connect(int fd, const sockaddr* addr, socklen_t len);
  virtual SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len);
  virtual SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len);
  virtual SysResult SetSockOpt(int fd, int level, int name, const void* value,
                               socklen_t len);
  virtual SysResult GetSockOpt(int fd, int level, int name, void* value,
                               socklen_t* len);
  virtual SysResult Shutdown(int fd, int how);

  // Data: send(2), recv(2), sendmsg(2), recvmsg(2), read(2), write(2).
  virtual SysResult Send(int fd, const void* data, size_t size, int flags);
  virtual SysResult Recv(int fd, void* data, size_t size, int flags);
  virtual SysResult SendMsg(int fd, const msghdr* message, int flags);
  virtual SysResult RecvMsg(int fd, msghdr* message, int flags);
  virtual SysResult Read(int fd, void* data, size_t size);
  virtual SysResult Write(int fd, const void* data, size_t size);

  // Readiness: poll(2), ppoll(2), epoll_create1(2), epoll_ctl(2),
  // epoll_wait(2). Timeouts are as there: milliseconds, -1 for none.
  virtual SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms);
  virtual SysResult PPoll(pollfd* fds, nfds_t count, const timespec* timeout,
                          const sigset_t* signals);
  virtual SysResult EpollCreate1(int flags);
  virtual SysResult EpollCtl(int epoll_fd, int operation, int fd,
                             epoll_event* event);
  virtual SysResult EpollWait(int epoll_fd, epoll_event* events, int max_events,
                              int timeout_ms);

  // Descriptors: close(2), fcntl(2), ioctl(2), dup(2), dup3(2), pipe2(2),
  // eventfd(2). The third argument of fcntl and ioctl is fixed here: an
  // integer or a pointer as the command wants it; pass 0 where it wants none.
  virtual SysResult Close(int fd);
  virtual SysResult Fcntl(int fd, int command, intptr_t argument);
  virtual SysResult Ioctl(int fd, uint64_t request, intptr_t argument);
  virtual SysResult Dup(int fd);
  virtual SysResult Dup3(int old_fd, int new_fd, int flags);
  virtual SysResult Pipe2(int fds[2], int flags);
  virtual SysResult EventFd(unsigned int initial, int flags);

  // Time: clock_gettime(2), nanosleep(2).
  virtual SysResult ClockGetTime(clockid_t clock, timespec* time);
  virtual SysResult NanoSleep(const timespec* duration, timespec* remaining);
};

// The kernel this process runs on (a LinuxSyscalls). Never destroyed; needs no
// initialisation, so it may be used from constructors of global objects, too.
Syscalls& DefaultSyscalls();

}  // namespace net

#endif  // SYSCALLS_SYSCALLS_H_
