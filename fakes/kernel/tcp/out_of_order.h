#ifndef FAKES_KERNEL_TCP_OUT_OF_ORDER_H_
#define FAKES_KERNEL_TCP_OUT_OF_ORDER_H_

#include <cstdint>

#include "fakes/kernel/tcp/sequence_ranges.h"

namespace net::fake {

// The numbers of the segments that have arrived before data that precedes them:
// the queue of RFC 9293, section 3.10.7.4. Their bytes are in the queue of
// ReceiveSide. Sequence numbers are those of Segment.
class OutOfOrder {
 public:
  bool empty() const { return arrived_.empty(); }

  // Adds a segment, [begin, end). `has_fin`: its last number is that of a FIN.
  // Returns false if it had arrived before.
  bool Add(uint64_t begin, uint64_t end, bool has_fin) {
    if (has_fin) fin_end_ = end;
    newest_ = begin;
    return arrived_.Add(begin, end);
  }
  bool Contains(uint64_t seq) const { return arrived_.Contains(seq, seq + 1); }

  // Returns the end of the bytes that follow those before `nxt` without a gap.
  uint64_t EndOfBytes(uint64_t nxt) const {
    const SequenceRanges::Range* const next = arrived_.EndingAfter(nxt);
    if (next == nullptr || next->begin > nxt) return nxt;
    return next->end == fin_end_ ? next->end - 1 : next->end;
  }
  // Returns whether a FIN has arrived that has the number `seq`.
  bool HasFinAt(uint64_t seq) const {
    return fin_end_ == seq + 1 && Contains(seq);
  }
  // Forgets what precedes `nxt`.
  void RemoveBefore(uint64_t nxt) { arrived_.RemoveBefore(nxt); }

  // Returns the block that a selective acknowledgement reports: the one with
  // the segment that has arrived last (RFC 2018, section 4), or else the first
  // one. Requires that there is one.
  SequenceRanges::Range Block() const {
    const SequenceRanges::Range* const newest = arrived_.EndingAfter(newest_);
    return newest != nullptr ? *newest : arrived_.ranges().front();
  }

 private:
  SequenceRanges arrived_;
  uint64_t newest_ = 0;   // Where the segment that arrived last begins.
  uint64_t fin_end_ = 0;  // After the FIN; 0: it has not arrived.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_OUT_OF_ORDER_H_
