#ifndef SYSCALLS_LINUX_SYSCALLS_H_
#define SYSCALLS_LINUX_SYSCALLS_H_

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

#include "syscalls/complete_syscalls.h"
#include "syscalls/sys_result.h"

namespace net {

// The kernel of this process, through libc's wrappers. Each method makes one
// system call and does nothing else. The class has no state: all instances are
// equivalent, and DefaultSyscalls() is one of them.
//
// Thread-safety: see Syscalls. A call that fails leaves the global `errno` as
// libc sets it.
class LinuxSyscalls final : public CompleteSyscalls {
 public:
  constexpr LinuxSyscalls() = default;

  SysResult Socket(int domain, int type, int protocol) override;
  SysResult Bind(int fd, const sockaddr* addr, socklen_t len) override;
  SysResult Listen(int fd, int backlog) override;
  SysResult Accept(int fd, sockaddr* addr, socklen_t* len) override;
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
  SysResult SendTo(int fd, const void* data, size_t size, int flags,
                   const sockaddr* addr, socklen_t len) override;
  SysResult RecvFrom(int fd, void* data, size_t size, int flags, sockaddr* addr,
                     socklen_t* len) override;
  SysResult SendMsg(int fd, const msghdr* message, int flags) override;
  SysResult RecvMsg(int fd, msghdr* message, int flags) override;
  SysResult SendMMsg(int fd, mmsghdr* messages, unsigned int count,
                     int flags) override;
  SysResult RecvMMsg(int fd, mmsghdr* messages, unsigned int count, int flags,
                     timespec* timeout) override;
  SysResult Read(int fd, void* data, size_t size) override;
  SysResult Write(int fd, const void* data, size_t size) override;
  SysResult ReadV(int fd, const iovec* buffers, int count) override;
  SysResult WriteV(int fd, const iovec* buffers, int count) override;
  SysResult SendFile(int out_fd, int in_fd, off_t* offset,
                     size_t size) override;
  SysResult Splice(int in_fd, loff_t* in_offset, int out_fd, loff_t* out_offset,
                   size_t size, unsigned int flags) override;

  SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms) override;
  SysResult PPoll(pollfd* fds, nfds_t count, const timespec* timeout,
                  const sigset_t* signals) override;
  SysResult Select(int count, fd_set* readable, fd_set* writable,
                   fd_set* exceptional, timeval* timeout) override;
  SysResult PSelect6(int count, fd_set* readable, fd_set* writable,
                     fd_set* exceptional, const timespec* timeout,
                     const sigset_t* signals) override;
  SysResult EpollCreate1(int flags) override;
  SysResult EpollCtl(int epoll_fd, int operation, int fd,
                     epoll_event* event) override;
  SysResult EpollWait(int epoll_fd, epoll_event* events, int max_events,
                      int timeout_ms) override;
  SysResult EpollPWait(int epoll_fd, epoll_event* events, int max_events,
                       int timeout_ms, const sigset_t* signals) override;
  SysResult EpollPWait2(int epoll_fd, epoll_event* events, int max_events,
                        const timespec* timeout,
                        const sigset_t* signals) override;

  SysResult Close(int fd) override;
  SysResult Fcntl(int fd, int command, intptr_t argument) override;
  SysResult Ioctl(int fd, uint64_t request, intptr_t argument) override;
  SysResult Dup(int fd) override;
  SysResult Dup3(int old_fd, int new_fd, int flags) override;
  SysResult Pipe2(int fds[2], int flags) override;
  SysResult EventFd(unsigned int initial, int flags) override;

  SysResult ClockGetTime(clockid_t clock, timespec* time) override;
  SysResult NanoSleep(const timespec* duration, timespec* remaining) override;
  SysResult TimerFdCreate(clockid_t clock, int flags) override;
  SysResult TimerFdSetTime(int fd, int flags, const itimerspec* value,
                           itimerspec* old_value) override;
  SysResult TimerFdGetTime(int fd, itimerspec* value) override;
};

}  // namespace net

#endif  // SYSCALLS_LINUX_SYSCALLS_H_
