#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/line_reader.h"
#include "fakes/faults/read_value.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/faults/trace.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

// Parses a line into a record.
class CallParser {
 public:
  CallParser(absl::string_view line, int number) : reader_(line, number) {}

  absl::StatusOr<CallRecord> Parse();

 private:
  // A target, with its place in the line.
  struct Text {
    std::string bytes;
    bool may_be_padded = false;  // With zeros: an address in its usual form.
    size_t position = 0;
  };

  void ReadCall();
  void ReadArguments();
  // Returns whether the argument `i` has a text: F_GETFD has no argument.
  bool HasText(size_t i) const;
  void ReadArgument(size_t i);
  void ReadTarget(size_t i);
  void ReadResult();
  void ReadPollResults();
  void SetTargets();

  Text ReadAddress();
  std::string ReadLength(size_t i);
  // Reads a target that the call changes, before and after the call.
  std::string ReadChanged(size_t i);
  std::string ReadChangedOnce(size_t i);
  void ReadMessage(RecordedMessage& message);
  void ReadMessages();
  void ReadBuffers(RecordedMessage& message);
  // Reads "NULL", "?" or a target, for a part of a message.
  ArgumentState ReadPart(absl::FunctionRef<void()> read_target);
  void CheckMessages(size_t i);
  void CheckData(size_t i, const RecordedMessage& message, size_t rest);

  ArgumentKind kind(size_t i) const { return kinds_[i]; }

  LineReader reader_;
  CallRecord record_;
  absl::Span<const ArgumentKind> kinds_;
  std::array<Text, 6> texts_;
};

absl::StatusOr<CallRecord> CallParser::Parse() {
  ReadCall();
  if (reader_.ok()) ReadArguments();
  if (reader_.ok()) ReadResult();
  if (reader_.ok()) SetTargets();
  if (!reader_.ok()) return reader_.status();
  return std::move(record_);
}

void CallParser::ReadCall() {
  if (reader_.TryRead("[")) {
    record_.thread = static_cast<int>(reader_.ReadNumber(1, INT_MAX));
    reader_.Read("] ");
  }
  const size_t begin = reader_.position();
  const std::optional<SyscallId> call =
      SyscallIdFromName(reader_.ReadWord("_"));
  if (!call.has_value()) {
    reader_.FailAt(begin, "the name of a system call");
    return;
  }
  record_.call = *call;
  kinds_ = ArgumentKindsOf(*call);
}

void CallParser::ReadArguments() {
  reader_.Read("(");
  for (size_t i = 0; i < kinds_.size() && reader_.ok(); ++i) {
    if (!HasText(i)) continue;
    if (i > 0) reader_.Read(", ");
    ReadArgument(i);
  }
  reader_.Read(")");
}

bool CallParser::HasText(size_t i) const {
  if (kind(i) == ArgumentKind::kFcntlArgument) {
    const int64_t command = record_.arguments[i - 1].number;
    return command != F_GETFD && command != F_GETFL && command != F_GETPIPE_SZ;
  }
  if (kind(i) == ArgumentKind::kIoctlArgument) {
    const int64_t request = record_.arguments[i - 1].number;
    return request != FIOCLEX && request != FIONCLEX;
  }
  return true;
}

void CallParser::ReadArgument(size_t i) {
  RecordedArgument& argument = record_.arguments[i];
  texts_[i].position = reader_.position();
  if (reader_.TryRead("NULL")) {
    argument.state = ArgumentState::kNull;
  } else if (reader_.TryRead("?")) {
    argument.state = ArgumentState::kUnknown;
  } else if (kind(i) == ArgumentKind::kSize) {
    argument.number = static_cast<int64_t>(reader_.ReadSize());
  } else if (kind(i) == ArgumentKind::kIoctlRequest) {
    argument.number = reader_.ReadNumber();
  } else if (!IsPointer(kind(i)) && kind(i) != ArgumentKind::kIoctlArgument) {
    argument.number = reader_.ReadInt();
  } else {
    argument.state = ArgumentState::kTarget;
    ReadTarget(i);
  }
  const bool may_be_number = !IsPointer(kind(i));
  const bool may_be_pointer = !may_be_number ||
                              kind(i) == ArgumentKind::kFcntlArgument ||
                              kind(i) == ArgumentKind::kIoctlArgument;
  if (argument.state != ArgumentState::kNumber && !may_be_pointer) {
    reader_.FailAt(texts_[i].position, "a symbol or a number");
  }
}

