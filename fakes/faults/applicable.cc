#include "fakes/faults/applicable.h"

#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net {
namespace {

bool IsAccept(SyscallId call) { return FamilyOf(call) == "accept"; }

bool MakesNumber(SyscallId call) {
  switch (call) {
    case SyscallId::kSocket:
    case SyscallId::kDup:
    case SyscallId::kEpollCreate1:
    case SyscallId::kEventFd:
    case SyscallId::kTimerFdCreate:
      return true;
    default:
      return IsAccept(call);
  }
}

bool WritesAddress(SyscallId call) {
  return IsAccept(call) || call == SyscallId::kGetSockName ||
         call == SyscallId::kGetPeerName;
}

}  // namespace

bool MovesBytes(SyscallId call) {
  const absl::string_view family = FamilyOf(call);
  return family == "send" || family == "recv" || call == SyscallId::kSplice;
}

bool IsApplicable(const FaultAction& action, SyscallId call) {
  switch (action.kind) {
    case ActionKind::kError:
      return action.effect != Effect::kPartial || MovesBytes(call);
    case ActionKind::kShort:
      return MovesBytes(call);
    case ActionKind::kDelay:
      return true;
    case ActionKind::kDescriptorZero:
    case ActionKind::kReuseNumber:
      return MakesNumber(call);
    case ActionKind::kTruncatedAddress:
      return WritesAddress(call);
    case ActionKind::kErrorConsumed:
      return call == SyscallId::kGetSockOpt;
    case ActionKind::kResetBeforeAccept:
      return IsAccept(call);
  }
  return false;
}

absl::string_view ApplicableTo(const FaultAction& action) {
  switch (action.kind) {
    case ActionKind::kError:
      if (action.effect != Effect::kPartial) return "every call";
      [[fallthrough]];
    case ActionKind::kShort:
      return "splice and the families send and recv";
    case ActionKind::kDelay:
      return "every call";
    case ActionKind::kDescriptorZero:
    case ActionKind::kReuseNumber:
      return "socket, accept, accept4, dup, epoll_create1, eventfd and "
             "timerfd_create";
    case ActionKind::kTruncatedAddress:
      return "accept, accept4, getsockname and getpeername";
    case ActionKind::kErrorConsumed:
      return "getsockopt";
    case ActionKind::kResetBeforeAccept:
      return "accept and accept4";
  }
  return "no call";
}

}  // namespace net
