#include "fakes/faults/make_calls.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <list>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/call_text.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/served_call.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/faults/trace.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr size_t kMostMessages = 1024;  // UIO_MAXIOV of Linux.
// An address that is in no program's memory, so that the kernel fails with
// EFAULT.
constexpr uint64_t kBadAddress = 1;

using Registers = std::array<uint64_t, 6>;

// Reads registers one after the other.
class RegisterReader {
 public:
  explicit RegisterReader(const Registers& registers)
      : next_(registers.data()) {}

  template <typename T>
  T Next() {
    const uint64_t value = *next_++;
    if constexpr (std::is_pointer_v<T>) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): a register holds a pointer
      return reinterpret_cast<T>(value);
    } else {
      return static_cast<T>(value);
    }
  }

 private:
  const uint64_t* next_;
};

// Returns the call with its arguments. In braces, they are evaluated in order.
Invocation InvocationOf(Call call, const Registers& registers) {
  RegisterReader reader(registers);
  switch (call) {
#define NET_NEXT(type, name, kind) reader.Next<type>()
#define NET_SYSCALL(method, name, result, ...)    \
  case Call::k##method:                           \
    return Invocation(Arguments<Call::k##method>{ \
        NET_SYSCALL_EACH(NET_NEXT, NET_SYSCALL_COMMA, __VA_ARGS__)});
#include "syscalls/syscall_table.inc"
#undef NET_NEXT
  }
  return Invocation(Arguments<Call::kClose>{-1});
}

// The memory of a program that makes one recorded call.
class ProgramMemory {
 public:
  explicit ProgramMemory(const CallRecord& record);

  const Registers& registers() const { return registers_; }

 private:
  void SetPointer(const CallRecord& record, size_t i);
  msghdr HeaderOf(const RecordedMessage& message, bool is_out);

  // Returns the address of a new buffer that begins with `bytes`.
  uint64_t NewBuffer(absl::string_view bytes, size_t size);
  // Returns the pointer of a message's part.
  void* NewPart(ArgumentState state, absl::string_view bytes, size_t size);

  Registers registers_ = {};
  std::list<std::string> buffers_;
  std::vector<mmsghdr> headers_;
  std::list<std::vector<iovec>> parts_;
};

// Returns the size of the buffer that the program had for an argument.
size_t BufferSize(const CallRecord& record, size_t i) {
  const auto number_after = [&] {
    return static_cast<size_t>(record.arguments[i + 1].number);
  };
  switch (ArgumentKindsOf(record.call)[i]) {
    case ArgumentKind::kAddressOut:
    case ArgumentKind::kAddressOutOrNull:
    case ArgumentKind::kOptionOut:
    case ArgumentKind::kDataOut:
      return std::min(number_after(), kMostBytes);
    case ArgumentKind::kEpollEventsOut:
      return std::min(number_after(), kMostBytes / sizeof(epoll_event)) *
             sizeof(epoll_event);
    case ArgumentKind::kSignalsIn:
      return sizeof(sigset_t);
    case ArgumentKind::kFdSet:  // The kernel uses whole words.
      return std::max(sizeof(fd_set),
                      record.TargetBefore(i).size() + sizeof(fd_mask));
    default:
      return std::max(record.Target(i).size(), sizeof(itimerspec));
  }
}

// Returns whether the program passed a buffer whose content was not recorded,
// because the call did not fill it in.
bool IsUnfilled(const CallRecord& record, size_t i) {
  const ArgumentKind kind = ArgumentKindsOf(record.call)[i];
  return record.result.error() != EFAULT &&
         record.arguments[i].state == ArgumentState::kUnknown &&
         kind != ArgumentKind::kPollSet && kind != ArgumentKind::kDataIn &&
         kind != ArgumentKind::kAddressIn && kind != ArgumentKind::kOptionIn;
}

// Returns what the program had in the buffer before the call.
std::string PassedBytes(const CallRecord& record, size_t i) {
  const ArgumentKind kind = ArgumentKindsOf(record.call)[i];
  const bool is_ioctl_out = kind == ArgumentKind::kIoctlArgument &&
                            record.arguments[i - 1].number != FIONBIO;
  if (IsOutParameter(kind) || is_ioctl_out) return "";
  if (IsChanged(kind)) return std::string(record.TargetBefore(i));
  std::string bytes(record.Target(i));
  if (kind != ArgumentKind::kPollSet) return bytes;
  for (size_t at = 0; at < bytes.size(); at += sizeof(pollfd)) {
    std::memset(&bytes[at + offsetof(pollfd, revents)], 0,
                sizeof(pollfd::revents));
  }
  return bytes;
}

ProgramMemory::ProgramMemory(const CallRecord& record) {
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(record.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (record.arguments[i].state == ArgumentState::kNumber) {
      registers_[i] = static_cast<uint64_t>(record.arguments[i].number);
    } else if (record.arguments[i].state != ArgumentState::kNull) {
      SetPointer(record, i);
    }
    if (i > 0 && kinds[i] == ArgumentKind::kSize &&
        kinds[i - 1] == ArgumentKind::kDataOut) {
      registers_[i] = std::min(registers_[i], uint64_t{kMostBytes});
    }
  }
}

