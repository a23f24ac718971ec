#ifndef FAKES_KERNEL_TCP_SEQUENCE_RANGES_H_
#define FAKES_KERNEL_TCP_SEQUENCE_RANGES_H_

#include <algorithm>
#include <cstdint>
#include <vector>

namespace net::fake {

// A set of sequence numbers, as ranges [begin, end) that do not touch.
class SequenceRanges {
 public:
  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  bool empty() const { return ranges_.empty(); }
  const std::vector<Range>& ranges() const { return ranges_; }  // In order.
  // Returns the end of the last range, or 0 if there is none.
  uint64_t end() const { return ranges_.empty() ? 0 : ranges_.back().end; }

  // Returns the first range that ends after `seq`, or null if there is none.
  const Range* EndingAfter(uint64_t seq) const {
    const auto found = std::upper_bound(
        ranges_.begin(), ranges_.end(), seq,
        [](uint64_t number, const Range& range) { return number < range.end; });
    return found == ranges_.end() ? nullptr : &*found;
  }
  bool Contains(uint64_t begin, uint64_t end) const {
    const Range* const range = EndingAfter(begin);
    return range != nullptr && range->begin <= begin && end <= range->end;
  }

  // Adds [begin, end). Returns false if it is in the set already.
  bool Add(uint64_t begin, uint64_t end) {
    if (Contains(begin, end)) return false;
    auto first = ranges_.begin();
    while (first != ranges_.end() && first->end < begin) ++first;
    auto last = first;
    for (; last != ranges_.end() && last->begin <= end; ++last) {
      begin = std::min(begin, last->begin);
      end = std::max(end, last->end);
    }
    first = ranges_.erase(first, last);
    ranges_.insert(first, {begin, end});
    return true;
  }
  // Removes the numbers before `seq`.
  void RemoveBefore(uint64_t seq) {
    auto first = ranges_.begin();
    while (first != ranges_.end() && first->end <= seq) ++first;
    ranges_.erase(ranges_.begin(), first);
    if (!ranges_.empty()) {
      ranges_.front().begin = std::max(ranges_.front().begin, seq);
    }
  }

 private:
  std::vector<Range> ranges_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_SEQUENCE_RANGES_H_