void CallParser::ReadTarget(size_t i) {
  Text& text = texts_[i];
  switch (kind(i)) {
    case ArgumentKind::kAddressIn:
    case ArgumentKind::kAddressOut:
    case ArgumentKind::kAddressOutOrNull:
      text = ReadAddress();
      return;
    case ArgumentKind::kLengthInOut:
      text.bytes = ReadLength(i);
      return;
    case ArgumentKind::kOptionIn:
    case ArgumentKind::kOptionOut:
      text.bytes = ReadOption(reader_);
      return;
    case ArgumentKind::kDataIn:
    case ArgumentKind::kDataOut:
      text.bytes = reader_.ReadBytes();
      return;
    case ArgumentKind::kMessageIn:
    case ArgumentKind::kMessageOut:
      return ReadMessage(record_.messages.emplace_back());
    case ArgumentKind::kMessagesIn:
    case ArgumentKind::kMessagesOut:
      return ReadMessages();
    case ArgumentKind::kFdSet:
    case ArgumentKind::kTimeInOut:
    case ArgumentKind::kTimevalInOut:
    case ArgumentKind::kOffsetInOut:
      text.bytes = ReadChanged(i);
      return;
    case ArgumentKind::kBuffersIn:
    case ArgumentKind::kBuffersOut:
      record_.messages.emplace_back();
      record_.messages.back().buffers_state = ArgumentState::kTarget;
      return ReadBuffers(record_.messages.back());
    case ArgumentKind::kPollSet:
      text.bytes = ReadPollSet(reader_);
      return;
    case ArgumentKind::kEpollEventIn:
      text.bytes = ReadEvent(reader_);
      return;
    case ArgumentKind::kEpollEventsOut:
      text.bytes = ReadEvents(reader_);
      return;
    case ArgumentKind::kTimeIn:
    case ArgumentKind::kTimeOut:
    case ArgumentKind::kTimeLeft:
      text.bytes = ReadTimeval(reader_, "tv_nsec=");
      return;
    case ArgumentKind::kTimerIn:
    case ArgumentKind::kTimerOut:
      text.bytes = ReadTimer(reader_);
      return;
    case ArgumentKind::kSignalsIn:
      text.bytes = ReadSignals(reader_);
      return;
    case ArgumentKind::kFdPairOut:
      text.bytes = ReadInts(reader_, 2);
      return;
    case ArgumentKind::kIoctlArgument:
      text.bytes = ReadInts(reader_, 1);
      return;
    default:
      reader_.Fail(R"("NULL" or "?")");
  }
}

CallParser::Text CallParser::ReadAddress() {
  const size_t begin = reader_.position();
  if (reader_.IsNext("\"")) return {reader_.ReadBytes(), false, begin};
  reader_.Read("{");
  const int family = reader_.ReadInt();
  reader_.Read(", ");
  const size_t position = reader_.position();
  const std::optional<ip::Endpoint> endpoint =
      ip::Endpoint::Parse(reader_.ReadUntil('}'));
  reader_.Read("}");
  if (!endpoint.has_value()) {
    reader_.FailAt(position, "an address and a port, such as 127.0.0.1:80");
    return {};
  }
  const ip::SockAddr address(*endpoint);
  if (address.get()->sa_family != family) {
    reader_.FailAt(position, "an address of the family");
  }
  return {
      std::string(reinterpret_cast<const char*>(address.get()), address.size()),
      true, begin};
}

std::string CallParser::ReadLength(size_t i) {
  reader_.Read("[");
  const int before = reader_.ReadInt();
  const int after = reader_.TryRead(" => ") ? reader_.ReadInt() : before;
  reader_.Read("]");
  record_.arguments[i].number = static_cast<socklen_t>(before);
  return BytesOf(static_cast<socklen_t>(after));
}

ArgumentState CallParser::ReadPart(absl::FunctionRef<void()> read_target) {
  if (reader_.TryRead("NULL")) return ArgumentState::kNull;
  if (reader_.TryRead("?")) return ArgumentState::kUnknown;
  read_target();
  return ArgumentState::kTarget;
}

std::string CallParser::ReadChanged(size_t i) {
  std::string before = ReadChangedOnce(i);
  return before + (reader_.TryRead(" => ") ? ReadChangedOnce(i) : before);
}

