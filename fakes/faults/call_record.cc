#include "fakes/faults/call_record.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call_text.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

constexpr size_t kMostBytes = 0x7ffff000;  // MAX_RW_COUNT of Linux.
constexpr size_t kMostBuffers = 1024;      // UIO_MAXIOV of Linux.
constexpr size_t kMostControl = 20480;     // net.core.optmem_max of Linux.
constexpr size_t kTargetAlignment = 8;

// Returns where the next target begins.
size_t AlignedEnd(const std::string& bytes) {
  return (bytes.size() + kTargetAlignment - 1) / kTargetAlignment *
         kTargetAlignment;
}

#define NET_KIND(type, name, kind) ArgumentKind::k##kind
#define NET_SYSCALL(method, name, result, ...)      \
  constexpr ArgumentKind k##method##Arguments[] = { \
      NET_SYSCALL_EACH(NET_KIND, NET_SYSCALL_COMMA, __VA_ARGS__)};
#include "syscalls/syscall_table.inc"
#undef NET_KIND

constexpr absl::Span<const ArgumentKind> kArguments[] = {
#define NET_SYSCALL(method, ...) k##method##Arguments,
#include "syscalls/syscall_table.inc"
};

// Returns the number that a register holds, for an argument that is none of the
// pointers.
int64_t NumberIn(uint64_t argument, ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::kSize:
    case ArgumentKind::kIoctlRequest:
    case ArgumentKind::kIoctlArgument:
      return static_cast<int64_t>(argument);
    default:  // An int, a socklen_t or an unsigned int.
      return static_cast<int32_t>(argument);
  }
}

// Returns what is known of the third argument of a fcntl(2).
RecordedArgument FcntlArgument(int64_t command, uint64_t argument) {
  switch (command) {
    case F_GETFD:
    case F_GETFL:
    case F_GETPIPE_SZ:
      return {};
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_SETFD:
    case F_SETFL:
    case F_SETPIPE_SZ:
      return {.number = static_cast<int32_t>(argument)};
    default:
      return {.state = ArgumentState::kUnknown};
  }
}

// Returns what is known of the third argument of an ioctl(2) before the call.
RecordedArgument IoctlArgument(int64_t request, uint64_t argument) {
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      return {};
    case FIONBIO:
    case FIONREAD:
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      return {.state = argument == 0 ? ArgumentState::kNull
                                     : ArgumentState::kUnknown};
    default:
      return {.state = ArgumentState::kUnknown};
  }
}

// Returns whether the kernel uses the length to which the argument `i` points.
bool UsesLength(const CallRecord& record, size_t i) {
  return ArgumentKindsOf(record.call)[i - 1] !=
             ArgumentKind::kAddressOutOrNull ||
         record.arguments[i - 1].state != ArgumentState::kNull;
}

// Copies the targets of a call's arguments into its record.
class TargetCopier {
 public:
  TargetCopier(CallRecord& record, absl::Span<const uint64_t> arguments,
               MemoryReader read)
      : record_(record), arguments_(arguments), read_(read) {}

  void CopyAll();

 private:
  void Copy(size_t i);
  void CopyLength(size_t i);
  void CopyChanged(size_t i);
  void CopyMessage(size_t i);
  void CopyMessages(size_t i);
  void CopyHeader(const msghdr& header, bool is_filled_in,
                  RecordedMessage& message);
  void CopyBuffers(uint64_t address, size_t count, size_t filled,
                   RecordedMessage& message);

  // Copies a part of a message. Returns the state of its pointer.
  ArgumentState CopyPart(const void* address, size_t size, std::string& to);

  CallRecord& record_;
  const absl::Span<const uint64_t> arguments_;
  const MemoryReader read_;
};

void TargetCopier::CopyAll() {
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(record_.call);
  // The sizes of others depend on the lengths.
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == ArgumentKind::kLengthInOut) CopyLength(i);
  }
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (IsChanged(kinds[i])) CopyChanged(i);
    if (record_.arguments[i].state != ArgumentState::kUnknown) continue;
    if (IsMessage(kinds[i])) {
      CopyMessage(i);
    } else if (AreMessages(kinds[i])) {
      CopyMessages(i);
    } else if (kinds[i] != ArgumentKind::kLengthInOut && !IsChanged(kinds[i])) {
      Copy(i);
    }
  }
}

// BeginRecord() has copied the target as it was before the call.
void TargetCopier::CopyChanged(size_t i) {
  RecordedArgument& argument = record_.arguments[i];
  if (argument.state != ArgumentState::kTarget) return;
  std::string both(record_.Target(i));
  const size_t size = both.size();
  both.resize(2 * size);
  argument = {.state = ArgumentState::kUnknown};
  if (record_.result.error() != EFAULT &&
      (size == 0 || read_(arguments_[i], &both[size], size))) {
    record_.SetTarget(i, both);
  }
}

