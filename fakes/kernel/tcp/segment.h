#ifndef FAKES_KERNEL_TCP_SEGMENT_H_
#define FAKES_KERNEL_TCP_SEGMENT_H_

#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/ports/connections.h"

namespace net::fake {

struct Host;

// A TCP segment (RFC 9293, section 3.1).
//
// Sequence numbers have 64 bits and begin at 0 with each connection: the SYN
// has the number 0 and the first byte the number 1. `connection` distinguishes
// two connections with the same four-tuple, in place of initial sequence
// numbers.
//
// A segment has the numbers of the bytes that it carries, but not the bytes.
// These are in the receiver's queue from the moment at which the sender's
// program wrote them (see ReceiveSide).
struct Segment {
  enum Flag : uint8_t { kSyn = 1, kAck = 2, kFin = 4, kRst = 8 };

  bool has(Flag flag) const { return (flags & flag) != 0; }
  // The sequence number after the last byte and before the FIN.
  uint64_t end() const { return seq + size; }

  // The four-tuple of the connection as the sender sees it.
  const FourTuple& ends() const {
    return from != nullptr ? from->tuple() : own_ends;
  }

  // The sender, while it is known to exist: a shortcut on a perfect link. Null
  // for a segment that no socket has sent.
  ConnectionEnd* from = nullptr;
  FourTuple own_ends;    // The four-tuple, if `from` is null.
  Host* host = nullptr;  // The sender's.
  uint64_t connection = 0;
  uint64_t seq = 0;
  uint64_t ack = 0;         // Valid with kAck.
  uint32_t size = 0;        // Bytes of data.
  uint32_t window = 0;      // Bytes beyond `ack`.
  Nanoseconds sent_at = 0;  // Timestamps option (RFC 7323): TSval
  Nanoseconds echo = -1;    // and TSecr; -1: none.
  // A selective acknowledgement (RFC 2018). The end of what has arrived twice
  // (RFC 2883); 0: nothing has.
  uint64_t twice_until = 0;
  // A block beyond `ack` that has arrived. Linux sends up to four.
  uint64_t block_begin = 0;
  uint32_t block_size = 0;  // 0: there is none.
  uint16_t mss = 0;         // TCP_MAXSEG of the sender, on a SYN; 0: not set.
  uint8_t flags = 0;
  uint8_t ttl = 0;  // IPv6: hop limit.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_SEGMENT_H_
