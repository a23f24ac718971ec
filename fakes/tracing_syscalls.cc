#include "fakes/tracing_syscalls.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fakes/argument_text.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

// One for all, and never destroyed: lines of several TracingSyscalls may go to
// one sink.
Mutex& SinkMutex() {
  static Mutex& mutex = *new Mutex;
  return mutex;
}

// An argument that the program filled in: readable, as far as is known.
Show In(SysResult result) {
  return result.error() == EFAULT ? Show::kHidden : Show::kShown;
}

// One that the call fills in when it succeeds.
Show Out(SysResult result) {
  return result.ok() ? Show::kShown : Show::kHidden;
}

// How long the room for an answer is, before the call.
socklen_t RoomOf(const socklen_t* len) {
  socklen_t room = 0;
  return fake::CopyIn(&room, len, sizeof(room)) ? room : 0;
}

// How much of the room is filled, after the call.
socklen_t FilledOf(const socklen_t* len, socklen_t room) {
  return std::min(RoomOf(len), room);
}

std::string AnswerText(SysResult result) {
  if (result.ok()) return absl::StrCat(result.value());
  return absl::StrCat("-1 ", ErrnoSymbol(result.error()));
}

size_t CountOf(SysResult result, size_t room) {
  return result.ok() ? std::min(static_cast<size_t>(result.value()), room) : 0;
}

// Data that a call filled in. MSG_TRUNC (tcp(7)) counts it and throws it away.
Show Received(SysResult result, int flags) {
  return (flags & MSG_TRUNC) != 0 ? Show::kHidden : Out(result);
}

// fcntl's third argument, with its comma; nothing where it has none.
std::string FcntlArgument(int command, intptr_t argument) {
  switch (command) {
    case F_GETFD:
    case F_GETFL:
      return "";
    case F_SETFD:
      return absl::StrCat(", ",
                          DescriptorFlagSymbols(static_cast<int>(argument)));
    case F_SETFL:
      return absl::StrCat(", ", StatusFlagSymbols(static_cast<int>(argument)));
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      return absl::StrCat(", ", static_cast<int>(argument));
    default:  // it may be a pointer
      return ", ?";
  }
}

// What fcntl's answer means, where that is flags.
std::string FcntlMeaning(int command, SysResult result) {
  if (!result.ok()) return "";
  if (command == F_GETFL) {
    return absl::StrCat(" (", StatusFlagSymbols(result.fd()), ")");
  }
  if (command == F_GETFD && result.value() != 0) {
    return absl::StrCat(" (", DescriptorFlagSymbols(result.fd()), ")");
  }
  return "";
}

// The same of ioctl's.
std::string IoctlArgument(uint64_t request, intptr_t argument,
                          SysResult result) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): it is the one or the other
  const auto* const value = reinterpret_cast<const int*>(argument);
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      return "";
    case FIONBIO:
      return absl::StrCat(", ", IntText(value, In(result)));
    case FIONREAD:
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      return absl::StrCat(", ", IntText(value, Out(result)));
    default:
      return ", ?";
  }
}

}  // namespace

template <typename... Arguments>
SysResult TracingSyscalls::Told(SysResult result, absl::string_view more,
                                absl::string_view call,
                                const Arguments&... arguments) const {
  const std::string line =
      absl::StrCat(name_, name_.empty() ? "" : ": ", call, "(",
                   absl::StrJoin({absl::StrCat(arguments)...}, ", "),
                   ") = ", AnswerText(result), more);
  const MutexLock lock(SinkMutex());
  sink_(line);
  return result;
}

SysResult TracingSyscalls::Socket(int domain, int type, int protocol) {
  const SysResult result = target_.Socket(domain, type, protocol);
  return Told(result, "", "socket", DomainSymbol(domain), TypeSymbols(type),
              ProtocolSymbol(protocol));
}

SysResult TracingSyscalls::Bind(int fd, const sockaddr* addr, socklen_t len) {
  const SysResult result = target_.Bind(fd, addr, len);
  return Told(result, "", "bind", fd, AddressText(addr, len, In(result)),
              static_cast<int>(len));
}

SysResult TracingSyscalls::Listen(int fd, int backlog) {
  return Told(target_.Listen(fd, backlog), "", "listen", fd, backlog);
}

