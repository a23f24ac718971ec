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
#include "fakes/call_text.h"
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
  const auto is_select = [](SyscallId call) {
    return call == SyscallId::kSelect || call == SyscallId::kPSelect6;
  };
  return one == other || (is_poll(one) && is_poll(other)) ||
         (is_select(one) && is_select(other)) ||
         (IsEpollWait(one) && IsEpollWait(other));
}

// Returns whether an argument may differ: see class Replayer.
bool MayDiffer(const CallRecord& recorded, size_t i) {
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(recorded.call);
  switch (kinds[i]) {
    case ArgumentKind::kTimeIn:
    case ArgumentKind::kTimeInOut:
    case ArgumentKind::kTimevalInOut:
    case ArgumentKind::kTimerIn:
    case ArgumentKind::kSignalsIn:
      return true;
    case ArgumentKind::kNumber:  // A timeout, a number of events or messages.
      return recorded.call == SyscallId::kPoll ||
             recorded.call == SyscallId::kRecvMMsg ||
             IsEpollWait(recorded.call);
    case ArgumentKind::kIoctlArgument:
      return recorded.arguments[1].number != FIONBIO;
    default:
      return IsOutParameter(kinds[i]);
  }
}

// Returns whether two calls send the same messages.
bool AreSameMessages(const CallRecord& one, const CallRecord& other) {
  return std::equal(one.messages.begin(), one.messages.end(),
                    other.messages.begin(), other.messages.end(),
                    [](const RecordedMessage& a, const RecordedMessage& b) {
                      return a.data == b.data && a.name == b.name &&
                             a.control == b.control;
                    });
}

// Returns whether flags differ in more than MSG_NOSIGNAL. Only C and C++
// programs need that: others ignore SIGPIPE.
bool AreOtherFlags(int64_t one, int64_t other) {
  return ((one ^ other) & ~MSG_NOSIGNAL) != 0;
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
  if (AreOtherFlags(recorded.flags, called.flags)) return "other flags";
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
  const bool is_out = IsOutParameter(kind) || kind == ArgumentKind::kFdSet ||
                      kind == ArgumentKind::kOffsetInOut;
  if (kind == ArgumentKind::kTimeLeft || !recorded.result.ok() || !is_wanted ||
      !is_out) {
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

// Writes the fields that recvmsg(2) fills in, and no data.
void WriteFields(const RecordedMessage& from, msghdr& message) {
  WriteBytes(from.name, message.msg_name, message.msg_namelen);
  WriteBytes(from.control, message.msg_control, message.msg_controllen);
  message.msg_namelen = from.name_size;
  message.msg_controllen = from.control_size;
  message.msg_flags = from.flags;
}

void WriteMessage(const CallRecord& recorded, msghdr& message) {
  if (!recorded.result.ok()) return;
  WriteData(TransferOf(recorded)->data.value_or(""),
            absl::MakeConstSpan(message.msg_iov, message.msg_iovlen));
  // A call without a message gives no name and no control data.
  WriteFields(
      recorded.messages.empty() ? RecordedMessage() : recorded.messages.front(),
      message);
}

// Writes the messages of sendmmsg(2) or recvmmsg(2).
void WriteMessages(const CallRecord& recorded, bool is_out, mmsghdr* messages) {
  const auto count = static_cast<size_t>(recorded.result.value());
  for (size_t i = 0; i < std::min(count, recorded.messages.size()); ++i) {
    const RecordedMessage& from = recorded.messages[i];
    messages[i].msg_len = from.length;
    if (!is_out) continue;
    msghdr& header = messages[i].msg_hdr;
    WriteData(from.data,
              absl::MakeConstSpan(header.msg_iov, header.msg_iovlen));
    WriteFields(from, header);
  }
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

CallRecord AsPlayedCall(const CallRecord& record) {
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
    default:
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
  if (recorded.call == SyscallId::kRecvMMsg && recorded.result.ok() &&
      recorded.result.value() > called.arguments[2].number) {
    return "fewer messages than were received";
  }
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
    const ArgumentKind kind = ArgumentKindsOf(recorded.call)[i];
    const bool is_same_number = kind == ArgumentKind::kMessageFlags
                                    ? !AreOtherFlags(one.number, other.number)
                                    : one.number == other.number;
    const bool is_same_target =
        IsChanged(kind)
            ? recorded.TargetBefore(i) == called.TargetBefore(i)
            : AreSameTargets(kind, recorded.Target(i), called.Target(i));
    if (one.state != other.state || !is_same_number || !is_same_target ||
        (AreMessages(kind) && !AreSameMessages(recorded, called))) {
      return absl::StrCat(which, " differs");
    }
  }
  return "";
}

bool FitsMessages(const CallRecord& recorded, const Invocation& invocation) {
  const auto* const call = invocation.As<Call::kRecvMMsg>();
  if (call == nullptr || !recorded.result.ok()) return true;
  for (size_t i = 0; i < recorded.messages.size(); ++i) {
    const msghdr& header = call->messages[i].msg_hdr;
    size_t room = 0;
    for (size_t k = 0; k < header.msg_iovlen; ++k) {
      room += header.msg_iov[k].iov_len;
    }
    if (recorded.messages[i].data.size() > room) return false;
  }
  return true;
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
      case ArgumentKind::kFdSet:
      case ArgumentKind::kTimeInOut:
      case ArgumentKind::kTimevalInOut:
      case ArgumentKind::kOffsetInOut: {
        // The timeout of pselect(2) is of another kind than that of select(2).
        if (arguments[i].kind != kinds[i]) break;
        const absl::string_view after = recorded.TargetAfter(i);
        WriteBytes(after, arguments[i].pointer, after.size());
        break;
      }
      case ArgumentKind::kMessagesIn:
      case ArgumentKind::kMessagesOut:
        if (!recorded.result.ok()) break;
        WriteMessages(
            recorded, kinds[i] == ArgumentKind::kMessagesOut,
            static_cast<mmsghdr*>(const_cast<void*>(arguments[i].pointer)));
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
