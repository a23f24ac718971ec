#include "syscalls/linux_syscalls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <type_traits>

#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {

#define NET_SYSCALL(method, name, result, ...)                       \
  static_assert(std::is_same_v<decltype(&LinuxSyscalls::method),     \
                               SysResult (LinuxSyscalls::*)(         \
                                   NET_SYSCALL_TYPES(__VA_ARGS__))>, \
                "LinuxSyscalls::" #method " differs from syscall_table.inc");
#include "syscalls/syscall_table.inc"

namespace {

SysResult FromLibc(int64_t answer) {
  return answer < 0 ? SysResult::Error(errno) : SysResult::Ok(answer);
}

// Holds the process's kernel and never destroys it.
union DefaultStorage {
  constexpr DefaultStorage() : kernel() {}
  DefaultStorage(const DefaultStorage&) = delete;
  DefaultStorage& operator=(const DefaultStorage&) = delete;
  // A defaulted destructor would be deleted, because a union does not destroy
  // its members.
  ~DefaultStorage() {}  // NOLINT(modernize-use-equals-default)
  LinuxSyscalls kernel;
};

constinit DefaultStorage default_storage;

}  // namespace

Syscalls& DefaultSyscalls() { return default_storage.kernel; }

SysResult LinuxSyscalls::Socket(int domain, int type, int protocol) {
  return FromLibc(::socket(domain, type, protocol));
}

SysResult LinuxSyscalls::Bind(int fd, const sockaddr* addr, socklen_t len) {
  return FromLibc(::bind(fd, addr, len));
}

SysResult LinuxSyscalls::Listen(int fd, int backlog) {
  return FromLibc(::listen(fd, backlog));
}

SysResult LinuxSyscalls::Accept(int fd, sockaddr* addr, socklen_t* len) {
  return FromLibc(::accept(fd, addr, len));
}

SysResult LinuxSyscalls::Accept4(int fd, sockaddr* addr, socklen_t* len,
                                 int flags) {
  return FromLibc(::accept4(fd, addr, len, flags));
}

SysResult LinuxSyscalls::Connect(int fd, const sockaddr* addr, socklen_t len) {
  return FromLibc(::connect(fd, addr, len));
}

SysResult LinuxSyscalls::GetSockName(int fd, sockaddr* addr, socklen_t* len) {
  return FromLibc(::getsockname(fd, addr, len));
}

SysResult LinuxSyscalls::GetPeerName(int fd, sockaddr* addr, socklen_t* len) {
  return FromLibc(::getpeername(fd, addr, len));
}

SysResult LinuxSyscalls::SetSockOpt(int fd, int level, int name,
                                    const void* value, socklen_t len) {
  return FromLibc(::setsockopt(fd, level, name, value, len));
}

SysResult LinuxSyscalls::GetSockOpt(int fd, int level, int name, void* value,
                                    socklen_t* len) {
  return FromLibc(::getsockopt(fd, level, name, value, len));
}

SysResult LinuxSyscalls::Shutdown(int fd, int how) {
  return FromLibc(::shutdown(fd, how));
}

SysResult LinuxSyscalls::Send(int fd, const void* data, size_t size,
                              int flags) {
  return FromLibc(::send(fd, data, size, flags));
}

SysResult LinuxSyscalls::Recv(int fd, void* data, size_t size, int flags) {
  return FromLibc(::recv(fd, data, size, flags));
}

SysResult LinuxSyscalls::SendTo(int fd, const void* data, size_t size,
                                int flags, const sockaddr* addr,
                                socklen_t len) {
  return FromLibc(::sendto(fd, data, size, flags, addr, len));
}

SysResult LinuxSyscalls::RecvFrom(int fd, void* data, size_t size, int flags,
                                  sockaddr* addr, socklen_t* len) {
  return FromLibc(::recvfrom(fd, data, size, flags, addr, len));
}

SysResult LinuxSyscalls::SendMsg(int fd, const msghdr* message, int flags) {
  return FromLibc(::sendmsg(fd, message, flags));
}

SysResult LinuxSyscalls::RecvMsg(int fd, msghdr* message, int flags) {
  return FromLibc(::recvmsg(fd, message, flags));
}

SysResult LinuxSyscalls::SendMMsg(int fd, mmsghdr* messages, unsigned int count,
                                  int flags) {
  return FromLibc(::sendmmsg(fd, messages, count, flags));
}

SysResult LinuxSyscalls::RecvMMsg(int fd, mmsghdr* messages, unsigned int count,
                                  int flags, timespec* timeout) {
  return FromLibc(::recvmmsg(fd, messages, count, flags, timeout));
}

SysResult LinuxSyscalls::Read(int fd, void* data, size_t size) {
  return FromLibc(::read(fd, data, size));
}

SysResult LinuxSyscalls::Write(int fd, const void* data, size_t size) {
  return FromLibc(::write(fd, data, size));
}

SysResult LinuxSyscalls::ReadV(int fd, const iovec* buffers, int count) {
  return FromLibc(::readv(fd, buffers, count));
}

SysResult LinuxSyscalls::WriteV(int fd, const iovec* buffers, int count) {
  return FromLibc(::writev(fd, buffers, count));
}

SysResult LinuxSyscalls::SendFile(int out_fd, int in_fd, off_t* offset,
                                  size_t size) {
  return FromLibc(::sendfile(out_fd, in_fd, offset, size));
}

SysResult LinuxSyscalls::Splice(int in_fd, loff_t* in_offset, int out_fd,
                                loff_t* out_offset, size_t size,
                                unsigned int flags) {
  return FromLibc(::splice(in_fd, in_offset, out_fd, out_offset, size, flags));
}

SysResult LinuxSyscalls::Poll(pollfd* fds, nfds_t count, int timeout_ms) {
  return FromLibc(::poll(fds, count, timeout_ms));
}

SysResult LinuxSyscalls::PPoll(pollfd* fds, nfds_t count,
                               const timespec* timeout,
                               const sigset_t* signals) {
  return FromLibc(::ppoll(fds, count, timeout, signals));
}

SysResult LinuxSyscalls::Select(int count, fd_set* readable, fd_set* writable,
                                fd_set* exceptional, timeval* timeout) {
  return FromLibc(::select(count, readable, writable, exceptional, timeout));
}

SysResult LinuxSyscalls::PSelect6(int count, fd_set* readable, fd_set* writable,
                                  fd_set* exceptional, const timespec* timeout,
                                  const sigset_t* signals) {
  return FromLibc(
      ::pselect(count, readable, writable, exceptional, timeout, signals));
}

SysResult LinuxSyscalls::EpollCreate1(int flags) {
  return FromLibc(::epoll_create1(flags));
}

SysResult LinuxSyscalls::EpollCtl(int epoll_fd, int operation, int fd,
                                  epoll_event* event) {
  return FromLibc(::epoll_ctl(epoll_fd, operation, fd, event));
}

SysResult LinuxSyscalls::EpollWait(int epoll_fd, epoll_event* events,
                                   int max_events, int timeout_ms) {
  return FromLibc(::epoll_wait(epoll_fd, events, max_events, timeout_ms));
}

SysResult LinuxSyscalls::EpollPWait(int epoll_fd, epoll_event* events,
                                    int max_events, int timeout_ms,
                                    const sigset_t* signals) {
  return FromLibc(
      ::epoll_pwait(epoll_fd, events, max_events, timeout_ms, signals));
}

SysResult LinuxSyscalls::EpollPWait2(int epoll_fd, epoll_event* events,
                                     int max_events, const timespec* timeout,
                                     const sigset_t* signals) {
  return FromLibc(
      ::epoll_pwait2(epoll_fd, events, max_events, timeout, signals));
}

SysResult LinuxSyscalls::Close(int fd) { return FromLibc(::close(fd)); }

SysResult LinuxSyscalls::Fcntl(int fd, int command, intptr_t argument) {
  return FromLibc(::fcntl(fd, command, argument));
}

SysResult LinuxSyscalls::Ioctl(int fd, uint64_t request, intptr_t argument) {
  return FromLibc(::ioctl(fd, request, argument));
}

SysResult LinuxSyscalls::Dup(int fd) { return FromLibc(::dup(fd)); }

SysResult LinuxSyscalls::Dup3(int old_fd, int new_fd, int flags) {
  return FromLibc(::dup3(old_fd, new_fd, flags));
}

SysResult LinuxSyscalls::Pipe2(int fds[2], int flags) {
  return FromLibc(::pipe2(fds, flags));
}

SysResult LinuxSyscalls::EventFd(unsigned int initial, int flags) {
  return FromLibc(::eventfd(initial, flags));
}

SysResult LinuxSyscalls::ClockGetTime(clockid_t clock, timespec* time) {
  return FromLibc(::clock_gettime(clock, time));
}

SysResult LinuxSyscalls::NanoSleep(const timespec* duration,
                                   timespec* remaining) {
  return FromLibc(::nanosleep(duration, remaining));
}

SysResult LinuxSyscalls::TimerFdCreate(clockid_t clock, int flags) {
  return FromLibc(::timerfd_create(clock, flags));
}

SysResult LinuxSyscalls::TimerFdSetTime(int fd, int flags,
                                        const itimerspec* value,
                                        itimerspec* old_value) {
  return FromLibc(::timerfd_settime(fd, flags, value, old_value));
}

SysResult LinuxSyscalls::TimerFdGetTime(int fd, itimerspec* value) {
  return FromLibc(::timerfd_gettime(fd, value));
}

}  // namespace net
