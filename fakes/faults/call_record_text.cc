// The text of a record, in which its copies stand in place of the call's
// memory.

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/argument_text.h"
#include "fakes/call_text.h"
#include "fakes/faults/call_record.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

// A call's arguments with pointers into its record.
class LocalArguments {
 public:
  explicit LocalArguments(const CallRecord& record);

  CallText::Arguments Take() { return std::move(list_); }
  socklen_t length_before() const { return length_before_; }
  absl::Span<const void* const> before() const { return before_; }

 private:
  const void* PointerTo(const CallRecord& record, size_t i);
  const void* BuffersOf(const RecordedMessage& message);
  msghdr HeaderOf(const RecordedMessage& message);

  CallText::Arguments list_;
  socklen_t length_before_ = 0;
  sigset_t signals_ = {};
  // The targets of the arguments that the call has changed, before the call.
  std::array<const void*, 6> before_ = {};
  std::vector<mmsghdr> headers_;
  std::deque<std::vector<iovec>> buffers_;  // They must not move.
};

// Returns a pointer that CallText shows as "?".
const void* Unknown() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in no user space
  return reinterpret_cast<const void*>(uintptr_t{1});
}

// Returns the pointer of a part of a message. `bytes` is its copy. Nothing
// writes through it, but msghdr and iovec have no const pointers.
void* PartOf(ArgumentState state, const void* bytes) {
  if (state == ArgumentState::kNull) return nullptr;
  return const_cast<void*>(state == ArgumentState::kTarget ? bytes : Unknown());
}

LocalArguments::LocalArguments(const CallRecord& record) {
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(record.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    const RecordedArgument& from = record.arguments[i];
    Argument to = {.kind = kinds[i]};
    if (kinds[i] == ArgumentKind::kLengthInOut) {
      length_before_ = static_cast<socklen_t>(from.number);
    }
    if (IsPointer(kinds[i])) {
      to.pointer = PointerTo(record, i);
      before_[i] = to.pointer;
      if (IsChanged(kinds[i]) && from.state == ArgumentState::kTarget) {
        before_[i] = record.TargetBefore(i).data();
        to.pointer = record.TargetAfter(i).data();
      }
    } else if (from.state == ArgumentState::kNumber) {
      to.number = from.number;
    } else {  // Of ioctl(2) or fcntl(2).
      to.number = reinterpret_cast<int64_t>(PointerTo(record, i));
    }
    list_.push_back(to);
  }
}

const void* LocalArguments::PointerTo(const CallRecord& record, size_t i) {
  const RecordedArgument& argument = record.arguments[i];
  if (argument.state == ArgumentState::kNull) return nullptr;
  if (argument.state != ArgumentState::kTarget) return Unknown();
  const ArgumentKind kind = ArgumentKindsOf(record.call)[i];
  switch (kind) {
    case ArgumentKind::kBuffersIn:
    case ArgumentKind::kBuffersOut:
      return BuffersOf(record.messages.front());
    case ArgumentKind::kMessageIn:
    case ArgumentKind::kMessageOut:
    case ArgumentKind::kMessagesIn:
    case ArgumentKind::kMessagesOut:
      headers_.reserve(record.messages.size() + 1);  // Never a null pointer.
      for (const RecordedMessage& message : record.messages) {
        headers_.push_back(
            {.msg_hdr = HeaderOf(message), .msg_len = message.length});
      }
      return headers_.data();
    case ArgumentKind::kSignalsIn:
      std::memcpy(&signals_, record.Target(i).data(), argument.size);
      return &signals_;
    default:
      return record.bytes.data() + argument.offset;
  }
}

const void* LocalArguments::BuffersOf(const RecordedMessage& message) {
  absl::string_view data = message.data;
  std::vector<iovec>& buffers = buffers_.emplace_back();
  buffers.reserve(message.buffer_sizes.size() + 1);  // Never a null pointer.
  for (const size_t size : message.buffer_sizes) {
    buffers.push_back(
        {.iov_base = PartOf(message.data_state, data.data()), .iov_len = size});
    data.remove_prefix(std::min(size, data.size()));
  }
  return PartOf(message.buffers_state, buffers.data());
}

msghdr LocalArguments::HeaderOf(const RecordedMessage& message) {
  msghdr header = {};
  header.msg_name = PartOf(message.name_state, message.name.data());
  header.msg_namelen = message.name_size;
  header.msg_iov = static_cast<iovec*>(const_cast<void*>(BuffersOf(message)));
  header.msg_iovlen = message.buffer_count;
  header.msg_control = PartOf(message.control_state, message.control.data());
  header.msg_controllen = message.control_size;
  header.msg_flags = message.flags;
  return header;
}

// `arguments` must outlive the text.
CallText TextOf(const CallRecord& record, LocalArguments& arguments) {
  return {SyscallName(record.call), arguments.Take(), arguments.length_before(),
          arguments.before(), Detail::kComplete};
}

}  // namespace

std::string ToString(const CallRecord& record) {
  LocalArguments arguments(record);
  const CallText text = TextOf(record, arguments);
  return absl::StrCat(
      record.thread == 1 ? "" : absl::StrCat("[", record.thread, "] "),
      text.Call(record.result), " = ",
      record.is_result_known ? text.Result(record.result) : "?");
}

std::string CallToString(const CallRecord& record) {
  LocalArguments arguments(record);
  return TextOf(record, arguments).Call(record.result);
}

std::ostream& operator<<(std::ostream& os, const CallRecord& record) {
  return os << ToString(record);
}

}  // namespace net
