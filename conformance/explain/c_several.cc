// Calls on several buffers, messages or descriptors, and those of timers and
// offsets: methods of CallWriter.

#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "conformance/explain/c_call.h"
#include "conformance/explain/c_values.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/fd_sets.h"
#include "fakes/symbols.h"
#include "syscalls/syscall_table.h"

namespace net::conformance {
namespace {

constexpr size_t kMostMessages = 16;
// The room of a message that recvmmsg(2) has not filled in.
constexpr size_t kRoom = 64;

std::string Timespec(const timespec& time) {
  return absl::StrCat("{", time.tv_sec, ", ", time.tv_nsec, "}");
}

// Returns the variable of the argument `i`: "set1_2".
std::string VariableOf(absl::string_view name, size_t i,
                       absl::string_view suffix) {
  return absl::StrCat(name, i, suffix);
}

Statement Check(absl::string_view expected, absl::string_view actual) {
  return {.line = absl::StrCat("IS(", expected, ", ", actual, ");")};
}

// Returns the descriptors of a set in a record of select(2).
std::vector<int> DescriptorsIn(absl::string_view set,
                               const CallRecord& record) {
  std::vector<int> fds;
  ForEachInSet(reinterpret_cast<const fd_set*>(set.data()),
               static_cast<int>(record.arguments.front().number),
               [&](int fd) { fds.push_back(fd); });
  return fds;
}

// Returns an array of buffers with room for a message, the first of which
// begins at `offset` of the variable `buffer`.
std::string Room(const std::vector<size_t>& sizes, size_t offset,
                 absl::string_view buffer) {
  std::vector<std::string> parts;
  for (const size_t size : sizes) {
    parts.push_back(absl::StrCat("{", buffer, " + ", offset, ", ", size, "}"));
    offset += size;
  }
  return absl::StrCat("(struct iovec[]){", absl::StrJoin(parts, ", "), "}");
}

// Returns where the data of a message begins in the variable `buffer`.
size_t OffsetOf(const CallRecord& record, size_t message) {
  size_t offset = 0;
  for (size_t i = 0; i < message; ++i) {
    if (i >= record.messages.size()) {
      offset += kRoom;
      continue;
    }
    for (const size_t size : record.messages[i].buffer_sizes) offset += size;
  }
  return offset;
}

}  // namespace

absl::StatusOr<std::string> CallWriter::Buffers(const CallRecord& record,
                                                size_t i,
                                                absl::string_view suffix) {
  const RecordedMessage& message = record.messages.front();
  if (message.buffers_state != ArgumentState::kTarget) {
    return absl::UnimplementedError("it passes an array that is not read");
  }
  const std::string buffer = Suffixed("buffer", suffix);
  if (ArgumentKindsOf(record.call)[i] == ArgumentKind::kBuffersOut ||
      message.data_state != ArgumentState::kTarget) {
    return Room(message.buffer_sizes, 0, buffer);
  }
  std::vector<std::string> parts;
  absl::string_view data = message.data;
  for (const size_t size : message.buffer_sizes) {
    parts.push_back(
        absl::StrCat("{", CString(data.substr(0, size)), ", ", size, "}"));
    data.remove_prefix(std::min(size, data.size()));
  }
  return absl::StrCat("(struct iovec[]){", absl::StrJoin(parts, ", "), "}");
}

absl::StatusOr<std::string> CallWriter::Messages(const CallRecord& record,
                                                 size_t i,
                                                 absl::string_view suffix,
                                                 std::string& before) {
  const auto count = static_cast<size_t>(record.arguments[i + 1].number);
  const bool is_in =
      ArgumentKindsOf(record.call)[i] == ArgumentKind::kMessagesIn;
  if (count > kMostMessages || (is_in && record.messages.size() != count)) {
    return absl::UnimplementedError("it passes messages that are not read");
  }
  const std::string name = Suffixed("messages", suffix);
  const std::string buffer = Suffixed("buffer", suffix);
  for (size_t k = 0; k < count; ++k) {
    std::string header;
    if (is_in) {
      absl::StatusOr<std::string> pointer = MessageIn(record.messages[k]);
      if (!pointer.ok()) return pointer.status();
      header = absl::StrCat("*", *pointer);
    } else {
      const std::vector<size_t> sizes = k < record.messages.size()
                                            ? record.messages[k].buffer_sizes
                                            : std::vector<size_t>{kRoom};
      header =
          absl::StrCat("{.msg_iov = ", Room(sizes, OffsetOf(record, k), buffer),
                       ", .msg_iovlen = ", sizes.size(), "}");
    }
    absl::StrAppend(&before, name, "[", k, "] = (struct mmsghdr){", header,
                    ", 0}; ");
  }
  return name;
}

std::string CallWriter::Set(const CallRecord& record, size_t i,
                            absl::string_view suffix,
                            std::string& before) const {
  std::string set = absl::StrCat("&", VariableOf("set", i, suffix));
  absl::StrAppend(&before, "FD_ZERO(", set, "); ");
  for (const int fd : DescriptorsIn(record.TargetBefore(i), record)) {
    absl::StrAppend(&before, "FD_SET(", names_.OfDescriptor(fd), ", ", set,
                    "); ");
  }
  return set;
}

absl::StatusOr<std::string> CallWriter::ArgumentOfSeveral(
    const CallRecord& record, size_t i, absl::string_view suffix,
    std::string& before) {
  const ArgumentKind kind = ArgumentKindsOf(record.call)[i];
  const auto number = static_cast<int>(record.arguments[i].number);
  switch (kind) {
    case ArgumentKind::kTimerFlags:
      return TimerFlagSymbols(number);
    case ArgumentKind::kSpliceFlags:
      return SpliceFlagSymbols(number);
    case ArgumentKind::kClock:
      return ClockSymbol(number);
    case ArgumentKind::kTimerOut:
      if (record.result.error() == EFAULT) break;
      return absl::StrCat("&", Suffixed("timer_value", suffix));
    case ArgumentKind::kMessagesOut:
      if (record.result.error() == EFAULT) break;
      return Messages(record, i, suffix, before);
    default:
      break;
  }
  if (record.arguments[i].state != ArgumentState::kTarget) {
    return absl::UnimplementedError(
        "it gives a call something that no trace can show");
  }
  const absl::string_view target = record.Target(i);
  switch (kind) {
    case ArgumentKind::kBuffersIn:
    case ArgumentKind::kBuffersOut:
      return Buffers(record, i, suffix);
    case ArgumentKind::kMessagesIn:
      return Messages(record, i, suffix, before);
    case ArgumentKind::kFdSet:
      if (record.arguments.front().number > FD_SETSIZE) break;
      return Set(record, i, suffix, before);
    case ArgumentKind::kTimevalInOut: {
      const auto time = Load<timeval>(target);
      const std::string variable = Suffixed("time_value", suffix);
      absl::StrAppend(&before, variable, " = (struct timeval){", time.tv_sec,
                      ", ", time.tv_usec, "}; ");
      return absl::StrCat("&", variable);
    }
    case ArgumentKind::kTimeInOut: {
      const std::string variable = Suffixed("time_left", suffix);
      absl::StrAppend(&before, variable, " = (struct timespec)",
                      Timespec(Load<timespec>(target)), "; ");
      return absl::StrCat("&", variable);
    }
    case ArgumentKind::kTimerIn: {
      const auto timer = Load<itimerspec>(target);
      return absl::StrCat("&(struct itimerspec){", Timespec(timer.it_interval),
                          ", ", Timespec(timer.it_value), "}");
    }
    case ArgumentKind::kOffsetInOut: {
      const std::string variable = VariableOf("offset", i, suffix);
      absl::StrAppend(&before, variable, " = ", Load<int64_t>(target), "; ");
      return absl::StrCat("&", variable);
    }
    default:
      break;
  }
  return absl::UnimplementedError(absl::StrCat(
      "it calls ", SyscallName(record.call), "(2), for which no C is written"));
}

void CallWriter::CheckMessages(const CallRecord& record,
                               absl::string_view suffix,
                               std::vector<Statement>& checks) {
  for (size_t k = 0; k < record.messages.size(); ++k) {
    const RecordedMessage& message = record.messages[k];
    if (static_cast<int64_t>(k) >= record.result.value()) break;
    const std::string name =
        absl::StrCat(Suffixed("messages", suffix), "[", k, "]");
    checks.push_back(
        Check(absl::StrCat(message.length), absl::StrCat(name, ".msg_len")));
    const bool is_out = record.call == SyscallId::kRecvMMsg;
    if (!is_out || message.data.empty()) continue;
    checks.push_back({.line = absl::StrCat("IS_DATA(", CString(message.data),
                                           ", ", message.data.size(), ", ",
                                           Suffixed("buffer", suffix), " + ",
                                           OffsetOf(record, k), ");")});
  }
}

void CallWriter::CheckSeveral(const CallRecord& record, size_t i,
                              absl::string_view suffix,
                              std::vector<Statement>& checks) const {
  if (record.arguments[i].state != ArgumentState::kTarget) return;
  switch (ArgumentKindsOf(record.call)[i]) {
    case ArgumentKind::kBuffersOut:
      if (record.messages.front().data_state == ArgumentState::kTarget) {
        CheckData(record.messages.front().data, suffix, checks);
      }
      return;
    case ArgumentKind::kMessagesIn:
    case ArgumentKind::kMessagesOut:
      return CheckMessages(record, suffix, checks);
    case ArgumentKind::kFdSet: {
      const std::vector<int> after =
          DescriptorsIn(record.TargetAfter(i), record);
      for (const int fd : DescriptorsIn(record.TargetBefore(i), record)) {
        const bool is_in =
            std::find(after.begin(), after.end(), fd) != after.end();
        checks.push_back(
            Check(is_in ? "1" : "0",
                  absl::StrCat("FD_ISSET(", names_.OfDescriptor(fd), ", &",
                               VariableOf("set", i, suffix), ") != 0")));
      }
      return;
    }
    case ArgumentKind::kTimerOut: {
      // The time that is left differs from run to run.
      const auto timer = Load<itimerspec>(record.Target(i));
      const std::string interval =
          absl::StrCat(Suffixed("timer_value", suffix), ".it_interval");
      checks.push_back(Check(absl::StrCat(timer.it_interval.tv_sec),
                             absl::StrCat(interval, ".tv_sec")));
      checks.push_back(Check(absl::StrCat(timer.it_interval.tv_nsec),
                             absl::StrCat(interval, ".tv_nsec")));
      return;
    }
    case ArgumentKind::kOffsetInOut:
      checks.push_back(Check(absl::StrCat(Load<int64_t>(record.TargetAfter(i))),
                             VariableOf("offset", i, suffix)));
      return;
    default:
      return;
  }
}

}  // namespace net::conformance
