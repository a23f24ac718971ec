#ifndef FAKES_FAULTS_CALL_RECORD_H_
#define FAKES_FAULTS_CALL_RECORD_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/faults/syscall_id.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

// One line of a trace (fakes/faults/trace.h): a system call that has returned,
// made by this process or by another.

namespace net {

// The form in which an argument is recorded.
enum class ArgumentState : uint8_t {
  kNumber,   // It is not a pointer.
  kNull,     // A null pointer.
  kUnknown,  // A pointer whose target was not filled in or not read: "?".
  kTarget,   // A pointer, with a copy of its target.
};

struct RecordedArgument {
  ArgumentState state = ArgumentState::kNumber;
  // The value of a number. Of a pointer to a length (kLengthInOut) with a
  // target: the length before the call.
  int64_t number = 0;
  // The place of the target in CallRecord::bytes.
  uint32_t offset = 0;
  uint32_t size = 0;

  friend bool operator==(const RecordedArgument&,
                         const RecordedArgument&) = default;
};

// The buffers of sendmsg(2), recvmsg(2), writev(2) or readv(2), and the other
// fields of msghdr and mmsghdr. `name`, `data` and `control` have no more bytes
// than the call used.
struct RecordedMessage {
  ArgumentState name_state = ArgumentState::kNull;
  std::string name;
  socklen_t name_size = 0;
  ArgumentState buffers_state = ArgumentState::kNull;
  size_t buffer_count = 0;
  std::vector<size_t> buffer_sizes;  // Empty if the array was not read.
  ArgumentState data_state = ArgumentState::kTarget;  // kUnknown or kTarget.
  std::string data;  // Of all buffers, one after the other.
  ArgumentState control_state = ArgumentState::kNull;
  std::string control;
  size_t control_size = 0;
  int flags = 0;
  uint32_t length = 0;  // The msg_len of a mmsghdr.

  friend bool operator==(const RecordedMessage&,
                         const RecordedMessage&) = default;
};

struct CallRecord {
  SyscallId call = SyscallId::kClose;
  // The thread that made the call: 1 for the one that made the first call of
  // the trace, 2 for the next one, and so on.
  int thread = 1;
  // The result; a success with the value 0 if it is not known.
  SysResult result;
  bool is_result_known = true;
  std::array<RecordedArgument, 6> arguments;  // As many as the call has.
  std::string bytes;  // The targets. Each begins at a multiple of 8.
  // Of sendmmsg(2) all, of recvmmsg(2) those that it has filled in; of other
  // calls at most one.
  std::vector<RecordedMessage> messages;

  // Returns the copy of an argument's target, or "" if there is none. If the
  // call reads the target and then changes it (IsChanged()), the copy has two
  // halves: the target before the call, and after it.
  absl::string_view Target(size_t argument) const;
  absl::string_view TargetBefore(size_t argument) const;
  absl::string_view TargetAfter(size_t argument) const;
  // Sets the copy of an argument's target, and the argument's state and number.
  void SetTarget(size_t argument, absl::string_view target, int64_t number = 0);

  friend bool operator==(const CallRecord&, const CallRecord&);
};

// Returns the kinds of a call's arguments, in their order.
absl::Span<const ArgumentKind> ArgumentKindsOf(SyscallId call);

// Return whether arguments of that kind are a message or an array of buffers,
// and several messages.
bool IsMessage(ArgumentKind kind);
bool AreMessages(ArgumentKind kind);

// Returns whether arguments of that kind are pointers. (Those of fcntl(2) and
// ioctl(2) can be either.)
inline bool IsPointer(ArgumentKind kind) {
  return kind >= ArgumentKind::kAddressIn;
}

// Returns the argument of that kind, or the number of arguments if the call has
// none.
size_t ArgumentIndex(SyscallId call, ArgumentKind kind);

// Returns the size of an argument's target in a record whose numbers, lengths
// and result are known. Returns nullopt if the target is not recorded, or is a
// message.
std::optional<size_t> TargetSize(const CallRecord& record, size_t argument);

// Returns whether the call counts the data that it receives, and discards them:
// MSG_TRUNC (tcp(7)).
bool DiscardsData(const CallRecord& record);

// Reads memory of the process that makes a call: copies `size` bytes at
// `address` to `to`. Returns false if that is not possible.
using MemoryReader =
    absl::FunctionRef<bool(uint64_t address, void* to, size_t size)>;

// Reads memory of this process. Null pointers and addresses outside of user
// space cannot be read; other invalid pointers crash the program.
bool ReadOwnMemory(uint64_t address, void* to, size_t size);

// Record a call. Call BeginRecord() before the call is made, because a call
// changes the length that an argument points to. Call FinishRecord()
// afterwards, with the same arguments. `arguments` are the registers, at least
// as many as the call has arguments. After EFAULT no memory is read.
//
//   CallRecord record = BeginRecord(SyscallId::kRecvFrom, registers, read);
//   ... the call ...
//   FinishRecord(record, registers, result, read);
//   trace += ToString(record) + "\n";
CallRecord BeginRecord(SyscallId call, absl::Span<const uint64_t> arguments,
                       MemoryReader read);
void FinishRecord(CallRecord& record, absl::Span<const uint64_t> arguments,
                  SysResult result, MemoryReader read);

// Returns the call's line of a trace, without a newline:
//
//   accept4(3, {AF_INET, 127.0.0.1:40000}, [128 => 16], SOCK_CLOEXEC) = 5
//
// The line of another thread than the first begins with the thread's number:
// "[2] ". A result that is not known is "?".
std::string ToString(const CallRecord& record);
std::ostream& operator<<(std::ostream& os, const CallRecord& record);

// Returns the call without its thread and its result: "close(3)".
std::string CallToString(const CallRecord& record);

}  // namespace net

#endif  // FAKES_FAULTS_CALL_RECORD_H_
