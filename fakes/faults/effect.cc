#include "fakes/faults/effect.h"

#include <cerrno>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net {
namespace {

// Returns the call whose rows stand for all calls of the family.
SyscallId Representative(SyscallId call) {
  if (call == SyscallId::kEpollPWait || call == SyscallId::kEpollPWait2) {
    return SyscallId::kEpollWait;
  }
  const absl::string_view family = FamilyOf(call);
  if (family == "accept") return SyscallId::kAccept4;
  if (family == "send") return SyscallId::kSend;
  if (family == "recv") return SyscallId::kRecv;
  if (family == "poll") return SyscallId::kPoll;
  return call;
}

const ErrnoRow* FindRow(SyscallId id, int error) {
  const Call call = CallOf(id);
  for (const ErrnoRow& row : ErrnoTable()) {
    if (call == row.call && row.error == error) return &row;
  }
  return nullptr;
}

}  // namespace

Effect DefaultEffect(SyscallId call, int error) {
  const ErrnoRow* row = FindRow(call, error);
  if (row == nullptr) row = FindRow(Representative(call), error);
  if (row != nullptr) {
    return row->takes_effect ? Effect::kAfter : Effect::kBefore;
  }
  return call == SyscallId::kClose ? Effect::kAfter : Effect::kBefore;
}

std::vector<int> ErrnosOf(SyscallId call) {
  std::vector<int> errors;
  for (const SyscallId id : {call, Representative(call)}) {
    errors = ErrnosOf(CallOf(id));
    if (!errors.empty()) break;
  }
  return errors;
}

}  // namespace net
