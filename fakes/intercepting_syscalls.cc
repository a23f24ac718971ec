#include "fakes/intercepting_syscalls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "fakes/call.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

SysResult InterceptingSyscalls::Socket(int domain, int type, int protocol) {
  return Intercept({.call = Call::kSocket, .makes_descriptor = true},
                   [&] { return target_.Socket(domain, type, protocol); });
}

SysResult InterceptingSyscalls::Bind(int fd, const sockaddr* addr,
                                     socklen_t len) {
  return Intercept({.call = Call::kBind, .fd = fd},
                   [&] { return target_.Bind(fd, addr, len); });
}

SysResult InterceptingSyscalls::Listen(int fd, int backlog) {
  return Intercept({.call = Call::kListen, .fd = fd},
                   [&] { return target_.Listen(fd, backlog); });
}

SysResult InterceptingSyscalls::Accept4(int fd, sockaddr* addr, socklen_t* len,
                                        int flags) {
  return Intercept({.call = Call::kAccept4, .fd = fd, .makes_descriptor = true},
                   [&] { return target_.Accept4(fd, addr, len, flags); });
}

SysResult InterceptingSyscalls::Connect(int fd, const sockaddr* addr,
                                        socklen_t len) {
  return Intercept({.call = Call::kConnect, .fd = fd},
                   [&] { return target_.Connect(fd, addr, len); });
}

SysResult InterceptingSyscalls::GetSockName(int fd, sockaddr* addr,
                                            socklen_t* len) {
  return Intercept({.call = Call::kGetSockName, .fd = fd},
                   [&] { return target_.GetSockName(fd, addr, len); });
}

SysResult InterceptingSyscalls::GetPeerName(int fd, sockaddr* addr,
                                            socklen_t* len) {
  return Intercept({.call = Call::kGetPeerName, .fd = fd},
                   [&] { return target_.GetPeerName(fd, addr, len); });
}

SysResult InterceptingSyscalls::SetSockOpt(int fd, int level, int name,
                                           const void* value, socklen_t len) {
  return Intercept({.call = Call::kSetSockOpt, .fd = fd}, [&] {
    return target_.SetSockOpt(fd, level, name, value, len);
  });
}

SysResult InterceptingSyscalls::GetSockOpt(int fd, int level, int name,
                                           void* value, socklen_t* len) {
  return Intercept({.call = Call::kGetSockOpt, .fd = fd}, [&] {
    return target_.GetSockOpt(fd, level, name, value, len);
  });
}

SysResult InterceptingSyscalls::Shutdown(int fd, int how) {
  return Intercept({.call = Call::kShutdown, .fd = fd},
                   [&] { return target_.Shutdown(fd, how); });
}

SysResult InterceptingSyscalls::Send(int fd, const void* data, size_t size,
                                     int flags) {
  return Intercept({.call = Call::kSend, .fd = fd},
                   [&] { return target_.Send(fd, data, size, flags); });
}

SysResult InterceptingSyscalls::Recv(int fd, void* data, size_t size,
                                     int flags) {
  return Intercept({.call = Call::kRecv, .fd = fd},
                   [&] { return target_.Recv(fd, data, size, flags); });
}

SysResult InterceptingSyscalls::SendMsg(int fd, const msghdr* message,
                                        int flags) {
  return Intercept({.call = Call::kSendMsg, .fd = fd},
                   [&] { return target_.SendMsg(fd, message, flags); });
}

SysResult InterceptingSyscalls::RecvMsg(int fd, msghdr* message, int flags) {
  return Intercept({.call = Call::kRecvMsg, .fd = fd},
                   [&] { return target_.RecvMsg(fd, message, flags); });
}

SysResult InterceptingSyscalls::Read(int fd, void* data, size_t size) {
  return Intercept({.call = Call::kRead, .fd = fd},
                   [&] { return target_.Read(fd, data, size); });
}

SysResult InterceptingSyscalls::Write(int fd, const void* data, size_t size) {
  return Intercept({.call = Call::kWrite, .fd = fd},
                   [&] { return target_.Write(fd, data, size); });
}

SysResult InterceptingSyscalls::Poll(pollfd* fds, nfds_t count,
                                     int timeout_ms) {
  return Intercept({.call = Call::kPoll},
                   [&] { return target_.Poll(fds, count, timeout_ms); });
}

SysResult InterceptingSyscalls::PPoll(pollfd* fds, nfds_t count,
                                      const timespec* timeout,
                                      const sigset_t* signals) {
  return Intercept({.call = Call::kPPoll},
                   [&] { return target_.PPoll(fds, count, timeout, signals); });
}

SysResult InterceptingSyscalls::EpollCreate1(int flags) {
  return Intercept({.call = Call::kEpollCreate1, .makes_descriptor = true},
                   [&] { return target_.EpollCreate1(flags); });
}

SysResult InterceptingSyscalls::EpollCtl(int epoll_fd, int operation, int fd,
                                         epoll_event* event) {
  return Intercept({.call = Call::kEpollCtl, .fd = epoll_fd}, [&] {
    return target_.EpollCtl(epoll_fd, operation, fd, event);
  });
}

SysResult InterceptingSyscalls::EpollWait(int epoll_fd, epoll_event* events,
                                          int max_events, int timeout_ms) {
  return Intercept({.call = Call::kEpollWait, .fd = epoll_fd}, [&] {
    return target_.EpollWait(epoll_fd, events, max_events, timeout_ms);
  });
}

SysResult InterceptingSyscalls::Close(int fd) {
  return Intercept({.call = Call::kClose, .fd = fd},
                   [&] { return target_.Close(fd); });
}

SysResult InterceptingSyscalls::Fcntl(int fd, int command, intptr_t argument) {
  const bool duplicates = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
  return Intercept(
      {.call = Call::kFcntl, .fd = fd, .makes_descriptor = duplicates},
      [&] { return target_.Fcntl(fd, command, argument); });
}

SysResult InterceptingSyscalls::Ioctl(int fd, uint64_t request,
                                      intptr_t argument) {
  return Intercept({.call = Call::kIoctl, .fd = fd},
                   [&] { return target_.Ioctl(fd, request, argument); });
}

SysResult InterceptingSyscalls::Dup(int fd) {
  return Intercept({.call = Call::kDup, .fd = fd, .makes_descriptor = true},
                   [&] { return target_.Dup(fd); });
}

SysResult InterceptingSyscalls::Dup3(int old_fd, int new_fd, int flags) {
  return Intercept(
      {.call = Call::kDup3, .fd = old_fd, .makes_descriptor = true},
      [&] { return target_.Dup3(old_fd, new_fd, flags); });
}

SysResult InterceptingSyscalls::Pipe2(int fds[2], int flags) {
  return Intercept({.call = Call::kPipe2, .pipe_descriptors = fds},
                   [&] { return target_.Pipe2(fds, flags); });
}

SysResult InterceptingSyscalls::EventFd(unsigned int initial, int flags) {
  return Intercept({.call = Call::kEventFd, .makes_descriptor = true},
                   [&] { return target_.EventFd(initial, flags); });
}

SysResult InterceptingSyscalls::ClockGetTime(clockid_t clock, timespec* time) {
  return Intercept({.call = Call::kClockGetTime},
                   [&] { return target_.ClockGetTime(clock, time); });
}

SysResult InterceptingSyscalls::NanoSleep(const timespec* duration,
                                          timespec* remaining) {
  return Intercept({.call = Call::kNanoSleep},
                   [&] { return target_.NanoSleep(duration, remaining); });
}

}  // namespace net
