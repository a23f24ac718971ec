#ifndef FAKES_KERNEL_LINK_OPTIONS_H_
#define FAKES_KERNEL_LINK_OPTIONS_H_

#include <cstdint>
#include <ostream>

#include "absl/time/time.h"
#include "syscalls/net/ip_addr.h"

namespace net {

// Which segments of a FakeKernel's network a call is about: those from one
// address to another one.
struct LinkEnds {
  // An address of a host, without a scope. A wildcard (ip::kAnyV4, ip::kAnyV6)
  // stands for all addresses of both families.
  ip::Addr from = ip::kAnyV4;
  ip::Addr to = ip::kAnyV4;
  // Also from `to` to `from`. Each direction has its own queue, its own
  // bandwidth and its own random numbers.
  bool both_ways = true;

  friend bool operator==(const LinkEnds&, const LinkEnds&) = default;
};
std::ostream& operator<<(std::ostream& os, const LinkEnds& ends);

// The properties of a link, which carries segments. The default is a perfect
// link: it delivers each segment at once, as Linux's loopback interface does.
//
// A link keeps the order of its segments. A segment that is lost is sent again
// by its sender (RFC 6298), so that loss delays a stream but does not break it,
// unless it lasts for longer than tcp_retries2 or TCP_USER_TIMEOUT admit.
struct LinkOptions {
  // A rule for all segments, as of a firewall.
  enum class Rule : uint8_t {
    kPass,
    kDrop,    // It is lost.
    kReject,  // It is answered by a reset (iptables: REJECT with tcp-reset):
              // connect(2) fails with ECONNREFUSED, a connection with
              // ECONNRESET.
  };

  // The time between the sending and the arrival of a segment, without its
  // place in the queue. Virtual time; not negative.
  absl::Duration delay = absl::ZeroDuration();
  // A random time between zero and this is added to each segment's delay. Not
  // negative.
  absl::Duration jitter = absl::ZeroDuration();
  // Bytes per second, headers included (52 bytes a segment over IPv4, 72 over
  // IPv6). 0: unlimited.
  int64_t bandwidth = 0;
  // The probability with which a segment is lost: from 0 to 1.
  double loss = 0;
  // For jitter and loss. Two runs with equal seeds lose the same segments.
  uint64_t seed = 1;
  Rule rule = Rule::kPass;

  friend bool operator==(const LinkOptions&, const LinkOptions&) = default;
};
std::ostream& operator<<(std::ostream& os, const LinkOptions& options);

}  // namespace net

#endif  // FAKES_KERNEL_LINK_OPTIONS_H_
