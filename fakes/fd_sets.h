#ifndef FAKES_FD_SETS_H_
#define FAKES_FD_SETS_H_

#include <sys/select.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <vector>

#include "fakes/kernel/user_memory.h"

// The sets of select(2). They may be larger than an fd_set: FD_ISSET() would
// not allow that.

namespace net {

// A set of descriptors as the kernel copies it: of whole words, whatever the
// count (FDS_BYTES in Linux's linux/select.h).
class FdBits {
 public:
  // An empty set with room for the descriptors below `count`.
  explicit FdBits(int count = 0) : words_(WordsFor(count)) {}

  bool contains(int fd) const { return (words_[WordOf(fd)] & BitOf(fd)) != 0; }
  void Add(int fd) { words_[WordOf(fd)] |= BitOf(fd); }
  void Remove(int fd) { words_[WordOf(fd)] &= ~BitOf(fd); }
  // Removes the descriptors from `count` on.
  void Cut(int count) {
    const int end = static_cast<int>(words_.size()) * kWordBits;
    for (int fd = count; fd < end; ++fd) Remove(fd);
  }

  void* data() { return words_.data(); }
  const void* data() const { return words_.data(); }
  size_t bytes() const { return words_.size() * sizeof(Word); }

 private:
  using Word = unsigned long;  // NOLINT(google-runtime-int): as in fd_set
  static constexpr int kWordBits = CHAR_BIT * sizeof(Word);

  static size_t WordsFor(int count) {
    return static_cast<size_t>((count + kWordBits - 1) / kWordBits);
  }
  static size_t WordOf(int fd) { return static_cast<size_t>(fd / kWordBits); }
  static Word BitOf(int fd) { return Word{1} << (fd % kWordBits); }

  std::vector<Word> words_;
};

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
