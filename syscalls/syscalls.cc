#include "syscalls/syscalls.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "syscalls/sys_result.h"

namespace net {

SysResult Syscalls::Socket(int, int, int) { return {}; }
SysResult Syscalls::Bind(int, const sockaddr*, socklen_t) { return {}; }
SysResult Syscalls::Listen(int, int) { return {}; }
SysResult Syscalls::Accept4(int, sockaddr*, socklen_t*, int) { return {}; }
SysResult Syscalls::Connect(int, const sockaddr*, socklen_t) { return {}; }
SysResult Syscalls::GetSockName(int, sockaddr*, socklen_t*) { return {}; }
SysResult Syscalls::GetPeerName(int, sockaddr*, socklen_t*) { return {}; }
SysResult Syscalls::SetSockOpt(int, int, int, const void*, socklen_t) {
  return {};
}
SysResult Syscalls::GetSockOpt(int, int, int, void*, socklen_t*) { return {}; }
SysResult Syscalls::Shutdown(int, int) { return {}; }

SysResult Syscalls::Send(int, const void*, size_t, int) { return {}; }
SysResult Syscalls::Recv(int, void*, size_t, int) { return {}; }
SysResult Syscalls::SendMsg(int, const msghdr*, int) { return {}; }
SysResult Syscalls::RecvMsg(int, msghdr*, int) { return {}; }
SysResult Syscalls::Read(int, void*, size_t) { return {}; }
SysResult Syscalls::Write(int, const void*, size_t) { return {}; }

SysResult Syscalls::Poll(pollfd*, nfds_t, int) { return {}; }
SysResult Syscalls::PPoll(pollfd*, nfds_t, const timespec*, const sigset_t*) {
  return {};
}
SysResult Syscalls::EpollCreate1(int) { return {}; }
SysResult Syscalls::EpollCtl(int, int, int, epoll_event*) { return {}; }
SysResult Syscalls::EpollWait(int, epoll_event*, int, int) { return {}; }

SysResult Syscalls::Close(int) { return {}; }
SysResult Syscalls::Fcntl(int, int, intptr_t) { return {}; }
SysResult Syscalls::Ioctl(int, uint64_t, intptr_t) { return {}; }
SysResult Syscalls::Dup(int) { return {}; }
SysResult Syscalls::Dup3(int, int, int) { return {}; }
SysResult Syscalls::Pipe2(int[2], int) { return {}; }
SysResult Syscalls::EventFd(unsigned int, int) { return {}; }

SysResult Syscalls::ClockGetTime(clockid_t, timespec*) { return {}; }
SysResult Syscalls::NanoSleep(const timespec*, timespec*) { return {}; }

}  // namespace net
