#include "fakes/mock_syscalls.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "fakes/tracing_syscalls.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

// Fails every call, and fills nothing in. A set of poll(2) may be longer than
// its memory, which the kernel would refuse: EINVAL keeps TracingSyscalls from
// reading it.
class NoKernel : public Syscalls {
 public:
  SysResult Poll(pollfd*, nfds_t, int) override {
    return SysResult::Error(EINVAL);
  }
  SysResult PPoll(pollfd*, nfds_t, const timespec*, const sigset_t*) override {
    return SysResult::Error(EINVAL);
  }
};

// Returns the text of the call that `make` makes, without its result:
// "close(3)".
std::string TextOf(absl::FunctionRef<SysResult(Syscalls&)> make) {
  NoKernel none;
  std::string text;
  TracingSyscalls tracing(none, [&text](absl::string_view line) {
    text = std::string(line.substr(0, line.rfind(" = ")));
  });
  static_cast<void>(make(tracing));
  return text;
}

}  // namespace

MockSyscallsMethods::MockSyscallsMethods() = default;
MockSyscallsMethods::~MockSyscallsMethods() = default;

// Defines a method of MockSyscallsBase.
#define NET_TRACED_CALL(method, parameters, arguments)                \
  SysResult MockSyscallsBase::method parameters {                     \
    const testing::ScopedTrace trace(                                 \
        __FILE__, __LINE__,                                           \
        TextOf([&](Syscalls& sys) { return sys.method arguments; })); \
    return MockSyscallsMethods::method arguments;                     \
  }

NET_TRACED_CALL(Socket, (int domain, int type, int protocol),
                (domain, type, protocol))
NET_TRACED_CALL(Bind, (int fd, const sockaddr* addr, socklen_t len),
                (fd, addr, len))
NET_TRACED_CALL(Listen, (int fd, int backlog), (fd, backlog))
NET_TRACED_CALL(Accept4, (int fd, sockaddr* addr, socklen_t* len, int flags),
                (fd, addr, len, flags))
NET_TRACED_CALL(Connect, (int fd, const sockaddr* addr, socklen_t len),
                (fd, addr, len))
NET_TRACED_CALL(GetSockName, (int fd, sockaddr* addr, socklen_t* len),
                (fd, addr, len))
NET_TRACED_CALL(GetPeerName, (int fd, sockaddr* addr, socklen_t* len),
                (fd, addr, len))
NET_TRACED_CALL(SetSockOpt,
                (int fd, int level, int name, const void* value, socklen_t len),
                (fd, level, name, value, len))
NET_TRACED_CALL(GetSockOpt,
                (int fd, int level, int name, void* value, socklen_t* len),
                (fd, level, name, value, len))
NET_TRACED_CALL(Shutdown, (int fd, int how), (fd, how))
NET_TRACED_CALL(Send, (int fd, const void* data, size_t size, int flags),
                (fd, data, size, flags))
NET_TRACED_CALL(Recv, (int fd, void* data, size_t size, int flags),
                (fd, data, size, flags))
NET_TRACED_CALL(SendMsg, (int fd, const msghdr* message, int flags),
                (fd, message, flags))
NET_TRACED_CALL(RecvMsg, (int fd, msghdr* message, int flags),
                (fd, message, flags))
NET_TRACED_CALL(Read, (int fd, void* data, size_t size), (fd, data, size))
NET_TRACED_CALL(Write, (int fd, const void* data, size_t size),
                (fd, data, size))
NET_TRACED_CALL(Poll, (pollfd * fds, nfds_t count, int timeout_ms),
                (fds, count, timeout_ms))
NET_TRACED_CALL(PPoll,
                (pollfd * fds, nfds_t count, const timespec* timeout,
                 const sigset_t* signals),
                (fds, count, timeout, signals))
NET_TRACED_CALL(EpollCreate1, (int flags), (flags))
NET_TRACED_CALL(EpollCtl,
                (int epoll_fd, int operation, int fd, epoll_event* event),
                (epoll_fd, operation, fd, event))
NET_TRACED_CALL(EpollWait,
                (int epoll_fd, epoll_event* events, int max_events,
                 int timeout_ms),
                (epoll_fd, events, max_events, timeout_ms))
NET_TRACED_CALL(Close, (int fd), (fd))
NET_TRACED_CALL(Fcntl, (int fd, int command, intptr_t argument),
                (fd, command, argument))
NET_TRACED_CALL(Ioctl, (int fd, uint64_t request, intptr_t argument),
                (fd, request, argument))
NET_TRACED_CALL(Dup, (int fd), (fd))
NET_TRACED_CALL(Dup3, (int old_fd, int new_fd, int flags),
                (old_fd, new_fd, flags))
NET_TRACED_CALL(Pipe2, (int fds[2], int flags), (fds, flags))
NET_TRACED_CALL(EventFd, (unsigned int initial, int flags), (initial, flags))
NET_TRACED_CALL(ClockGetTime, (clockid_t clock, timespec* time), (clock, time))
NET_TRACED_CALL(NanoSleep, (const timespec* duration, timespec* remaining),
                (duration, remaining))

#undef NET_TRACED_CALL

}  // namespace net
