#ifndef FAKES_KERNEL_TCP_ARRIVAL_TIMES_H_
#define FAKES_KERNEL_TCP_ARRIVAL_TIMES_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "fakes/kernel/clock.h"

namespace net::fake {

// The times at which the data in a receive queue has arrived, for SO_TIMESTAMP
// and its like. Sequence numbers are those of Segment.
//
// Linux stores a time for each buffer of the queue. It joins a new segment with
// the last buffer, whose time becomes that of the new segment
// (tcp_try_coalesce() in net/ipv4/tcp_input.c, skb_try_coalesce() in
// net/core/skbuff.c). Over loopback it does not do so
// - while the sender keeps the first segment of the buffer, because that is not
//   acknowledged;
// - if the buffer would have more than 17 fragments.
class ArrivalTimes {
 public:
  // Adds the bytes in [begin, end), which have arrived now. `read`: the first
  // byte that the program has not read. `acknowledged`: the first byte that
  // the sender keeps.
  void Add(uint64_t begin, uint64_t end, uint64_t read, uint64_t acknowledged,
           Nanoseconds now) {
    // The buffer of the last byte read stays, for the call that reads it.
    while (!buffers_.empty() && buffers_.front().end < read) {
      buffers_.pop_front();
    }
    const uint64_t fragments = Fragments(begin, end);
    if (!buffers_.empty()) {
      Buffer& last = buffers_.back();
      if (last.end == begin && last.end > read && last.kept <= acknowledged &&
          last.fragments + fragments <= kMaxFragments) {
        last.end = end;
        last.fragments += fragments;
        last.time = now;
        return;
      }
    }
    buffers_.push_back({begin, end, /*kept=*/end, fragments, now});
  }

  // Returns the time of the buffer that holds a byte, or nullopt if the byte
  // was not added.
  std::optional<Nanoseconds> Of(uint64_t byte) const {
    for (const Buffer& buffer : buffers_) {
      if (byte < buffer.begin) break;
      if (byte < buffer.end) return buffer.time;
    }
    return std::nullopt;
  }

 private:
  struct Buffer {
    uint64_t begin;
    uint64_t end;
    uint64_t kept;  // The end of the first segment.
    uint64_t fragments;
    Nanoseconds time;
  };

  // MAX_SKB_FRAGS of Linux.
  static constexpr uint64_t kMaxFragments = 17;
  // A thread copies all the data that it sends, on any socket, into pages of
  // this size, and a segment has a fragment in each of its pages. Here it
  // counts as if the thread had only this stream, whose first byte is not the
  // first of a page: a full segment is nearly always in two.
  static constexpr uint64_t kPage = 32768;

  static uint64_t Fragments(uint64_t begin, uint64_t end) {
    return (end - 1) / kPage - begin / kPage + 1;
  }

  std::deque<Buffer> buffers_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_ARRIVAL_TIMES_H_
