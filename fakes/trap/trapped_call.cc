#include "fakes/trap/trapped_call.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "fakes/faults/syscall_id.h"
#include "syscalls/syscall_table.h"

namespace net::trap {
namespace {

struct Number {
  int number;
  SyscallId call;
};

// The kernel's calls. Of several for one SyscallId the first takes the row's
// arguments.
constexpr Number kNumbers[] = {
    {SYS_socket, SyscallId::kSocket},
    {SYS_bind, SyscallId::kBind},
    {SYS_listen, SyscallId::kListen},
    {SYS_accept, SyscallId::kAccept},
    {SYS_accept4, SyscallId::kAccept4},
    {SYS_connect, SyscallId::kConnect},
    {SYS_getsockname, SyscallId::kGetSockName},
    {SYS_getpeername, SyscallId::kGetPeerName},
    {SYS_setsockopt, SyscallId::kSetSockOpt},
    {SYS_getsockopt, SyscallId::kGetSockOpt},
    {SYS_shutdown, SyscallId::kShutdown},
    {SYS_sendto, SyscallId::kSendTo},
    {SYS_sendto, SyscallId::kSend},
    {SYS_recvfrom, SyscallId::kRecvFrom},
    {SYS_recvfrom, SyscallId::kRecv},
    {SYS_sendmsg, SyscallId::kSendMsg},
    {SYS_recvmsg, SyscallId::kRecvMsg},
    {SYS_sendmmsg, SyscallId::kSendMMsg},
    {SYS_recvmmsg, SyscallId::kRecvMMsg},
    {SYS_read, SyscallId::kRead},
    {SYS_write, SyscallId::kWrite},
    {SYS_readv, SyscallId::kReadV},
    {SYS_writev, SyscallId::kWriteV},
    {SYS_sendfile, SyscallId::kSendFile},
    {SYS_splice, SyscallId::kSplice},
#ifdef SYS_poll  // Newer architectures lack the old calls.
    {SYS_poll, SyscallId::kPoll},
    {SYS_select, SyscallId::kSelect},
    {SYS_epoll_wait, SyscallId::kEpollWait},
#endif
    {SYS_ppoll, SyscallId::kPPoll},
    {SYS_pselect6, SyscallId::kPSelect6},
    {SYS_epoll_create1, SyscallId::kEpollCreate1},
    {SYS_epoll_ctl, SyscallId::kEpollCtl},
    {SYS_epoll_pwait, SyscallId::kEpollPWait},
    {SYS_epoll_pwait2, SyscallId::kEpollPWait2},
    {SYS_close, SyscallId::kClose},
    {SYS_fcntl, SyscallId::kFcntl},
    {SYS_ioctl, SyscallId::kIoctl},
    {SYS_dup, SyscallId::kDup},
    {SYS_dup3, SyscallId::kDup3},
    {SYS_pipe2, SyscallId::kPipe2},
    {SYS_eventfd2, SyscallId::kEventFd},
#ifdef SYS_poll
    {SYS_epoll_create, SyscallId::kEpollCreate1},
    {SYS_dup2, SyscallId::kDup3},
    {SYS_pipe, SyscallId::kPipe2},
    {SYS_eventfd, SyscallId::kEventFd},
#endif
    {SYS_clock_gettime, SyscallId::kClockGetTime},
    {SYS_nanosleep, SyscallId::kNanoSleep},
    {SYS_timerfd_create, SyscallId::kTimerFdCreate},
    {SYS_timerfd_settime, SyscallId::kTimerFdSetTime},
    {SYS_timerfd_gettime, SyscallId::kTimerFdGetTime},
};

#define NET_KIND(type, name, kind) ArgumentKind::k##kind
#define NET_SYSCALL(method, name, result, ...)  \
  constexpr ArgumentKind kKindsOf##method[] = { \
      NET_SYSCALL_EACH(NET_KIND, NET_SYSCALL_COMMA, __VA_ARGS__)};
#include "syscalls/syscall_table.inc"
#undef NET_KIND

constexpr absl::Span<const ArgumentKind> kKinds[] = {
#define NET_SYSCALL(method, ...) kKindsOf##method,
#include "syscalls/syscall_table.inc"
};

constexpr bool kMakes[] = {
#define NET_SYSCALL(method, name, result, ...) \
  ResultKind::result == ResultKind::kDescriptor,
#include "syscalls/syscall_table.inc"
};

// Changes what the kernel's call lacks or has in another place.
void Normalise(TrappedCall& call) {
  switch (call.data.nr) {
    case SYS_sendto:  // arguments: fd, data, size, flags, address, length
      if (call.arguments[4] == 0) call.call = SyscallId::kSend;
      break;
    case SYS_recvfrom:
      if (call.arguments[4] == 0) call.call = SyscallId::kRecv;
      break;
#ifdef SYS_poll
    case SYS_epoll_create:  // size
      call.arguments[0] = 0;
      break;
    case SYS_dup2:
      call.arguments[2] = 0;
      break;
    case SYS_pipe:
    case SYS_eventfd:
      call.arguments[1] = 0;
      break;
#endif
    default:
      break;
  }
}

}  // namespace

