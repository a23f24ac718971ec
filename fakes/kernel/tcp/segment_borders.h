#ifndef FAKES_KERNEL_TCP_SEGMENT_BORDERS_H_
#define FAKES_KERNEL_TCP_SEGMENT_BORDERS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

namespace net::fake {

// The sequence numbers at which segments in flight begin, except the first and
// the last segment. TCP_INFO counts segments, and retransmissions join whole
// ones. Sequence numbers are those of Segment.
class SegmentBorders {
 public:
  // Called when another segment follows the last one, which begins at `last`.
  void Add(uint64_t last) { borders_.push_back(last); }

  // Called when [begin, end) is sent again, which joins segments, or divides
  // one. `last`: where the last segment began until now, and begins from now
  // on if `end` is not after it.
  void OnSentAgain(uint64_t begin, uint64_t end, uint64_t last) {
    const auto from = std::upper_bound(borders_.begin(), borders_.end(), begin);
    const auto next =
        borders_.erase(from, std::lower_bound(from, borders_.end(), end));
    if (end < last && (next == borders_.end() || *next != end)) {
      borders_.insert(next, end);
    }
    // Now the last segment.
    if (end > last && !borders_.empty() && borders_.back() == begin) {
      borders_.pop_back();
    }
  }

  // Called when everything before `una` is acknowledged.
  void OnAck(uint64_t una) {
    borders_.erase(borders_.begin(),
                   std::upper_bound(borders_.begin(), borders_.end(), una));
  }

  // Returns the first border after `seq`, or `last` if there is none.
  uint64_t After(uint64_t seq, uint64_t last) const {
    const auto next = std::upper_bound(borders_.begin(), borders_.end(), seq);
    return next == borders_.end() ? last : *next;
  }

  // Returns the number of borders before `end`.
  uint32_t CountBefore(uint64_t end) const {
    return static_cast<uint32_t>(
        std::lower_bound(borders_.begin(), borders_.end(), end) -
        borders_.begin());
  }

 private:
  std::vector<uint64_t> borders_;  // In order.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_SEGMENT_BORDERS_H_