std::string CallParser::ReadChangedOnce(size_t i) {
  switch (kind(i)) {
    case ArgumentKind::kTimeInOut:
      return ReadTimeval(reader_, "tv_nsec=");
    case ArgumentKind::kTimevalInOut:
      return ReadTimeval(reader_, "tv_usec=");
    case ArgumentKind::kOffsetInOut:
      return ReadOffset(reader_);
    default:
      return ReadFdSet(reader_,
                       static_cast<int>(record_.arguments.front().number));
  }
}

void CallParser::ReadMessages() {
  reader_.Read("[");
  while (reader_.ok() && !reader_.IsNext("]")) {
    if (!record_.messages.empty()) reader_.Read(", ");
    RecordedMessage& message = record_.messages.emplace_back();
    reader_.Read("{msg_hdr=");
    ReadMessage(message);
    reader_.Read(", msg_len=");
    message.length = static_cast<uint32_t>(reader_.ReadNumber(0, UINT32_MAX));
    reader_.Read("}");
  }
  reader_.Read("]");
}

void CallParser::ReadMessage(RecordedMessage& message) {
  Text name;
  reader_.Read("{msg_name=");
  message.name_state = ReadPart([&] { name = ReadAddress(); });
  reader_.Read(", msg_namelen=");
  message.name_size = static_cast<socklen_t>(reader_.ReadNumber(0, UINT32_MAX));
  if (message.name_state == ArgumentState::kTarget) {
    if (name.may_be_padded && name.bytes.size() < message.name_size &&
        message.name_size <= sizeof(sockaddr_storage)) {
      name.bytes.resize(message.name_size);
    }
    message.name = std::move(name.bytes);
    if (message.name.size() != message.name_size) {
      reader_.FailAt(name.position, "an address of msg_namelen bytes");
    }
  }
  reader_.Read(", msg_iov=");
  message.buffers_state = ReadPart([&] { ReadBuffers(message); });
  reader_.Read(", msg_iovlen=");
  const size_t count_position = reader_.position();
  message.buffer_count = reader_.ReadSize();
  if (message.buffers_state == ArgumentState::kTarget &&
      message.buffer_count != message.buffer_sizes.size()) {
    reader_.FailAt(count_position, "the number of buffers");
  }
  if (reader_.TryRead(", msg_control=")) {
    message.control_state =
        ReadPart([&] { message.control = reader_.ReadBytes(); });
  }
  reader_.Read(", msg_controllen=");
  const size_t control_position = reader_.position();
  message.control_size = reader_.ReadSize();
  if (message.control_state == ArgumentState::kTarget &&
      message.control_size != message.control.size()) {
    reader_.FailAt(control_position, "the size of msg_control");
  }
  message.flags = static_cast<int>(reader_.ReadField(", msg_flags="));
  reader_.Read("}");
}

void CallParser::ReadBuffers(RecordedMessage& message) {
  reader_.Read("[");
  while (reader_.ok() && !reader_.IsNext("]")) {
    if (!message.buffer_sizes.empty()) reader_.Read(", ");
    std::string part;
    reader_.Read("{iov_base=");
    const size_t position = reader_.position();
    const ArgumentState state = ReadPart([&] { part = reader_.ReadBytes(); });
    reader_.Read(", iov_len=");
    const size_t size = reader_.ReadSize();
    reader_.Read("}");
    if (part.size() > size) reader_.FailAt(position, "at most iov_len bytes");
    if (state == ArgumentState::kUnknown) {
      message.data_state = ArgumentState::kUnknown;
    }
    message.buffer_sizes.push_back(size);
    message.data += part;
  }
  reader_.Read("]");
  if (message.data_state == ArgumentState::kUnknown) message.data.clear();
}

void CallParser::ReadResult() {
  reader_.Read(" = ");
  if (reader_.TryRead("?")) {
    record_.result = SysResult::Ok();
    record_.is_result_known = false;
  } else if (reader_.TryRead("-1 ")) {
    const int error = ReadErrno(reader_);
    if (reader_.ok()) record_.result = SysResult::Error(error);
  } else {
    record_.result = SysResult::Ok(
        reader_.ReadNumber(0, std::numeric_limits<int64_t>::max()));
  }
  if (reader_.IsNext(" [")) ReadPollResults();
  if (reader_.TryRead(" (")) {
    reader_.ReadUntil(')');
    reader_.Read(")");
  }
  if (!reader_.AtEnd()) reader_.Fail("the end of the line");
}

