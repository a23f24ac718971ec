#include "fakes/explorer/fault_choices.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/declaration.h"
#include "fakes/faults/applicable.h"
#include "fakes/faults/effect.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net {
namespace {

constexpr size_t kTruncatedSize = 4;

bool IsTransient(int error) {
  return error == EINTR || error == EAGAIN || error == EINPROGRESS ||
         error == EALREADY || error == ECONNABORTED;
}

// Returns whether the errno stays when a program tries again.
bool Persists(int error) {
  switch (error) {
    case EINTR:
    case EAGAIN:
    case ECONNABORTED:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return true;
    default:
      return false;
  }
}

std::vector<Effect> EffectsOf(Call call, int error, bool is_retried) {
  if (call == Call::kClose) return {Effect::kAfter};
  if (error == ECONNABORTED) return {Effect::kBefore};
  if (is_retried || IsTransient(error))
    return {DefaultEffect(IdOf(call), error)};
  if (MovesBytes(IdOf(call))) {
    return {Effect::kBefore, Effect::kPartial, Effect::kAfter};
  }
  return {Effect::kBefore, Effect::kAfter};
}

void AddErrno(Call call, int error, bool is_retried,
              std::vector<FaultChoice>& choices) {
  for (const Effect effect : EffectsOf(call, error, is_retried)) {
    FaultChoice choice;
    choice.action = {.kind = ActionKind::kError,
                     .error = error,
                     .effect = effect,
                     .bytes = effect == Effect::kPartial ? size_t{1} : 0};
    choices.push_back(choice);
  }
  if (!Persists(error) || call == Call::kClose) return;
  FaultChoice storm;
  storm.action = {.kind = ActionKind::kError,
                  .error = error,
                  .effect = EffectsOf(call, error, is_retried).front()};
  storm.times = kStormTimes;
  choices.push_back(storm);
}

// Adds what is no errno.
void AddSuccesses(Call call, std::vector<FaultChoice>& choices) {
  const std::vector<FaultAction> actions = {
      {.kind = ActionKind::kShort, .bytes = 1},
      {.kind = ActionKind::kDescriptorZero},
      {.kind = ActionKind::kTruncatedAddress, .bytes = kTruncatedSize},
      {.kind = ActionKind::kErrorConsumed},
      {.kind = ActionKind::kResetBeforeAccept},
  };
  for (const FaultAction& action : actions) {
    if (!IsApplicable(action, IdOf(call))) continue;
    choices.push_back({.action = action, .times = 1});
    if (action.kind == ActionKind::kShort) {
      choices.push_back(
          {.action = action, .times = FaultRule().times});  // All that follow.
    }
  }
}

}  // namespace

FaultChoices::FaultChoices(const std::vector<Declaration>& declarations) {
  for (const Call call : AllCalls()) {
    std::vector<FaultChoice>& choices = choices_[static_cast<size_t>(call)];
    for (const int error : ErrnosOf(IdOf(call))) {
      const Declaration declared = DeclarationFor(declarations, call, error);
      AddErrno(call, error, declared.handling == Handling::kRetries, choices);
    }
    AddSuccesses(call, choices);
  }
}

bool MakesDifference(const FaultChoice& choice, const MonitoredCall& call) {
  const bool is_success = call.result.ok();
  switch (choice.action.kind) {
    case ActionKind::kError:
      if (choice.action.effect == Effect::kPartial) {
        return is_success && call.tries_bytes &&
               call.result.value() > static_cast<int64_t>(choice.action.bytes);
      }
      return call.result.error() != choice.action.error;
    case ActionKind::kShort:
      return is_success && call.tries_bytes &&
             call.result.value() > static_cast<int64_t>(choice.action.bytes);
    case ActionKind::kDescriptorZero:
      return is_success && call.makes_descriptor && call.result.value() > 0;
    case ActionKind::kTruncatedAddress:
      return is_success && call.writes_address;
    case ActionKind::kErrorConsumed:
      return is_success && call.reads_error;
    case ActionKind::kResetBeforeAccept:
      return is_success;
    case ActionKind::kDelay:
    case ActionKind::kReuseNumber:
      return false;
  }
  return false;
}

bool MustSucceed(const FaultAction& action) {
  return action.kind == ActionKind::kShort ||
         action.kind == ActionKind::kDescriptorZero;
}

std::vector<int> UsualErrnos(Call call) {
  switch (call) {
    case Call::kSocket:
    case Call::kFcntl:
    case Call::kDup:
    case Call::kDup3:
      return {EMFILE};
    case Call::kBind:
    case Call::kListen:
      return {EADDRINUSE};
    case Call::kAccept:
    case Call::kAccept4:
      return {EMFILE, ECONNABORTED};
    case Call::kConnect:
      return {ECONNREFUSED, ETIMEDOUT};
    case Call::kGetSockName:
      return {ENOBUFS};
    case Call::kGetPeerName:
    case Call::kShutdown:
      return {ENOTCONN};
    case Call::kSetSockOpt:
    case Call::kGetSockOpt:
      return {ENOPROTOOPT};
    case Call::kClose:
      return {EIO};
    case Call::kRecv:
    case Call::kRecvFrom:
    case Call::kRecvMsg:
    case Call::kRecvMMsg:
    case Call::kRead:
    case Call::kReadV:
      return {ECONNRESET};
    case Call::kSend:
    case Call::kSendTo:
    case Call::kSendMsg:
    case Call::kSendMMsg:
    case Call::kWrite:
    case Call::kWriteV:
    case Call::kSendFile:
    case Call::kSplice:
      return {EPIPE, ECONNRESET};
    default:
      return {ENOMEM};
  }
}

}  // namespace net
