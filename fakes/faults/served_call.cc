#include "fakes/faults/served_call.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/invocation.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

// The arguments of all played calls that move data.
constexpr size_t kFdIndex = 0;
constexpr size_t kDataIndex = 1;  // The buffer or the message.

bool IsOneOf(SyscallId call, absl::Span<const SyscallId> calls) {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

// The record of a readv(2) or writev(2), as the call of a message.
CallRecord AsMessage(const CallRecord& record, SyscallId call) {
  CallRecord message = record;
  message.call = call;
  message.arguments[2] = {};  // No flags.
  return message;
}

// The record without the arguments after the first `count` ones.
CallRecord Shortened(const CallRecord& record, SyscallId call, size_t count) {
  CallRecord shortened = record;
  shortened.call = call;
  std::fill(shortened.arguments.begin() + static_cast<ptrdiff_t>(count),
            shortened.arguments.end(), RecordedArgument());
  return shortened;
}

bool IsEpollWait(SyscallId call) {
  return call == SyscallId::kEpollWait || call == SyscallId::kEpollPWait2;
}

// Returns whether programs may use either of two calls.
bool AreAlike(SyscallId one, SyscallId other) {
  const auto is_poll = [](SyscallId call) {
    return call == SyscallId::kPoll || call == SyscallId::kPPoll;
  };
  return one == other || (is_poll(one) && is_poll(other)) ||
         (IsEpollWait(one) && IsEpollWait(other));
}

// Returns whether an argument may differ: see class Replayer.
bool MayDiffer(const CallRecord& recorded, size_t i) {
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(recorded.call);
  switch (kinds[i]) {
    case ArgumentKind::kTimeIn:
    case ArgumentKind::kTimerIn:
    case ArgumentKind::kSignalsIn:
      return true;
    case ArgumentKind::kNumber:  // A timeout or a number of events.
      return recorded.call == SyscallId::kPoll || IsEpollWait(recorded.call);
    case ArgumentKind::kIoctlArgument:
      return recorded.arguments[1].number != FIONBIO;
    default:
      return IsOutParameter(kinds[i]);
  }
}

// Returns whether two targets are the same for the kernel.
bool AreSameTargets(ArgumentKind kind, absl::string_view one,
                    absl::string_view other) {
  if (kind == ArgumentKind::kPollSet) {
    if (one.size() != other.size()) return false;
    for (size_t i = 0; i < one.size(); i += sizeof(pollfd)) {
      constexpr size_t kIn = offsetof(pollfd, revents);
      if (one.substr(i, kIn) != other.substr(i, kIn)) return false;
    }
    return true;
  }
  if (kind == ArgumentKind::kEpollEventIn) {
    constexpr size_t kIn = offsetof(epoll_event, data);
    return one.substr(0, kIn) == other.substr(0, kIn);
  }
  return one == other;
}

// Returns whether what was recorded in an array of events fits into the
// caller's.
bool FitsEvents(const CallRecord& recorded, const CallRecord& called) {
  return !IsEpollWait(recorded.call) || !recorded.result.ok() ||
         recorded.result.value() <= called.arguments[2].number;
}

std::string DifferenceOfTransfers(const Transfer& recorded,
                                  const Transfer& called, bool is_ok) {
  if (recorded.is_send != called.is_send) return "another call";
  if (recorded.fd != called.fd) return "another descriptor";
  // Only C and C++ programs need MSG_NOSIGNAL: others ignore SIGPIPE.
  if (((recorded.flags ^ called.flags) & ~MSG_NOSIGNAL) != 0) {
    return "other flags";
  }
  if (!recorded.is_send) {
    const bool fits = !is_ok || !recorded.data.has_value() ||
                      recorded.data->size() <= called.capacity;
    return fits ? "" : "a buffer that is smaller than the data";
  }
  const bool is_same = !recorded.data.has_value() || !called.data.has_value() ||
                       *recorded.data == *called.data;
  return is_same ? "" : "other data";
}

// Returns whether the caller wants a value that the trace does not have.
bool LacksValue(const CallRecord& recorded, const CallRecord& called,
                size_t i) {
  const ArgumentKind kind = ArgumentKindsOf(recorded.call)[i];
  const bool is_wanted = called.arguments[i].state != ArgumentState::kNull;
  if (kind == ArgumentKind::kTimeLeft || !recorded.result.ok() || !is_wanted ||
      !IsOutParameter(kind)) {
    return false;
  }
  if (recorded.arguments[i].state != ArgumentState::kTarget) {
    return kind != ArgumentKind::kLengthInOut ||
           called.arguments[i - 1].state != ArgumentState::kNull;
  }
  if (kind != ArgumentKind::kLengthInOut) return false;
  // An address may have been cut to the recorded length.
  socklen_t full = 0;
  std::memcpy(&full, recorded.Target(i).data(), sizeof(full));
  const auto wanted = static_cast<socklen_t>(called.arguments[i].number);
  return std::min(full, wanted) > recorded.Target(i - 1).size();
}

void WriteBytes(absl::string_view bytes, const void* to, size_t size) {
  if (to == nullptr || bytes.empty()) return;
  std::memcpy(const_cast<void*>(to), bytes.data(),
              std::min(bytes.size(), size));
}

void WriteData(absl::string_view data, absl::Span<const iovec> buffers) {
  for (const iovec& buffer : buffers) {
    WriteBytes(data, buffer.iov_base, buffer.iov_len);
    data.remove_prefix(std::min(data.size(), buffer.iov_len));
  }
}

void WriteMessage(const CallRecord& recorded, msghdr& message) {
  if (!recorded.result.ok()) return;
  WriteData(TransferOf(recorded)->data.value_or(""),
            absl::MakeConstSpan(message.msg_iov, message.msg_iovlen));
  message.msg_flags = 0;
  if (recorded.messages.empty()) {  // TCP gives no name and no control data.
    message.msg_namelen = 0;
    message.msg_controllen = 0;
    return;
  }
  const RecordedMessage& from = recorded.messages.front();
  WriteBytes(from.name, message.msg_name, message.msg_namelen);
  WriteBytes(from.control, message.msg_control, message.msg_controllen);
  message.msg_namelen = from.name_size;
  message.msg_controllen = from.control_size;
  message.msg_flags = from.flags;
}

void WriteTransfer(const CallRecord& recorded, const Invocation& invocation) {
  if (const auto* const message = invocation.As<Call::kRecvMsg>()) {
    WriteMessage(recorded, *message->message);
    return;
  }
  if (!recorded.result.ok()) return;
  const std::string data = TransferOf(recorded)->data.value_or("");
  if (const auto* const recv = invocation.As<Call::kRecv>()) {
    WriteBytes(data, recv->data, recv->size);
  } else if (const auto* const read = invocation.As<Call::kRead>()) {
    WriteBytes(data, read->data, read->size);
  } else if (const auto* const readv = invocation.As<Call::kReadV>()) {
    WriteData(data, absl::MakeConstSpan(readv->buffers,
                                        static_cast<size_t>(readv->count)));
  } else if (const auto* const from = invocation.As<Call::kRecvFrom>()) {
    WriteBytes(data, from->data, from->size);
    // TCP gives no name.
    if (from->addr != nullptr && from->len != nullptr) *from->len = 0;
  }
}

// Writes a value with the length after it. The kernel cuts the value to the
// caller's length, and sets the length to that of the whole address, or to that
// of what it has written of an option.
void WriteWithLength(const CallRecord& recorded, size_t i, const Argument& to,
                     const Argument& length) {
  const absl::string_view value = recorded.Target(i);
  if (to.pointer == nullptr || length.pointer == nullptr) return;
  socklen_t size = 0;
  std::memcpy(&size, length.pointer, sizeof(size));
  WriteBytes(value, to.pointer, size);
  WriteBytes(recorded.Target(i + 1), length.pointer, sizeof(socklen_t));
}

void WriteRevents(absl::string_view recorded, const Argument& set) {
  for (size_t i = 0; i < recorded.size(); i += sizeof(pollfd)) {
    const size_t at = i + offsetof(pollfd, revents);
    WriteBytes(recorded.substr(at, sizeof(pollfd::revents)),
               static_cast<const char*>(set.pointer) + at,
               sizeof(pollfd::revents));
  }
}

template <typename T>
uint64_t AsRegister(T argument) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<uint64_t>(argument);
  } else {
    return static_cast<uint64_t>(argument);
  }
}

}  // namespace