SysResult TracingSyscalls::Accept4(int fd, sockaddr* addr, socklen_t* len,
                                   int flags) {
  // Without an address the kernel does not look at the length.
  const bool named = addr != nullptr;
  const socklen_t room = named ? RoomOf(len) : 0;
  const SysResult result = target_.Accept4(fd, addr, len, flags);
  const Show show_length = named ? In(result) : Show::kHidden;
  return Told(result, "", "accept4", fd,
              AddressText(addr, named ? FilledOf(len, room) : 0, Out(result)),
              LengthText(len, room, show_length), AcceptFlagSymbols(flags));
}

SysResult TracingSyscalls::Connect(int fd, const sockaddr* addr,
                                   socklen_t len) {
  const SysResult result = target_.Connect(fd, addr, len);
  return Told(result, "", "connect", fd, AddressText(addr, len, In(result)),
              static_cast<int>(len));
}

SysResult TracingSyscalls::ToldName(SysResult result, absl::string_view call,
                                    int fd, const sockaddr* addr,
                                    const socklen_t* len,
                                    socklen_t room) const {
  return Told(result, "", call, fd,
              AddressText(addr, FilledOf(len, room), Out(result)),
              LengthText(len, room, In(result)));
}

SysResult TracingSyscalls::GetSockName(int fd, sockaddr* addr, socklen_t* len) {
  const socklen_t room = RoomOf(len);
  const SysResult result = target_.GetSockName(fd, addr, len);
  return ToldName(result, "getsockname", fd, addr, len, room);
}

SysResult TracingSyscalls::GetPeerName(int fd, sockaddr* addr, socklen_t* len) {
  const socklen_t room = RoomOf(len);
  const SysResult result = target_.GetPeerName(fd, addr, len);
  return ToldName(result, "getpeername", fd, addr, len, room);
}

SysResult TracingSyscalls::SetSockOpt(int fd, int level, int name,
                                      const void* value, socklen_t len) {
  const SysResult result = target_.SetSockOpt(fd, level, name, value, len);
  return Told(result, "", "setsockopt", fd, OptionSymbols(level, name),
              OptionText(level, name, value, len, In(result)),
              static_cast<int>(len));
}

SysResult TracingSyscalls::GetSockOpt(int fd, int level, int name, void* value,
                                      socklen_t* len) {
  const socklen_t room = RoomOf(len);
  const SysResult result = target_.GetSockOpt(fd, level, name, value, len);
  return Told(result, "", "getsockopt", fd, OptionSymbols(level, name),
              OptionText(level, name, value, FilledOf(len, room), Out(result)),
              LengthText(len, room, In(result)));
}

SysResult TracingSyscalls::Shutdown(int fd, int how) {
  return Told(target_.Shutdown(fd, how), "", "shutdown", fd,
              ShutdownSymbol(how));
}

SysResult TracingSyscalls::Send(int fd, const void* data, size_t size,
                                int flags) {
  const SysResult result = target_.Send(fd, data, size, flags);
  return Told(result, "", "send", fd, DataText(data, size, In(result)), size,
              MessageFlagSymbols(flags));
}

SysResult TracingSyscalls::Recv(int fd, void* data, size_t size, int flags) {
  const SysResult result = target_.Recv(fd, data, size, flags);
  return Told(result, "", "recv", fd,
              DataText(data, CountOf(result, size), Received(result, flags)),
              size, MessageFlagSymbols(flags));
}

SysResult TracingSyscalls::SendMsg(int fd, const msghdr* message, int flags) {
  const SysResult result = target_.SendMsg(fd, message, flags);
  return Told(result, "", "sendmsg", fd,
              MessageText(message, SIZE_MAX, In(result), In(result)),
              MessageFlagSymbols(flags));
}

SysResult TracingSyscalls::RecvMsg(int fd, msghdr* message, int flags) {
  const SysResult result = target_.RecvMsg(fd, message, flags);
  return Told(result, "", "recvmsg", fd,
              MessageText(message, CountOf(result, SIZE_MAX), In(result),
                          Received(result, flags)),
              MessageFlagSymbols(flags));
}

SysResult TracingSyscalls::Read(int fd, void* data, size_t size) {
  const SysResult result = target_.Read(fd, data, size);
  return Told(result, "", "read", fd,
              DataText(data, CountOf(result, size), Out(result)), size);
}

SysResult TracingSyscalls::Write(int fd, const void* data, size_t size) {
  const SysResult result = target_.Write(fd, data, size);
  return Told(result, "", "write", fd, DataText(data, size, In(result)), size);
}

