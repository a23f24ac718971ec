#ifndef FAKES_KERNEL_TCP_DELAYED_ACK_H_
#define FAKES_KERNEL_TCP_DELAYED_ACK_H_

#include <algorithm>
#include <cstdint>

#include "fakes/kernel/clock.h"

namespace net::fake {

// Decides when arrived data is acknowledged (RFC 9293, section 3.8.6.3), as
// Linux does (net/ipv4/tcp_input.c, tcp_output.c):
// - In quick-acknowledgement mode, immediately. A connection begins with it.
//   It lasts for up to 16 segments.
// - Otherwise with the next data that is sent, or after 40 ms. A connection
//   whose program answers soon is interactive ("pingpong"): its quick mode
//   ends.
// - Data of more than one segment is acknowledged immediately.
class DelayedAck {
 public:
  // Returns to the state before a connection.
  void Reset() {
    static constexpr DelayedAck kNew;  // Cheaper to copy than to make.
    *this = kNew;
  }

  // Returns whether an acknowledgement is owed.
  bool owed() const { return owed_; }
  void Owe() { owed_ = true; }

  // Called when the acknowledgement of a SYN-ACK is delayed (see
  // TcpSocket::OnSynAck()). Quick mode begins, as in tcp_enter_quickack_mode()
  // of Linux.
  void DelayHandshake(uint32_t window) {
    owed_ = true;
    interactive_ = false;
    AddQuick(window);
    ato_ = kAtoMin;
  }
  // TCP_DELACK_MAX of Linux.
  static constexpr Nanoseconds kMax = kSecond / 5;

  // Called when a segment with `size` bytes of data has arrived. `window` is
  // the window that the last acknowledgement has announced, in bytes. `rto` may
  // have any value unless DependsOnTimeout().
  void OnData(uint32_t size, uint32_t window, Nanoseconds rto,
              Nanoseconds now) {
    owed_ = true;
    Measure(size);
    if (ato_ == 0) {
      // The first data.
      AddQuick(window);
      ato_ = kAtoMin;
    } else {
      const Nanoseconds gap = now - last_data_at_;
      if (gap <= kAtoMin / 2) {
        ato_ = ato_ / 2 + kAtoMin / 2;
      } else if (gap < ato_) {
        ato_ = std::min(ato_ / 2 + gap, rto);
      } else if (gap > rto) {
        AddQuick(window);
      }
    }
    last_data_at_ = now;
  }

  // Returns whether OnData() is the same as OnRoutineData(): data of less than
  // a segment that follows other data soon.
  bool IsRoutine(uint32_t size, Nanoseconds now) const {
    return ato_ != 0 && now - last_data_at_ <= kAtoMin / 2 && size < segment_;
  }
  void OnRoutineData(Nanoseconds now) {
    owed_ = true;
    Measure(0);
    // A shift, because the compiler may use the slow division.
    ato_ = (ato_ >> 1) + kAtoMin / 2;
    last_data_at_ = now;
  }

  // Returns whether OnData() uses the retransmission timeout, which takes time
  // to compute.
  bool DependsOnTimeout(Nanoseconds now) const {
    return ato_ != 0 && now - last_data_at_ > kAtoMin / 2;
  }

  // Called when the window grows, which the sender should learn soon
  // (tcp_grow_window() of Linux).
  void OnWindowGrown() { quick_ |= 1U; }
  // Called when little room is left (__tcp_select_window() of Linux).
  void EndQuickMode() { quick_ = 0; }

  // Called when the peer has ended the stream.
  void OnFin() {
    owed_ = true;
    interactive_ = true;
  }

  // Called when an acknowledgement was sent, with or without data.
  void OnSent() {
    owed_ = small_ = two_small_ = false;
    if (quick_ > 0 && --quick_ == 0) ato_ = kAtoMin;
  }
  // Called when data was sent.
  void OnDataSent(Nanoseconds now) {
    if (ato_ > 0 && now - last_data_at_ < ato_) interactive_ = true;
  }

  // Returns whether to acknowledge now what has arrived. `unacknowledged` is a
  // number of bytes.
  bool IsDueOnArrival(uint64_t unacknowledged) const {
    return owed_ && (unacknowledged > segment_ || quick());
  }
  // Returns whether to acknowledge now that the program has read. `drained`: it
  // has read everything.
  bool IsDueOnRead(uint64_t unacknowledged, bool drained) const {
    return owed_ && (unacknowledged > segment_ ||
                     (drained && (two_small_ || (small_ && !interactive_))));
  }
  // Returns how long an acknowledgement that is owed waits at most. A long
  // delay is limited to the smoothed round-trip time (-1: unknown), but to no
  // less than 40 ms, as in tcp_send_delayed_ack() of Linux.
  Nanoseconds delay(Nanoseconds srtt) const {
    if (ato_ == 0) return kAtoMin;
    if (ato_ <= kAtoMin) return ato_;
    const Nanoseconds longest =
        srtt < 0 ? kMax : std::clamp(srtt, kAtoMin, kMax);
    return std::min(ato_, longest);
  }
  // Called when the delay is over.
  void OnTimer(Nanoseconds rto) {
    if (interactive_) {
      interactive_ = false;
      ato_ = kAtoMin;
    } else {
      ato_ = std::min(2 * ato_, rto);
    }
  }

  // Sets TCP_QUICKACK.
  void SetQuick(bool on) { interactive_ = !on; }
  // Makes what is owed due when the program has read everything
  // (ICSK_ACK_PUSHED of Linux).
  void Push() { small_ = true; }
  // The value that getsockopt(2) returns for TCP_QUICKACK.
  bool quick_option() const { return !interactive_; }
  // Returns whether delay() is ato().
  bool has_short_delay() const { return ato_ != 0 && ato_ <= kAtoMin; }
  // TCP_INFO.
  Nanoseconds ato() const { return ato_; }
  Nanoseconds last_data_at() const { return last_data_at_; }
  uint32_t segment() const { return segment_; }

 private:
  static constexpr Nanoseconds kAtoMin = kSecond / 25;  // TCP_ATO_MIN
  static constexpr uint32_t kMaxQuick = 16;             // TCP_MAX_QUICKACKS

  bool quick() const { return quick_ > 0 && !interactive_; }
  // tcp_incr_quickack() of Linux.
  void AddQuick(uint32_t window) {
    const uint32_t fit = window / (2 * segment_);
    const uint32_t count = fit == 0 ? 2 : fit;
    quick_ = std::max(quick_, static_cast<uint8_t>(std::min(count, kMaxQuick)));
  }
  // tcp_measure_rcv_mss() of Linux.
  void Measure(uint32_t size) {
    if (size >= segment_) {
      segment_ = size;
    } else {
      two_small_ = small_;
    }
    small_ = true;
  }

  Nanoseconds ato_ = 0;  // 0: no data has arrived yet.
  Nanoseconds last_data_at_ = 0;
  uint32_t segment_ = 536;  // The size of the peer's segments: an estimate.
  uint8_t quick_ = 0;       // Acknowledgements left to be sent immediately.
  bool interactive_ = false;
  bool owed_ = false;
  // The acknowledgement that is owed is for a segment that was not full, or for
  // two; or Push() was called.
  bool small_ = false;
  bool two_small_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_DELAYED_ACK_H_