void ProgramMemory::SetPointer(const CallRecord& record, size_t i) {
  const RecordedArgument& argument = record.arguments[i];
  const ArgumentKind kind = ArgumentKindsOf(record.call)[i];
  if (argument.state == ArgumentState::kTarget && IsMessage(kind)) {
    headers_.push_back(
        {.msg_hdr = HeaderOf(record.messages.front(),
                             kind == ArgumentKind::kMessageOut)});
    registers_[i] = reinterpret_cast<uint64_t>(headers_.data());
  } else if (argument.state == ArgumentState::kTarget && AreMessages(kind)) {
    const auto count = static_cast<uint32_t>(record.arguments[i + 1].number);
    headers_.resize(std::min(size_t{count}, kMostMessages));
    for (size_t k = 0; k < record.messages.size(); ++k) {
      headers_[k].msg_hdr =
          HeaderOf(record.messages[k], kind == ArgumentKind::kMessagesOut);
    }
    registers_[i] = reinterpret_cast<uint64_t>(headers_.data());
  } else if (kind == ArgumentKind::kLengthInOut) {
    const auto before = static_cast<socklen_t>(argument.number);
    registers_[i] =
        NewBuffer({reinterpret_cast<const char*>(&before), sizeof(before)},
                  sizeof(before));
  } else if (argument.state == ArgumentState::kTarget ||
             IsUnfilled(record, i)) {
    registers_[i] = NewBuffer(PassedBytes(record, i), BufferSize(record, i));
  } else {
    registers_[i] = kBadAddress;
  }
}

msghdr ProgramMemory::HeaderOf(const RecordedMessage& message, bool is_out) {
  absl::string_view data = is_out ? "" : absl::string_view(message.data);
  std::vector<iovec>& parts = parts_.emplace_back();
  parts.reserve(message.buffer_sizes.size() + 1);  // Never a null pointer.
  for (const size_t size : message.buffer_sizes) {
    const size_t capacity = std::min(size, kMostBytes);
    const ArgumentState state =
        is_out ? ArgumentState::kTarget : message.data_state;
    parts.push_back({.iov_base = NewPart(state, data.substr(0, size), capacity),
                     .iov_len = capacity});
    data.remove_prefix(std::min(size, data.size()));
  }
  msghdr header = {};
  header.msg_name = NewPart(message.name_state, is_out ? "" : message.name,
                            sizeof(sockaddr_storage));
  header.msg_namelen = message.name_size;
  if (message.buffers_state != ArgumentState::kNull) {
    header.msg_iov = parts.data();
  }
  header.msg_iovlen = parts.size();
  const size_t control_size = std::min(message.control_size, kMostBytes);
  header.msg_control = NewPart(message.control_state,
                               is_out ? "" : message.control, control_size);
  header.msg_controllen = control_size;
  return header;
}

uint64_t ProgramMemory::NewBuffer(absl::string_view bytes, size_t size) {
  std::string& buffer = buffers_.emplace_back(bytes);
  buffer.resize(std::max(size, bytes.size()));
  return reinterpret_cast<uint64_t>(buffer.data());
}

void* ProgramMemory::NewPart(ArgumentState state, absl::string_view bytes,
                             size_t size) {
  if (state == ArgumentState::kNull) return nullptr;
  const uint64_t address =
      state == ArgumentState::kTarget ? NewBuffer(bytes, size) : kBadAddress;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): as of a register
  return reinterpret_cast<void*>(address);
}

// Undoes the limit on the size of buffers.
void RestoreSizes(const CallRecord& recorded, CallRecord& made) {
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(made.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] != ArgumentKind::kSize) continue;
    made.arguments[i].number = recorded.arguments[i].number;
  }
  const size_t count = std::min(made.messages.size(), recorded.messages.size());
  for (size_t i = 0; i < count; ++i) {
    made.messages[i].buffer_sizes = recorded.messages[i].buffer_sizes;
    made.messages[i].buffer_count = recorded.messages[i].buffer_count;
  }
}

absl::Status MakeCall(const Trace::Line& line, Syscalls& kernel) {
  const CallRecord recorded = AsPlayedCall(line.call);
  const ProgramMemory memory(recorded);
  CallRecord made =
      BeginRecord(recorded.call, memory.registers(), ReadOwnMemory);
  const SysResult result =
      InvocationOf(CallOf(recorded.call), memory.registers()).MakeOn(kernel);
  FinishRecord(made, memory.registers(), result, ReadOwnMemory);
  made.thread = recorded.thread;
  made.is_result_known = recorded.is_result_known;
  RestoreSizes(recorded, made);
  if (ToString(made) == ToString(recorded)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("line ", line.number, ": recorded ", ToString(recorded),
                   ", the kernel returned ", ToString(made)));
}

}  // namespace

absl::Status MakeCalls(const Trace& trace, Syscalls& kernel) {
  absl::Status status;
  const auto make_calls_of = [&](int thread) {
    for (const Trace::Line& line : trace.lines) {
      if (status.ok() && line.call.thread == thread) {
        status = MakeCall(line, kernel);
      }
    }
  };
  std::vector<int> threads;
  for (const Trace::Line& line : trace.lines) {
    const int thread = line.call.thread;
    if (std::find(threads.begin(), threads.end(), thread) == threads.end()) {
      threads.push_back(thread);
    }
  }
  for (const int thread : threads) std::thread(make_calls_of, thread).join();
  return status;
}

}  // namespace net
