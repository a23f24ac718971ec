#ifndef FAKES_CALL_H_
#define FAKES_CALL_H_

#include <cstddef>
#include <iterator>
#include <optional>
#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "syscalls/require_cxx20.h"

namespace net {

// The system calls of class Syscalls, for code that counts, fails, records or
// explores calls. A method Accept4 has the value kAccept4.
enum class Call {
#define NET_SYSCALL(method, ...) k##method,
#include "syscalls/syscall_table.inc"
};

// All calls, in the order of Call.
inline constexpr Call kAllCalls[] = {
#define NET_SYSCALL(method, ...) Call::k##method,
#include "syscalls/syscall_table.inc"
};

// The number of calls. The values of Call are 0 to kCallCount - 1.
inline constexpr size_t kCallCount = std::size(kAllCalls);

inline absl::Span<const Call> AllCalls() { return kAllCalls; }

// Returns the name of the call's man page: "accept4", "getsockname".
absl::string_view CallName(Call call);

// Returns the call with that name, or nullopt if Syscalls has none.
std::optional<Call> CallFromName(absl::string_view name);

std::ostream& operator<<(std::ostream& os, Call call);

}  // namespace net

#endif  // FAKES_CALL_H_
