#ifndef FAKES_KERNEL_TCP_CONGESTION_WINDOW_H_
#define FAKES_KERNEL_TCP_CONGESTION_WINDOW_H_

#include <algorithm>
#include <array>
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
  // Returns whether new data may be sent.
  bool Admits() const { return !is_small() || in_flight_ < size_; }

  // Called when the connection begins, if its SYN or SYN-ACK was lost (RFC
  // 5681, section 3.1).
  void Shrink() { size_ = 1; }

  // Called when new data was sent, up to `end`. `una` is the first byte that is
  // not acknowledged. As tcp_cwnd_validate() of Linux (net/ipv4/tcp_output.c).
  void OnSent(uint64_t una, uint64_t end) {
    if (!is_small()) return;
    // A probe may be in flight in addition.
    if (in_flight_ < ends_.size()) ++in_flight_;
    ends_[in_flight_ - 1] = end;
    const bool is_full = in_flight_ >= size_;
    if (una >= used_until_ || is_full || (!is_full_ && in_flight_ > most_)) {
      is_full_ = is_full;
      most_ = in_flight_;
      used_until_ = end;
    }
  }
  // Called when [begin, end) was sent again, as one segment.
  void OnSentAgain(uint64_t begin, uint64_t end) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < in_flight_; ++i) {
      if (ends_[i] <= begin || ends_[i] >= end) ends_[kept++] = ends_[i];
    }
    in_flight_ = kept;
  }
  // Called when everything below `ack` has arrived, in slow start. `twice`: and
  // a segment that had arrived before, which Linux counts (tcp_dsack_seen() of
  // net/ipv4/tcp_input.c).
  void OnAck(uint64_t ack, bool twice) {
    if (!is_small()) return;
    uint32_t delivered = 0;
    while (delivered < in_flight_ && ends_[delivered] <= ack) ++delivered;
    in_flight_ -= delivered;
    std::copy_n(ends_.begin() + delivered, in_flight_, ends_.begin());
    // tcp_is_cwnd_limited() of Linux (include/net/tcp.h).
    const bool is_used = is_full_ || size_ < 2 * most_;
    if (delivered > 0 && is_used) size_ += delivered + (twice ? 1 : 0);
    if (!is_small()) in_flight_ = 0;
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
  // The ends of the segments in flight, in order.
  std::array<uint64_t, kInitial> ends_ = {};
  uint32_t in_flight_ = 0;
  // Since everything before `used_until_` was sent: the most segments in
  // flight, and whether they filled the window.
  uint32_t most_ = 0;
  uint64_t used_until_ = 0;
  bool is_full_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_CONGESTION_WINDOW_H_
