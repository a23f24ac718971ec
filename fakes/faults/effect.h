#ifndef FAKES_FAULTS_EFFECT_H_
#define FAKES_FAULTS_EFFECT_H_

#include <vector>

#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net {

// The effect of a call that fails with an errno on Linux. The source is
// syscalls/testdata/errno_table.tsv.

// Returns kBefore if the call changes nothing, and kAfter if it takes effect
// although it fails: close(2) releases the descriptor, connect(2) with EINTR
// continues, accept4(2) with EFAULT takes the connection and closes it. For a
// pair that the table lacks, returns the effect of the family's call (recv for
// recvmsg). If the table lacks that, too, returns kAfter for close(2) and
// kBefore for other calls.
Effect DefaultEffect(SyscallId call, int error);

// Returns the errnos that the call can have on a TCP socket, in the order of
// the table. A call without rows has those of the family's call.
std::vector<int> ErrnosOf(SyscallId call);

}  // namespace net

#endif  // FAKES_FAULTS_EFFECT_H_
