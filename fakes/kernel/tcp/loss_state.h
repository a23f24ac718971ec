#ifndef FAKES_KERNEL_TCP_LOSS_STATE_H_
#define FAKES_KERNEL_TCP_LOSS_STATE_H_

#include <algorithm>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/tcp/congestion_window.h"
#include "fakes/kernel/tcp/sequence_ranges.h"

namespace net::fake {

// The state of a connection that has lost segments. Most connections have none.
// Sequence numbers are those of Segment.
struct LossState {
  // The sequence number whose acknowledgement ends the recovery from a loss:
  // high_seq of Linux. 0: there is no recovery.
  uint64_t recovery_end = 0;
  // The sequence number at which the recovery began: undo_marker of Linux.
  uint64_t recovery_begin = 0;
  // Whether a timeout has begun the recovery: TCP_CA_Loss of Linux.
  bool by_timeout = false;
  // The sequence number after the last loss probe: tlp_high_seq of Linux.
  // 0: the probe is over.
  uint64_t probe_end = 0;
  // Whether the probe was a retransmission, not new data.
  bool probe_was_sent_again = false;
  // The retransmissions of the recovery that no duplicate SACK (RFC 2883) has
  // shown to be unnecessary: undo_retrans of Linux.
  uint16_t needed = 0;
  uint16_t selective_acks = 0;  // In a row.
  // The data in flight that was sent more than once: [begin, end).
  uint64_t again_begin = 0;
  uint64_t again_end = 0;
  // The data in flight that was selectively acknowledged (RFC 2018).
  SequenceRanges selected;
  // The segments in flight that were sent again after they had arrived.
  SequenceRanges copies;
  // The bytes that were sent again: bytes_retrans of Linux.
  uint64_t bytes_sent_again = 0;
  // When the first retransmission of the recovery was sent (retrans_stamp of
  // Linux), and the first of the probes of a closed window; -1: there was none.
  Nanoseconds first_retransmission_at = -1;
  Nanoseconds first_window_probe_at = -1;
  // When the first SYN-ACK was sent, if it was sent again.
  Nanoseconds first_syn_ack_at = -1;
  CongestionWindow window;

  // Records that a segment was sent again.
  void NoteRetransmission(uint64_t una, uint64_t begin, uint64_t end) {
    if (again_end <= una) again_begin = begin;
    again_begin = std::min(again_begin, begin);
    again_end = std::max(again_end, end);
  }
  // Called when what precedes `una` is acknowledged.
  void ForgetBefore(uint64_t una) {
    selected.RemoveBefore(una);
    copies.RemoveBefore(una);
  }
  // Returns whether a part of [begin, end) was sent more than once.
  bool WasSentAgain(uint64_t begin, uint64_t end) const {
    return again_begin < end && begin < again_end;
  }
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_LOSS_STATE_H_
