#ifndef FAKES_KERNEL_TCP_RETRANSMISSION_TIMEOUT_H_
#define FAKES_KERNEL_TCP_RETRANSMISSION_TIMEOUT_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "fakes/kernel/clock.h"

namespace net::fake {

// The retransmission timeout of a connection (RFC 6298), with Linux's bounds:
// tcp_rto_min_us instead of one second, and tcp_rto_max_ms.
class RetransmissionTimeout {
 public:
  // RFC 6298, section 2.1. TCP_TIMEOUT_INIT of Linux.
  static constexpr Nanoseconds kInitial = kSecond;

  // Takes a measured round trip into account (RFC 6298, sections 2.2, 2.3), and
  // ends the backoff.
  void Measure(Nanoseconds round_trip) {
    if (srtt_ < 0) {
      srtt_ = round_trip;
      rttvar_ = round_trip / 2;
    } else {
      const Nanoseconds error =
          srtt_ > round_trip ? srtt_ - round_trip : round_trip - srtt_;
      rttvar_ += (error - rttvar_) / 4;
      srtt_ += (round_trip - srtt_) / 8;
    }
  }
  // Doubles the timeout (RFC 6298, section 5.5).
  void BackOff() {
    if (doublings_ < std::numeric_limits<uint8_t>::max()) ++doublings_;
  }
  void EndBackOff() { doublings_ = 0; }
  int doublings() const { return doublings_; }

  // Returns the smoothed round-trip time, or -1 before the first measurement.
  Nanoseconds srtt() const { return srtt_; }
  Nanoseconds rttvar() const { return rttvar_; }

  // Returns the timeout, between `min` plus the round trip and `max`.
  Nanoseconds Get(Nanoseconds min, Nanoseconds max) const {
    const Nanoseconds base =
        srtt_ < 0 ? kInitial : srtt_ + std::max(4 * rttvar_, min);
    // 2^40 ns are 18 minutes.
    return std::min(max, base << std::min<int>(doublings_, 20));
  }

 private:
  Nanoseconds srtt_ = -1;
  Nanoseconds rttvar_ = 0;
  uint8_t doublings_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_RETRANSMISSION_TIMEOUT_H_