SysResult TracingSyscalls::ToldPoll(SysResult result, absl::string_view call,
                                    const pollfd* fds, nfds_t count,
                                    absl::string_view arguments) const {
  std::string more;
  if (result.ok() && result.value() > 0) {
    more = absl::StrCat(" ", PollResultText(fds, count, Out(result)));
  }
  // Too many for the kernel to look at.
  const Show show = result.error() == EINVAL ? Show::kHidden : In(result);
  return Told(result, more, call, PollText(fds, count, show), count, arguments);
}

SysResult TracingSyscalls::Poll(pollfd* fds, nfds_t count, int timeout_ms) {
  return ToldPoll(target_.Poll(fds, count, timeout_ms), "poll", fds, count,
                  absl::StrCat(timeout_ms));
}

SysResult TracingSyscalls::PPoll(pollfd* fds, nfds_t count,
                                 const timespec* timeout,
                                 const sigset_t* signals) {
  const SysResult result = target_.PPoll(fds, count, timeout, signals);
  return ToldPoll(result, "ppoll", fds, count,
                  absl::StrCat(TimeText(timeout, In(result)), ", ",
                               SignalsText(signals, In(result))));
}

SysResult TracingSyscalls::EpollCreate1(int flags) {
  return Told(target_.EpollCreate1(flags), "", "epoll_create1",
              EpollFlagSymbols(flags));
}

SysResult TracingSyscalls::EpollCtl(int epoll_fd, int operation, int fd,
                                    epoll_event* event) {
  const SysResult result = target_.EpollCtl(epoll_fd, operation, fd, event);
  // The kernel does not look at it either.
  const Show show = operation == EPOLL_CTL_DEL ? Show::kHidden : In(result);
  return Told(result, "", "epoll_ctl", epoll_fd,
              EpollOperationSymbol(operation), fd, EpollText(event, show));
}

SysResult TracingSyscalls::EpollWait(int epoll_fd, epoll_event* events,
                                     int max_events, int timeout_ms) {
  const SysResult result =
      target_.EpollWait(epoll_fd, events, max_events, timeout_ms);
  const int count = result.ok() ? result.fd() : 0;
  return Told(result, "", "epoll_wait", epoll_fd,
              EpollResultText(events, count, Out(result)), max_events,
              timeout_ms);
}

SysResult TracingSyscalls::Close(int fd) {
  return Told(target_.Close(fd), "", "close", fd);
}

SysResult TracingSyscalls::Fcntl(int fd, int command, intptr_t argument) {
  const SysResult result = target_.Fcntl(fd, command, argument);
  return Told(
      result, FcntlMeaning(command, result), "fcntl", fd,
      absl::StrCat(FcntlSymbol(command), FcntlArgument(command, argument)));
}

SysResult TracingSyscalls::Ioctl(int fd, uint64_t request, intptr_t argument) {
  const SysResult result = target_.Ioctl(fd, request, argument);
  return Told(result, "", "ioctl", fd,
              absl::StrCat(IoctlSymbol(request),
                           IoctlArgument(request, argument, result)));
}

SysResult TracingSyscalls::Dup(int fd) {
  return Told(target_.Dup(fd), "", "dup", fd);
}

SysResult TracingSyscalls::Dup3(int old_fd, int new_fd, int flags) {
  const SysResult result = target_.Dup3(old_fd, new_fd, flags);
  return Told(result, "", "dup3", old_fd, new_fd, OpenFlagSymbols(flags));
}

SysResult TracingSyscalls::Pipe2(int fds[2], int flags) {
  const SysResult result = target_.Pipe2(fds, flags);
  return Told(result, "", "pipe2", PairText(fds, Out(result)),
              OpenFlagSymbols(flags));
}

SysResult TracingSyscalls::EventFd(unsigned int initial, int flags) {
  return Told(target_.EventFd(initial, flags), "", "eventfd", initial,
              EventFdFlagSymbols(flags));
}

SysResult TracingSyscalls::ClockGetTime(clockid_t clock, timespec* time) {
  const SysResult result = target_.ClockGetTime(clock, time);
  return Told(result, "", "clock_gettime", ClockSymbol(clock),
              TimeText(time, Out(result)));
}

SysResult TracingSyscalls::NanoSleep(const timespec* duration,
                                     timespec* remaining) {
  const SysResult result = target_.NanoSleep(duration, remaining);
  // The rest is told when a signal came.
  const Show rest = result.error() == EINTR ? Show::kShown : Show::kHidden;
  return Told(result, "", "nanosleep", TimeText(duration, In(result)),
              TimeText(remaining, rest));
}

}  // namespace net
