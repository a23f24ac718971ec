#ifndef FAKES_CALL_H_
#define FAKES_CALL_H_

#include <cstddef>
#include <optional>
#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "syscalls/require_cxx20.h"

namespace net {

// Names each system call of Syscalls, for those who count, fail, record or
// explore calls. One for each virtual, spelled as there and in that order.
enum class Call {
  kSocket,
  kBind,
  kListen,
  kAccept4,
  kConnect,
  kGetSockName,
  kGetPeerName,
  kSetSockOpt,
  kGetSockOpt,
  kShutdown,
  kSend,
  kRecv,
  kSendMsg,
  kRecvMsg,
  kRead,
  kWrite,
  kPoll,
  kPPoll,
  kEpollCreate1,
  kEpollCtl,
  kEpollWait,
  kClose,
  kFcntl,
  kIoctl,
  kDup,
  kDup3,
  kPipe2,
  kEventFd,
  kClockGetTime,
  kNanoSleep,
};

// How many there are: Call's values are 0 to kCallCount - 1.
inline constexpr size_t kCallCount = static_cast<size_t>(Call::kNanoSleep) + 1;

// All of them, in the order above.
absl::Span<const Call> AllCalls();

// The name of the call's man page: "accept4", "getsockname".
absl::string_view CallName(Call call);

// The inverse of CallName(); nullopt if Syscalls has no such call.
std::optional<Call> CallFromName(absl::string_view name);

std::ostream& operator<<(std::ostream& os, Call call);

}  // namespace net

#endif  // FAKES_CALL_H_
