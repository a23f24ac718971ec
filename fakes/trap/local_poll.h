#ifndef FAKES_TRAP_LOCAL_POLL_H_
#define FAKES_TRAP_LOCAL_POLL_H_

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fakes/trap/memory_copy.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/process.h"

namespace net::trap {

// The set of poll(2) and ppoll(2), for a call with duplicates of the target's
// descriptors.
class LocalPoll {
 public:
  // `address` and `count` are the call's arguments. Returns false if the
  // target's memory cannot be read, or a descriptor cannot be duplicated.
  bool Prepare(MemoryCopies& memory, const Process& process, uint64_t address,
               size_t count);

  // The set for the call in this process; null if the target's is.
  pollfd* data() { return address_ == 0 ? nullptr : set_.data(); }

  // Writes the events to the target's memory, for the thread that called.
  // Returns false for EFAULT.
  bool WriteOutputs(pid_t thread) const;

 private:
  uint64_t address_ = 0;
  std::vector<pollfd> set_;
  std::vector<OwnedFd> duplicates_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_LOCAL_POLL_H_
