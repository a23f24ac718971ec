#ifndef FAKES_CALL_TEXT_H_
#define FAKES_CALL_TEXT_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/argument_text.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {

// Returns whether a call reads the target of an argument of that kind and then
// changes it: the sets of select(2), times, offsets.
bool IsChanged(ArgumentKind kind);

// The text of a system call as strace(1) writes it. Construct it before the
// call, because the constructor reads the size of the caller's buffer, which
// the call may change. fakes/argument_text.h describes the texts of pointers.
class CallText {
 public:
  using Arguments = absl::InlinedVector<Argument, 6>;

  explicit CallText(const Invocation& invocation);

  // Constructs the text of a call that has returned. `length_before` is the
  // target of the argument kLengthInOut, if the call has one, before the call.
  // `before` has pointers to the targets of the arguments that the call has
  // changed (IsChanged()), as they were before; it has as many elements as
  // `arguments`.
  CallText(absl::string_view name, Arguments arguments, socklen_t length_before,
           absl::Span<const void* const> before, Detail detail);

  // Returns the call with its arguments: "close(3)". An out-parameter is "?" if
  // the call with this `result` did not fill it in.
  std::string Call(SysResult result) const;

  // Returns the result: "3", "-1 EBADF", "1 [{3, POLLOUT}]".
  std::string Result(SysResult result) const;

 private:
  // Returns the text of the argument `i`. Returns nullopt for an argument that
  // is not shown, such as the third one of fcntl(fd, F_GETFD).
  std::optional<std::string> Text(size_t i, SysResult result) const;
  std::string PointerText(size_t i, SysResult result) const;
  std::string BufferText(size_t i, SysResult result) const;
  // Returns the text of an argument that the call reads and then changes.
  std::string ChangedText(size_t i, SysResult result) const;

  // Returns the text of a `target` of the argument `i`, which a call changes.
  std::string ChangedTarget(size_t i, const void* target) const;

  // Returns the number of the argument of that kind, or 0 if there is none.
  int64_t NumberOf(ArgumentKind kind) const;
  // Returns the number after the argument `i`, the size of its target.
  size_t SizeAfter(size_t i) const;
  // Returns how many bytes of the buffer `i` are filled in. The argument after
  // it points to the length.
  socklen_t FilledBytes(size_t i) const;
  // Returns whether the kernel uses the length to which the argument `i`
  // points.
  bool UsesLength(size_t i) const;
  // Returns whether received data may be shown.
  Show Received(SysResult result) const;

  const absl::string_view name_;
  const Arguments arguments_;
  socklen_t length_before_ = 0;  // The target of the kLengthInOut.
  // The texts of the arguments that a call changes, before the call; else
  // empty.
  std::vector<std::string> before_;
  const Detail detail_ = Detail::kShort;
};

}  // namespace net

#endif  // FAKES_CALL_TEXT_H_
