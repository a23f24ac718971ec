#ifndef FAKES_KERNEL_TCP_CONGESTION_WINDOW_H_
#define FAKES_KERNEL_TCP_CONGESTION_WINDOW_H_

#include <algorithm>
#include <cstdint>

namespace net::fake {

// The congestion window (RFC 5681), in segments, while it is smaller than that
// of a new connection. A larger one holds nothing back here. Sequence numbers
// are those of Segment.
class CongestionWindow {
 public:
  static constexpr uint32_t kInitial = 10;  // RFC 6928

  uint32_t size() const { return size_; }
  bool is_small() const { return size_ < kInitial; }
  // Returns whether new data may be sent while `in_flight` segments are.
  bool Admits(uint32_t in_flight) const {
    return !is_small() || in_flight < size_;
  }

  // Called when the connection begins, if its SYN or SYN-ACK was lost (RFC
  // 5681, section 3.1).
  void Shrink() { size_ = 1; }

  // Called when new data was sent, up to `end`. `una` is the first byte that is
  // not acknowledged. As tcp_cwnd_validate() of Linux (net/ipv4/tcp_output.c).
  void OnSent(uint64_t una, uint64_t end, uint32_t in_flight) {
    const bool is_full = in_flight >= size_;
    if (una >= used_until_ || is_full || (!is_full_ && in_flight > most_)) {
      is_full_ = is_full;
      most_ = in_flight;
      used_until_ = end;
    }
  }
  // Called when so many segments are acknowledged, in slow start. `twice`: and
  // one that had arrived before, which Linux counts (tcp_dsack_seen() of
  // net/ipv4/tcp_input.c).
  void OnAck(uint32_t delivered, bool twice) {
    // tcp_is_cwnd_limited() of Linux (include/net/tcp.h).
    const bool is_used = is_full_ || size_ < 2 * most_;
    if (is_small() && is_used) size_ += delivered + (twice ? 1 : 0);
  }
  // Called when the retransmission timer has expired: everything is lost.
  void OnTimeout() {
    if (!is_small()) return;
    before_loss_ = std::max(before_loss_, size_);
    size_ = 1;
  }
  // Called when nothing was lost after all (tcp_undo_cwnd_reduction() of
  // Linux).
  void Undo() {
    size_ = std::max(size_, before_loss_);
    before_loss_ = 0;
  }

 private:
  uint32_t size_ = kInitial;
  uint32_t before_loss_ = 0;  // 0: nothing was lost.
  // Since everything before `used_until_` was sent: the most segments in
  // flight, and whether they filled the window.
  uint32_t most_ = 0;
  uint64_t used_until_ = 0;
  bool is_full_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_CONGESTION_WINDOW_H_
