#ifndef FAKES_FAULTS_SERVED_CALL_H_
#define FAKES_FAULTS_SERVED_CALL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "fakes/faults/call_record.h"
#include "fakes/invocation.h"
#include "syscalls/syscall_table.h"

// The correspondence between the calls of a trace and those of class Syscalls.

namespace net {

// Returns a number of the calling thread that no other thread of the process
// ever has. (A std::thread::id can be reused.)
int ThreadNumber();

// Returns the arguments as a system call has them in its registers.
std::array<uint64_t, 6> RegistersOf(const Invocation& invocation);

// Returns whether the call fills in an argument. (The argument of ioctl(2) may
// or may not be an out-parameter.)
bool IsOutParameter(ArgumentKind kind);

// Returns the record as the call that is played for all that do the same: recv
// for recvfrom, accept4 for accept.
CallRecord AsPlayedCall(const CallRecord& record);

// A played call that sends or receives, other than sendmmsg(2), recvmmsg(2),
// sendfile(2) and splice(2).
struct Transfer {
  bool is_send = false;
  int64_t fd = -1;
  int flags = 0;
  std::optional<std::string> data;  // Nullopt if it is not known.
  size_t capacity = 0;              // Of all buffers.
};

// Returns nullopt for a call that neither sends nor receives.
std::optional<Transfer> TransferOf(const CallRecord& record);

// Returns how the arguments of the call `called` differ from those of a record;
// "" if the record can serve the call. Both are played calls. `called` was
// recorded as a failed call, so it has the arguments that the caller passed.
std::string DifferenceOf(const CallRecord& recorded, const CallRecord& called);

// Returns whether the messages that a record of recvmmsg(2) has filled in fit
// into those of the call. Returns true for another call.
bool FitsMessages(const CallRecord& recorded, const Invocation& invocation);

// Writes the record's out-parameters to those of a call that it serves.
void WriteOutParameters(const CallRecord& recorded,
                        const Invocation& invocation);

}  // namespace net

#endif  // FAKES_FAULTS_SERVED_CALL_H_