void TargetCopier::CopyLength(size_t i) {
  RecordedArgument& argument = record_.arguments[i];
  const int64_t before = std::exchange(argument.number, 0);
  if (argument.state != ArgumentState::kUnknown || !UsesLength(record_, i)) {
    return;
  }
  Copy(i);
  if (argument.state == ArgumentState::kTarget) argument.number = before;
}

void TargetCopier::Copy(size_t i) {
  const std::optional<size_t> size = TargetSize(record_, i);
  if (!size.has_value() || *size > kMostBytes) return;
  const size_t offset = AlignedEnd(record_.bytes);
  record_.bytes.resize(offset + *size);
  if (*size > 0 &&
      !read_(arguments_[i], record_.bytes.data() + offset, *size)) {
    record_.bytes.resize(offset);
    return;
  }
  RecordedArgument& argument = record_.arguments[i];
  argument.state = ArgumentState::kTarget;
  argument.offset = static_cast<uint32_t>(offset);
  argument.size = static_cast<uint32_t>(*size);
}

void TargetCopier::CopyMessage(size_t i) {
  const ArgumentKind kind = ArgumentKindsOf(record_.call)[i];
  const bool is_out =
      kind == ArgumentKind::kMessageOut || kind == ArgumentKind::kBuffersOut;
  const SysResult result = record_.result;
  const bool is_filled_in = !is_out || (result.ok() && !DiscardsData(record_));
  RecordedMessage message;
  if (!is_filled_in) message.data_state = ArgumentState::kUnknown;
  const size_t filled =
      is_out && result.ok() ? static_cast<size_t>(result.value()) : SIZE_MAX;
  if (kind == ArgumentKind::kBuffersIn || kind == ArgumentKind::kBuffersOut) {
    CopyBuffers(arguments_[i],
                static_cast<size_t>(record_.arguments[i + 1].number), filled,
                message);
  } else {
    msghdr header = {};
    if (!read_(arguments_[i], &header, sizeof(header))) return;
    CopyHeader(header, is_filled_in, message);
    CopyBuffers(reinterpret_cast<uint64_t>(header.msg_iov), header.msg_iovlen,
                filled, message);
  }
  record_.arguments[i].state = ArgumentState::kTarget;
  record_.messages.push_back(std::move(message));
}

void TargetCopier::CopyMessages(size_t i) {
  const bool is_out =
      ArgumentKindsOf(record_.call)[i] == ArgumentKind::kMessagesOut;
  const SysResult result = record_.result;
  if (result.error() == EFAULT || (is_out && !result.ok())) return;
  auto count = static_cast<uint32_t>(record_.arguments[i + 1].number);
  if (is_out) count = std::min(count, static_cast<uint32_t>(result.value()));
  if (count > kMostBuffers) return;
  std::vector<mmsghdr> headers(count);
  if (count > 0 &&
      !read_(arguments_[i], headers.data(), count * sizeof(mmsghdr))) {
    return;
  }
  const bool has_data = !is_out || !DiscardsData(record_);
  for (const mmsghdr& header : headers) {
    RecordedMessage message;
    if (!has_data) message.data_state = ArgumentState::kUnknown;
    message.length = header.msg_len;
    CopyHeader(header.msg_hdr, has_data, message);
    CopyBuffers(reinterpret_cast<uint64_t>(header.msg_hdr.msg_iov),
                header.msg_hdr.msg_iovlen,
                is_out ? size_t{header.msg_len} : SIZE_MAX, message);
    record_.messages.push_back(std::move(message));
  }
  record_.arguments[i].state = ArgumentState::kTarget;
}

void TargetCopier::CopyHeader(const msghdr& header, bool is_filled_in,
                              RecordedMessage& message) {
  message.name_size = header.msg_namelen;
  message.control_size = header.msg_controllen;
  message.flags = header.msg_flags;
  const auto copy = [&](const void* address, size_t size, size_t most,
                        std::string& to) {
    if (address == nullptr) return ArgumentState::kNull;
    if (!is_filled_in || size > most) return ArgumentState::kUnknown;
    return CopyPart(address, size, to);
  };
  message.name_state = copy(header.msg_name, header.msg_namelen,
                            sizeof(sockaddr_storage), message.name);
  message.control_state = copy(header.msg_control, header.msg_controllen,
                               kMostControl, message.control);
}

void TargetCopier::CopyBuffers(uint64_t address, size_t count, size_t filled,
                               RecordedMessage& message) {
  message.buffer_count = count;
  if (address == 0) return;
  message.buffers_state = ArgumentState::kUnknown;
  if (count > kMostBuffers) return;
  std::vector<iovec> buffers(count);
  if (count > 0 && !read_(address, buffers.data(), count * sizeof(iovec))) {
    return;
  }
  message.buffers_state = ArgumentState::kTarget;
  for (const iovec& buffer : buffers) {
    message.buffer_sizes.push_back(buffer.iov_len);
    if (message.data_state == ArgumentState::kUnknown) continue;
    const size_t size = std::min(buffer.iov_len, filled);
    filled -= size;
    if (size == 0) continue;
    std::string part;
    message.data_state = CopyPart(buffer.iov_base, size, part);
    message.data += part;
  }
  if (message.data_state == ArgumentState::kTarget) return;
  message.data_state = ArgumentState::kUnknown;
  message.data.clear();
}

