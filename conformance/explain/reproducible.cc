#include "conformance/explain/reproducible.h"

#include <cerrno>
#include <cstddef>
#include <ctime>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "conformance/explain/c_values.h"
#include "conformance/explain/script.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"
#include "syscalls/syscall_table.h"

namespace net::conformance {
namespace {

// Returns whether a wait for events has a time limit that is not 0.
bool HasTimeLimit(const CallRecord& record) {
  switch (record.call) {
    case SyscallId::kPoll:
      return record.arguments[2].number > 0;
    case SyscallId::kEpollWait:
    case SyscallId::kEpollPWait:
      return record.arguments[3].number > 0;
    case SyscallId::kPPoll:
    case SyscallId::kEpollPWait2: {
      const size_t i = ArgumentIndex(record.call, ArgumentKind::kTimeIn);
      if (record.arguments[i].state != ArgumentState::kTarget) return false;
      const auto time = Load<timespec>(record.Target(i));
      return time.tv_sec > 0 || time.tv_nsec > 0;
    }
    case SyscallId::kSelect:
    case SyscallId::kPSelect6: {
      const absl::string_view time = record.Target(4);
      return time.find_first_not_of('\0') != absl::string_view::npos;
    }
    case SyscallId::kNanoSleep:
      return true;
    default:
      return false;
  }
}

bool SetsATimer(const CallRecord& record) {
  return record.call == SyscallId::kTimerFdSetTime && record.result.ok();
}

bool TimesOut(const CallRecord& record) {
  return HasTimeLimit(record) && record.result.ok() &&
         record.result.value() == 0;
}

// Returns whether the call only ends a connection.
bool IsCleanUp(const CallRecord& record) {
  return record.call == SyscallId::kClose ||
         record.call == SyscallId::kSetSockOpt;
}

// Returns whether a call is made when a wait for events has timed out, or when
// a timer runs.
bool GoesOnAfterATime(const Script& script) {
  bool has_timed_out = false;
  for (const Script::Call& call : script.calls) {
    if (has_timed_out && !IsCleanUp(call.record)) return true;
    has_timed_out =
        has_timed_out || TimesOut(call.record) || SetsATimer(call.record);
  }
  return false;
}

// Returns whether a call counts the data in buffers that were filled up.
bool CountsWhatFillsBuffers(const Script& script) {
  bool is_full = false;
  for (const Script::Call& call : script.calls) {
    const CallRecord& record = call.record;
    is_full = is_full || (record.call == SyscallId::kSend &&
                          record.result.error() == EAGAIN);
    if (is_full && record.call == SyscallId::kIoctl && record.result.ok() &&
        record.arguments[2].state == ArgumentState::kTarget) {
      return true;
    }
  }
  return false;
}

// Returns whether two calls were blocked at the same time, and had different
// results.
bool HasBlockedCallsThatCompete(const Script& script) {
  std::set<size_t> blocked;
  for (const Script::Step& step : script.steps) {
    const Script::Call& call = script.calls[step.call];
    if (step.kind == Script::Step::Kind::kBegin) {
      for (const size_t number : blocked) {
        const CallRecord& other = script.calls[number].record;
        if (other.call == call.record.call &&
            other.result != call.record.result) {
          return true;
        }
      }
      blocked.insert(step.call);
    } else if (step.kind == Script::Step::Kind::kEnd) {
      blocked.erase(step.call);
    }
  }
  return false;
}

// A late acknowledgement may make room in a socket that was full.
bool DependsOnRoom(const Script& script) {
  bool was_full = false;  // A socket, for a send(2) that does not block.
  for (const Script::Call& call : script.calls) {
    const bool finds_none = call.record.result.error() == EAGAIN;
    switch (call.record.call) {
      case SyscallId::kSend:
      case SyscallId::kSendTo:
      case SyscallId::kSendMsg:
      case SyscallId::kWrite:
        if (call.is_blocked) return true;
        was_full |= finds_none;
        break;
      case SyscallId::kSplice:
      case SyscallId::kSendFile:
        if (was_full && (call.is_blocked || finds_none)) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

}  // namespace

absl::Status CheckReproducible(const Script& script) {
  if (script.reads_clock) {
    return absl::UnimplementedError(
        "it measures times, which are others on a busy machine");
  }
  if (GoesOnAfterATime(script)) {
    return absl::UnimplementedError(
        "it lets time pass, and then its calls must be made in time");
  }
  if (DependsOnRoom(script)) {
    return absl::UnimplementedError(
        "whether its send(2) blocks depends on the sizes of buffers");
  }
  if (CountsWhatFillsBuffers(script)) {
    return absl::UnimplementedError(
        "what it counts depends on the sizes of buffers");
  }
  if (HasBlockedCallsThatCompete(script)) {
    return absl::UnimplementedError(
        "which of its blocked calls returns first is chance");
  }
  return absl::OkStatus();
}

}  // namespace net::conformance