void CallParser::ReadPollResults() {
  reader_.Read(" ");
  const size_t set = ArgumentIndex(record_.call, ArgumentKind::kPollSet);
  if (set == kinds_.size()) {
    reader_.Fail("the end of the line");
    return;
  }
  const size_t begin = reader_.position();
  const std::string ready = ReadPollSet(reader_);
  std::string& fds = texts_[set].bytes;
  size_t next = 0;  // The entry of `fds` after the last that was ready.
  for (size_t at = 0; at < ready.size(); at += sizeof(pollfd)) {
    pollfd result = {};
    std::memcpy(&result, ready.data() + at, sizeof(result));
    pollfd entry = {};
    do {
      if (next + sizeof(entry) > fds.size()) {
        reader_.FailAt(begin, "descriptors of the first argument");
        return;
      }
      std::memcpy(&entry, fds.data() + next, sizeof(entry));
      next += sizeof(entry);
    } while (entry.fd != result.fd);
    entry.revents = result.events;
    std::memcpy(fds.data() + next - sizeof(entry), &entry, sizeof(entry));
  }
}

void CallParser::SetTargets() {
  std::vector<size_t> order;  // Sizes of others depend on the lengths.
  for (size_t i = 0; i < kinds_.size(); ++i) {
    const bool is_length = kind(i) == ArgumentKind::kLengthInOut;
    order.insert(is_length ? order.begin() : order.end(), i);
  }
  for (const size_t i : order) {
    RecordedArgument& argument = record_.arguments[i];
    if (argument.state != ArgumentState::kTarget) continue;
    Text& text = texts_[i];
    if (IsMessage(kind(i)) || AreMessages(kind(i))) {
      CheckMessages(i);
      continue;
    }
    const std::optional<size_t> size = TargetSize(record_, i);
    if (!size.has_value()) {
      reader_.FailAt(text.position, "\"?\", because of the result");
      return;
    }
    if (text.may_be_padded && text.bytes.size() < *size) {
      text.bytes.resize(*size);
    }
    if (text.bytes.size() != *size) {
      reader_.FailAt(text.position,
                     absl::StrCat("a value of ", *size, " bytes, not ",
                                  text.bytes.size()));
      return;
    }
    record_.SetTarget(i, text.bytes, argument.number);
  }
}

void CallParser::CheckMessages(size_t i) {
  const SysResult result = record_.result;
  if (AreMessages(kind(i))) {
    const bool is_out = kind(i) == ArgumentKind::kMessagesOut;
    const auto count = static_cast<size_t>(
        is_out ? result.value() : record_.arguments[i + 1].number);
    if (record_.messages.size() != count) {
      reader_.FailAt(texts_[i].position,
                     is_out ? "as many messages as the result says"
                            : "as many messages as the next argument says");
    }
    for (const RecordedMessage& message : record_.messages) {
      CheckData(i, message, is_out ? size_t{message.length} : SIZE_MAX);
    }
    return;
  }
  RecordedMessage& message = record_.messages.front();
  const bool is_out = kind(i) == ArgumentKind::kMessageOut ||
                      kind(i) == ArgumentKind::kBuffersOut;
  if (kind(i) == ArgumentKind::kBuffersIn ||
      kind(i) == ArgumentKind::kBuffersOut) {
    message.buffer_count = message.buffer_sizes.size();
    if (static_cast<size_t>(record_.arguments[i + 1].number) !=
        message.buffer_count) {
      reader_.FailAt(texts_[i].position,
                     "as many buffers as the next argument says");
    }
  }
  size_t rest = SIZE_MAX;
  if (is_out) rest = result.ok() ? static_cast<size_t>(result.value()) : 0;
  CheckData(i, message, rest);
}

void CallParser::CheckData(size_t i, const RecordedMessage& message,
                           size_t rest) {
  if (message.buffers_state != ArgumentState::kTarget ||
      message.data_state == ArgumentState::kUnknown) {
    return;
  }
  size_t begin = 0;
  bool fits = true;
  for (const size_t size : message.buffer_sizes) {
    const size_t filled = std::min(size, rest);
    fits = fits && filled <= message.data.size() - begin;
    if (!fits) break;
    begin += filled;
    rest -= filled;
  }
  if (!fits || begin != message.data.size()) {
    reader_.FailAt(texts_[i].position, "buffers with as much data as moved");
  }
}

}  // namespace

absl::StatusOr<CallRecord> ParseCallRecord(absl::string_view line, int number) {
  return CallParser(line, number).Parse();
}

}  // namespace net
