#ifndef FAKES_FD_SETS_H_
#define FAKES_FD_SETS_H_

#include <sys/select.h>

#include <algorithm>
#include <climits>
#include <cstddef>

#include "fakes/kernel/user_memory.h"

// The sets of select(2). They may be larger than an fd_set: FD_ISSET() would
// not allow that.

namespace net {

// Returns the size of a set with descriptors below `count`, in bytes.
constexpr size_t FdSetSize(int count) {
  return static_cast<size_t>((std::max(count, 0) + CHAR_BIT - 1) / CHAR_BIT);
}

// Calls `visit` with each descriptor of the set that is below `count`. A set at
// an invalid address, or of more descriptors than any RLIMIT_NOFILE, is empty.
template <typename Visitor>
void ForEachInSet(const fd_set* set, int count, Visitor visit) {
  constexpr int kLargestSet = 1 << 20;
  if (set == nullptr || count > kLargestSet ||
      !fake::IsUserAddress(set, FdSetSize(count))) {
    return;
  }
  const auto* const bits = reinterpret_cast<const unsigned char*>(set);
  for (int fd = 0; fd < count; ++fd) {
    const unsigned byte = bits[fd / CHAR_BIT];
    if (((byte >> static_cast<unsigned>(fd % CHAR_BIT)) & 1u) != 0) visit(fd);
  }
}

// Calls `visit` with each descriptor of the sets of a select(2) or pselect(2),
// `arguments`, in ascending order for each set.
template <typename Select, typename Visitor>
void ForEachSelected(const Select& arguments, Visitor visit) {
  ForEachInSet(arguments.readable, arguments.count, visit);
  ForEachInSet(arguments.writable, arguments.count, visit);
  ForEachInSet(arguments.exceptional, arguments.count, visit);
}

}  // namespace net

#endif  // FAKES_FD_SETS_H_
