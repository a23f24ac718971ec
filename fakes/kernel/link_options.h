#ifndef FAKES_KERNEL_LINK_OPTIONS_H_
#define FAKES_KERNEL_LINK_OPTIONS_H_

#include <cstdint>
#include <ostream>

#include "absl/time/time.h"
#include "syscalls/net/ip_addr.h"

namespace net {

// The two ends of a link: it carries the segments from one address to another.
struct LinkEnds {
  // Addresses of hosts, without a scope. A wildcard (ip::kAnyV4, ip::kAnyV6)
  // stands for all addresses of both families.
  ip::Addr from = ip::kAnyV4;
  ip::Addr to = ip::kAnyV4;
  // Whether the link also carries the segments from `to` to `from`. Each
  // direction has its own queue, its own bandwidth and its own random numbers.
  bool both_ways = true;

  friend bool operator==(const LinkEnds&, const LinkEnds&) = default;
};
std::ostream& operator<<(std::ostream& os, const LinkEnds& ends);

// The properties of a link, which carries segments. The default is a perfect
// link: it delivers each segment at once, as Linux's loopback interface does.
//
// A link keeps the order of its segments. The sender retransmits a lost segment
// (RFC 6298). Loss therefore delays a stream but does not break it, unless it
// lasts longer than tcp_retries2 or TCP_USER_TIMEOUT allow.
struct LinkOptions {
  // A rule for all segments, like a firewall's.
  enum class Rule : uint8_t {
    kPass,
    kDrop,    // Segments are lost.
    kReject,  // A segment is answered by a reset (iptables: REJECT with
              // tcp-reset): connect(2) fails with ECONNREFUSED, a connection
              // with ECONNRESET.
  };

  // The time between the sending and the arrival of a segment, without its time
  // in the queue. Virtual time; not negative.
  absl::Duration delay = absl::ZeroDuration();
  // Each segment is delayed by a further random time between zero and this one.
  // Not negative.
  absl::Duration jitter = absl::ZeroDuration();
  // Bytes per second, headers included (52 bytes a segment over IPv4, 72 over
  // IPv6). 0: unlimited.
  int64_t bandwidth = 0;
  // The probability with which a segment is lost: from 0 to 1.
  double loss = 0;
  // Seed of the random numbers for jitter and loss. Two runs with equal seeds
  // lose the same segments.
  uint64_t seed = 1;
  Rule rule = Rule::kPass;

  friend bool operator==(const LinkOptions&, const LinkOptions&) = default;
};
std::ostream& operator<<(std::ostream& os, const LinkOptions& options);

}  // namespace net

#endif  // FAKES_KERNEL_LINK_OPTIONS_H_
