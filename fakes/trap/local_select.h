#ifndef FAKES_TRAP_LOCAL_SELECT_H_
#define FAKES_TRAP_LOCAL_SELECT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "fakes/fd_sets.h"
#include "fakes/trap/memory_copy.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/process.h"

namespace net::trap {

// The three sets of select(2) and pselect6(2), for a call with duplicates of
// the target's descriptors. The duplicates have other numbers, so the sets are
// translated.
class LocalSelect {
 public:
  // `arguments`: the call's; the first four are the count and the sets. Returns
  // false if the target's memory cannot be read, or a descriptor cannot be
  // duplicated.
  bool Prepare(MemoryCopies& memory, const Process& process,
               const std::array<uint64_t, 6>& arguments);

  // Returns whether the sets have a descriptor that is not open: the call fails
  // with EBADF.
  bool has_bad_descriptor() const { return has_bad_descriptor_; }
  // The first four arguments of the call in this process.
  int count() const { return count_; }
  const void* set(size_t i) const {
    return sets_[i].remote == nullptr ? nullptr : sets_[i].local.data();
  }

  // Writes the sets to the target's memory. Returns false for EFAULT.
  bool WriteOutputs(const MemoryCopies& memory);

 private:
  struct Set {
    MemoryCopy* remote = nullptr;  // null if the target's pointer is
    FdBits wanted;                 // with the target's numbers
    FdBits local;                  // with the duplicates'
  };

  // Adds the duplicate of a descriptor of the sets.
  bool Duplicate(const Process& process, int fd);

  int count_ = 0;
  bool has_bad_descriptor_ = false;
  std::array<Set, 3> sets_;            // readable, writable, exceptional
  std::map<int, OwnedFd> duplicates_;  // by the number in the target
};

}  // namespace net::trap

#endif  // FAKES_TRAP_LOCAL_SELECT_H_