std::optional<TrappedCall> TrappedCallOf(const seccomp_notif& notification) {
  const auto* const found = std::find_if(
      std::begin(kNumbers), std::end(kNumbers),
      [&](const Number& row) { return row.number == notification.data.nr; });
  if (found == std::end(kNumbers)) return std::nullopt;
  TrappedCall call = {.id = notification.id,
                      .thread = static_cast<pid_t>(notification.pid),
                      .call = found->call,
                      .data = notification.data};
  std::copy(std::begin(notification.data.args),
            std::end(notification.data.args), call.arguments.begin());
  Normalise(call);
  return call;
}

bool IsSameCall(const TrappedCall& one, const TrappedCall& other) {
  return one.thread == other.thread && one.data.nr == other.data.nr &&
         one.data.instruction_pointer == other.data.instruction_pointer &&
         std::equal(std::begin(one.data.args), std::end(one.data.args),
                    std::begin(other.data.args));
}

std::vector<int> NumbersOf(const SyscallSet& calls) {
  std::vector<int> numbers;
  for (const Number& row : kNumbers) {
    const bool is_new =
        std::find(numbers.begin(), numbers.end(), row.number) == numbers.end();
    if (calls.contains(row.call) && is_new) numbers.push_back(row.number);
  }
  return numbers;
}

int NumberOf(SyscallId call) {
  for (const Number& row : kNumbers) {
    if (row.call == call) return row.number;
  }
  return -1;
}

absl::Span<const ArgumentKind> KindsOf(SyscallId call) {
  return kKinds[static_cast<size_t>(call)];
}

bool MakesDescriptor(const TrappedCall& call) {
  if (call.call == SyscallId::kFcntl) {
    return call.Int(1) == F_DUPFD || call.Int(1) == F_DUPFD_CLOEXEC;
  }
  return kMakes[static_cast<size_t>(call.call)];
}

bool MakesCloexec(const TrappedCall& call) {
  switch (call.call) {
    case SyscallId::kSocket:
      return (call.Int(1) & SOCK_CLOEXEC) != 0;
    case SyscallId::kAccept4:
      return (call.Int(3) & SOCK_CLOEXEC) != 0;
    case SyscallId::kEpollCreate1:  // EPOLL_CLOEXEC is O_CLOEXEC.
      return (call.Int(0) & O_CLOEXEC) != 0;
    case SyscallId::kEventFd:        // So is EFD_CLOEXEC,
    case SyscallId::kTimerFdCreate:  // and TFD_CLOEXEC.
      return (call.Int(1) & O_CLOEXEC) != 0;
    case SyscallId::kDup3:
      return (call.Int(2) & O_CLOEXEC) != 0;
    case SyscallId::kFcntl:
      return call.Int(1) == F_DUPFD_CLOEXEC;
    default:
      return false;
  }
}

int MessageFlagsOf(const TrappedCall& call) {
  const absl::Span<const ArgumentKind> kinds = KindsOf(call.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == ArgumentKind::kMessageFlags) return call.Int(i);
  }
  return 0;
}

bool RaisesSigPipe(const TrappedCall& call) {
  const bool sends =
      FamilyOf(call.call) == "send" || call.call == SyscallId::kSplice;
  return sends && (MessageFlagsOf(call) & MSG_NOSIGNAL) == 0;
}

}  // namespace net::trap
