#ifndef FAKES_TRAP_TRAPPED_CALL_H_
#define FAKES_TRAP_TRAPPED_CALL_H_

#include <linux/seccomp.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "fakes/faults/syscall_id.h"
#include "syscalls/syscall_table.h"

namespace net::trap {

// A system call of the target that waits for its reply. The arguments are in
// the order of the row in syscalls/syscall_table.inc, even if the kernel's call
// is another one: send(2) is sendto(2) without an address, and eventfd(2) is
// eventfd2(2).
struct TrappedCall {
  uint64_t id = 0;  // The notification's.
  pid_t thread = 0;
  SyscallId call = SyscallId::kClose;
  std::array<uint64_t, 6> arguments = {};

  // Two notifications with the same thread and the same `data` may be one call
  // that a signal interrupted and the kernel restarted.
  seccomp_data data = {};

  int Int(size_t argument) const {
    return static_cast<int>(arguments[argument]);
  }
};

// Returns the call, or nullopt if the table does not have it.
std::optional<TrappedCall> TrappedCallOf(const seccomp_notif& notification);

// Returns whether the two are the same call, apart from a restart.
bool IsSameCall(const TrappedCall& one, const TrappedCall& other);

// Returns the numbers of the kernel's calls that are made for these calls.
std::vector<int> NumbersOf(const SyscallSet& calls);

// Returns the number of the kernel's call that takes the row's arguments.
int NumberOf(SyscallId call);

// Returns the kinds of the row's arguments.
absl::Span<const ArgumentKind> KindsOf(SyscallId call);

// Returns whether a success is a new descriptor.
bool MakesDescriptor(const TrappedCall& call);
// Returns whether that descriptor has FD_CLOEXEC.
bool MakesCloexec(const TrappedCall& call);

// Returns the MSG_ flags of the families send and recv; 0 where a call has
// none.
int MessageFlagsOf(const TrappedCall& call);
// Returns whether a failure with EPIPE raises SIGPIPE in the caller.
bool RaisesSigPipe(const TrappedCall& call);

}  // namespace net::trap

#endif  // FAKES_TRAP_TRAPPED_CALL_H_