int ThreadNumber() {
  static std::atomic<int> last = 0;
  thread_local const int number = ++last;
  return number;
}

std::array<uint64_t, 6> RegistersOf(const Invocation& invocation) {
  // Not through List(), which costs three times as much.
  switch (invocation.call()) {
#define NET_REGISTER(type, name, kind) AsRegister(arguments.name)
#define NET_SYSCALL(method, name, result, ...)                               \
  case Call::k##method: {                                                    \
    const auto& arguments = *invocation.As<Call::k##method>();               \
    return {NET_SYSCALL_EACH(NET_REGISTER, NET_SYSCALL_COMMA, __VA_ARGS__)}; \
  }
#include "syscalls/syscall_table.inc"
#undef NET_REGISTER
  }
  return {};
}

bool IsOutParameter(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::kAddressOut:
    case ArgumentKind::kAddressOutOrNull:
    case ArgumentKind::kLengthInOut:
    case ArgumentKind::kOptionOut:
    case ArgumentKind::kDataOut:
    case ArgumentKind::kMessageOut:
    case ArgumentKind::kBuffersOut:
    case ArgumentKind::kMessagesOut:
    case ArgumentKind::kEpollEventsOut:
    case ArgumentKind::kTimeOut:
    case ArgumentKind::kTimeLeft:
    case ArgumentKind::kTimerOut:
    case ArgumentKind::kFdPairOut:
      return true;
    default:
      return false;
  }
}