ArgumentState TargetCopier::CopyPart(const void* address, size_t size,
                                     std::string& to) {
  if (address == nullptr) return ArgumentState::kNull;
  if (size > kMostBytes) return ArgumentState::kUnknown;
  to.resize(size);
  if (size == 0 ||
      read_(reinterpret_cast<uint64_t>(address), to.data(), size)) {
    return ArgumentState::kTarget;
  }
  to.clear();
  return ArgumentState::kUnknown;
}

}  // namespace

absl::string_view CallRecord::Target(size_t argument) const {
  const RecordedArgument& it = arguments[argument];
  if (it.state != ArgumentState::kTarget) return "";
  return absl::string_view(bytes).substr(it.offset, it.size);
}

absl::string_view CallRecord::TargetBefore(size_t argument) const {
  const absl::string_view both = Target(argument);
  return both.substr(0, both.size() / 2);
}

absl::string_view CallRecord::TargetAfter(size_t argument) const {
  const absl::string_view both = Target(argument);
  return both.substr(both.size() / 2);
}

void CallRecord::SetTarget(size_t argument, absl::string_view target,
                           int64_t number) {
  const size_t offset = AlignedEnd(bytes);
  bytes.resize(offset);
  bytes.append(target.data(), target.size());
  arguments[argument] = {.state = ArgumentState::kTarget,
                         .number = number,
                         .offset = static_cast<uint32_t>(offset),
                         .size = static_cast<uint32_t>(target.size())};
}

bool operator==(const CallRecord& one, const CallRecord& other) {
  if (one.call != other.call || one.thread != other.thread ||
      one.result != other.result ||
      one.is_result_known != other.is_result_known ||
      one.messages != other.messages) {
    return false;
  }
  for (size_t i = 0; i < ArgumentKindsOf(one.call).size(); ++i) {
    if (one.arguments[i].state != other.arguments[i].state ||
        one.arguments[i].number != other.arguments[i].number ||
        one.Target(i) != other.Target(i)) {
      return false;
    }
  }
  return true;
}

absl::Span<const ArgumentKind> ArgumentKindsOf(SyscallId call) {
  return kArguments[static_cast<size_t>(call)];
}

bool IsMessage(ArgumentKind kind) {
  return kind == ArgumentKind::kMessageIn ||
         kind == ArgumentKind::kMessageOut ||
         kind == ArgumentKind::kBuffersIn || kind == ArgumentKind::kBuffersOut;
}

bool AreMessages(ArgumentKind kind) {
  return kind == ArgumentKind::kMessagesIn ||
         kind == ArgumentKind::kMessagesOut;
}

size_t ArgumentIndex(SyscallId call, ArgumentKind kind) {
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(call);
  return static_cast<size_t>(std::find(kinds.begin(), kinds.end(), kind) -
                             kinds.begin());
}

bool ReadOwnMemory(uint64_t address, void* to, size_t size) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a register holds a pointer
  return fake::CopyIn(to, reinterpret_cast<const void*>(address), size);
}

CallRecord BeginRecord(SyscallId call, absl::Span<const uint64_t> arguments,
                       MemoryReader read) {
  CallRecord record;
  record.call = call;
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    RecordedArgument& argument = record.arguments[i];
    if (kinds[i] == ArgumentKind::kFcntlArgument) {
      argument = FcntlArgument(record.arguments[i - 1].number, arguments[i]);
    } else if (kinds[i] == ArgumentKind::kIoctlArgument) {
      argument = IoctlArgument(record.arguments[i - 1].number, arguments[i]);
    } else if (!IsPointer(kinds[i])) {
      argument.number = NumberIn(arguments[i], kinds[i]);
    } else {
      argument.state =
          arguments[i] == 0 ? ArgumentState::kNull : ArgumentState::kUnknown;
    }
    if (kinds[i] == ArgumentKind::kLengthInOut && arguments[i] != 0 &&
        UsesLength(record, i)) {
      socklen_t length = 0;
      if (read(arguments[i], &length, sizeof(length))) argument.number = length;
    }
    if (IsChanged(kinds[i]) && arguments[i] != 0) {
      std::string before(TargetSize(record, i).value_or(0) / 2, '\0');
      if (!before.empty() && read(arguments[i], before.data(), before.size())) {
        record.SetTarget(i, before);
      }
    }
  }
  return record;
}

void FinishRecord(CallRecord& record, absl::Span<const uint64_t> arguments,
                  SysResult result, MemoryReader read) {
  record.result = result;
  TargetCopier(record, arguments, read).CopyAll();
}

}  // namespace net
