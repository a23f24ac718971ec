#ifndef FAKES_KERNEL_TCP_RETRANSMISSION_TIMEOUT_H_
#define FAKES_KERNEL_TCP_RETRANSMISSION_TIMEOUT_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "fakes/kernel/clock.h"

namespace net::fake {

// The retransmission timeout of a connection (RFC 6298), as
// tcp_rtt_estimator() of Linux (net/ipv4/tcp_input.c) computes it:
// - The deviation is at least tcp_rto_min_us.
// - It grows at once, but shrinks at most once in a round trip.
// - A round trip that is shorter than before changes it less.
class RetransmissionTimeout {
 public:
  // RFC 6298, section 2.1. TCP_TIMEOUT_INIT of Linux.
  static constexpr Nanoseconds kInitial = kSecond;

  // Takes a measured round trip into account. `una` and `nxt` are SND.UNA and
  // the highest SND.NXT. `min` is tcp_rto_min_us.
  void Measure(Nanoseconds round_trip, uint64_t una, uint64_t nxt,
               Nanoseconds min) {
    if (round_trip == 0 && IsLeast(min)) return MeasureLeast(una, nxt);
    const int32_t measured = ToMicros(round_trip);
    const int32_t least = ToMicros(min);
    if (srtt_ < 0) {
      srtt_ = 8 * measured;
      deviation_ = 2 * measured;
      rttvar_ = largest_ = std::max(2 * measured, least);
      round_end_ = static_cast<uint32_t>(nxt);
      return;
    }
    int32_t error = measured - srtt_ / 8;
    srtt_ += error;
    if (error < 0) {
      error = -error - deviation_ / 4;
      if (error > 0) error /= 8;
    } else {
      error -= deviation_ / 4;
    }
    deviation_ += error;
    largest_ = std::max(largest_, deviation_);
    rttvar_ = std::max(rttvar_, largest_);
    if (EndsRound(una)) {
      if (largest_ < rttvar_) rttvar_ -= (rttvar_ - largest_) / 4;
      round_end_ = static_cast<uint32_t>(nxt);
      largest_ = least;
    }
  }
  // Returns whether all round trips took no time, as over a perfect link. The
  // timeout is then `min`, times a power of 2. `min` is tcp_rto_min_us.
  bool IsLeast(Nanoseconds min) const {
    return (srtt_ | deviation_) == 0 && rttvar_ == largest_ &&
           Nanoseconds{rttvar_} * kMicrosecond == min;
  }
  // Does the same if the round trip took no time, and IsLeast().
  void MeasureLeast(uint64_t una, uint64_t nxt) {
    if (EndsRound(una)) round_end_ = static_cast<uint32_t>(nxt);
  }
  // Doubles the timeout (RFC 6298, section 5.5).
  void BackOff() {
    if (doublings_ < std::numeric_limits<uint8_t>::max()) ++doublings_;
  }
  void EndBackOff() { doublings_ = 0; }
  int doublings() const { return doublings_; }

  // Returns the smoothed round-trip time, or -1 before the first measurement.
  Nanoseconds srtt() const {
    static_assert(kMicrosecond % 8 == 0);
    return srtt_ < 0 ? -1 : Nanoseconds{srtt_} * (kMicrosecond / 8);
  }
  // Returns the deviation of the round-trip time, without a lower bound.
  Nanoseconds deviation() const {
    return Nanoseconds{deviation_} * kMicrosecond / 4;
  }
  // Returns four times the deviation (RFC 6298: RTTVAR), with its lower bound.
  Nanoseconds rttvar() const { return Nanoseconds{rttvar_} * kMicrosecond; }

  // Returns the timeout, between `min` plus the round trip and `max`.
  Nanoseconds Get(Nanoseconds min, Nanoseconds max) const {
    const Nanoseconds base =
        srtt_ < 0 ? kInitial : srtt() + std::max(rttvar(), min);
    // 2^40 ns are 18 minutes.
    return std::min(max, base << std::min<int>(doublings_, 20));
  }

 private:
  static constexpr Nanoseconds kMicrosecond = kSecond / 1000000;

  static int32_t ToMicros(Nanoseconds span) {
    constexpr Nanoseconds kLongest = 250 * kSecond;  // Fits when multiplied.
    return static_cast<int32_t>(std::min(span, kLongest) / kMicrosecond);
  }

  bool EndsRound(uint64_t una) const {
    return static_cast<int32_t>(static_cast<uint32_t>(una) - round_end_) > 0;
  }

  // In microseconds.
  int32_t srtt_ = -1;      // 8 times; -1: nothing was measured yet.
  int32_t deviation_ = 0;  // 4 times; mdev_us of Linux.
  int32_t rttvar_ = 0;     // 4 times.
  int32_t largest_ = 0;    // deviation_ in this round trip; mdev_max_us.
  // The low bits of the sequence number that ends this round trip.
  uint32_t round_end_ = 0;
  uint8_t doublings_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_RETRANSMISSION_TIMEOUT_H_