std::optional<CallRecord> AsPlayedCall(const CallRecord& record) {
  switch (record.call) {
    case SyscallId::kAccept:
      return Shortened(record, SyscallId::kAccept4, 3);
    case SyscallId::kSendTo:
      return Shortened(record, SyscallId::kSend, 4);
    case SyscallId::kRecvFrom:
      return Shortened(record, SyscallId::kRecv, 4);
    case SyscallId::kWriteV:
      return AsMessage(record, SyscallId::kSendMsg);
    case SyscallId::kReadV:
      return AsMessage(record, SyscallId::kRecvMsg);
    case SyscallId::kEpollPWait:
      return Shortened(record, SyscallId::kEpollWait, 4);
    case SyscallId::kSendMMsg:
    case SyscallId::kRecvMMsg:
    case SyscallId::kSelect:
    case SyscallId::kPSelect6:
      return std::nullopt;
    default:
      if (!CallOf(record.call).has_value()) return std::nullopt;
      return record;
  }
}

std::optional<Transfer> TransferOf(const CallRecord& record) {
  using Id = SyscallId;
  Transfer transfer;
  transfer.is_send =
      IsOneOf(record.call, {Id::kSend, Id::kWrite, Id::kSendMsg});
  if (!transfer.is_send &&
      !IsOneOf(record.call, {Id::kRecv, Id::kRead, Id::kRecvMsg})) {
    return std::nullopt;
  }
  transfer.fd = record.arguments[kFdIndex].number;
  const size_t flags = ArgumentIndex(record.call, ArgumentKind::kMessageFlags);
  if (flags < record.arguments.size() &&
      flags < ArgumentKindsOf(record.call).size()) {
    transfer.flags = static_cast<int>(record.arguments[flags].number);
  }
  const bool is_known =
      record.arguments[kDataIndex].state == ArgumentState::kTarget;
  if (!record.messages.empty()) {
    const RecordedMessage& message = record.messages.front();
    transfer.capacity = std::accumulate(message.buffer_sizes.begin(),
                                        message.buffer_sizes.end(), size_t{0});
    if (message.data_state == ArgumentState::kTarget) {
      transfer.data = message.data;
    }
  } else {
    transfer.capacity = static_cast<size_t>(record.arguments[2].number);
    if (is_known) transfer.data = std::string(record.Target(kDataIndex));
  }
  return transfer;
}

std::string DifferenceOf(const CallRecord& recorded, const CallRecord& called) {
  const std::optional<Transfer> recorded_transfer = TransferOf(recorded);
  const std::optional<Transfer> called_transfer = TransferOf(called);
  if (recorded_transfer.has_value() && called_transfer.has_value()) {
    return DifferenceOfTransfers(*recorded_transfer, *called_transfer,
                                 recorded.result.ok());
  }
  if (!AreAlike(recorded.call, called.call)) return "another call";
  if (!FitsEvents(recorded, called)) return "fewer events than were ready";
  const size_t count = std::min(ArgumentKindsOf(recorded.call).size(),
                                ArgumentKindsOf(called.call).size());
  for (size_t i = 0; i < count; ++i) {
    const std::string which = absl::StrCat("argument ", i + 1);
    if (LacksValue(recorded, called, i)) {
      return absl::StrCat(which, " is wanted, and was not recorded");
    }
    if (MayDiffer(recorded, i) || MayDiffer(called, i)) continue;
    const RecordedArgument& one = recorded.arguments[i];
    const RecordedArgument& other = called.arguments[i];
    if (one.state == ArgumentState::kUnknown ||
        other.state == ArgumentState::kUnknown) {
      continue;
    }
    if (one.state != other.state || one.number != other.number ||
        !AreSameTargets(ArgumentKindsOf(recorded.call)[i], recorded.Target(i),
                        called.Target(i))) {
      return absl::StrCat(which, " differs");
    }
  }
  return "";
}

void WriteOutParameters(const CallRecord& recorded,
                        const Invocation& invocation) {
  if (TransferOf(recorded).has_value()) {
    WriteTransfer(recorded, invocation);
    return;
  }
  const absl::InlinedVector<Argument, 6> arguments = invocation.List();
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(recorded.call);
  for (size_t i = 0; i < std::min(kinds.size(), arguments.size()); ++i) {
    const absl::string_view target = recorded.Target(i);
    if (recorded.arguments[i].state != ArgumentState::kTarget) continue;
    switch (kinds[i]) {
      case ArgumentKind::kAddressOut:
      case ArgumentKind::kAddressOutOrNull:
      case ArgumentKind::kOptionOut:
        WriteWithLength(recorded, i, arguments[i], arguments[i + 1]);
        break;
      case ArgumentKind::kPollSet:
        if (recorded.result.ok()) WriteRevents(target, arguments[i]);
        break;
      case ArgumentKind::kEpollEventsOut:
      case ArgumentKind::kTimeOut:
      case ArgumentKind::kTimeLeft:
      case ArgumentKind::kTimerOut:
      case ArgumentKind::kFdPairOut:
        WriteBytes(target, arguments[i].pointer, target.size());
        break;
      case ArgumentKind::kIoctlArgument:
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the request says it is one
        WriteBytes(target, reinterpret_cast<const void*>(arguments[i].number),
                   target.size());
        break;
      default:
        break;
    }
  }
}

}  // namespace net
