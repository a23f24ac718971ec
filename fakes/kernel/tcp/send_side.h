#ifndef FAKES_KERNEL_TCP_SEND_SIDE_H_
#define FAKES_KERNEL_TCP_SEND_SIDE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/tcp/retransmission_timeout.h"

namespace net::fake {

// The most data, in bytes, in a segment over the loopback interface while the
// window is still the first.
inline constexpr uint32_t kFirstMss = 32768;

// The sending side of a connection: the send sequence variables of RFC 9293,
// section 3.3.1, and what goes into the next segment. Sequence numbers are
// those of Segment.
class SendSide {
 public:
  // The reason why a piece that is smaller than a segment may not be sent now.
  enum class Hold : uint8_t {
    kNone,
    kNagle,  // while a small one is not acknowledged (RFC 896)
    kCork,   // TCP_CORK, MSG_MORE
  };

  // SND.UNA, SND.NXT.
  uint64_t una() const { return una_; }
  uint64_t nxt() const { return nxt_; }
  // The highest SND.NXT until now. After a timeout, SND.NXT is SND.UNA again.
  uint64_t max() const { return max_; }
  // The right edge of the window: SND.UNA + SND.WND.
  uint64_t window_end() const { return window_end_; }
  uint64_t window() const {
    return window_end_ > una_ ? window_end_ - una_ : 0;
  }
  uint32_t mss() const { return mss_; }
  // Returns the size of a full segment in bytes: the MSS, but at most half of
  // largest_window(). The peer can then acknowledge one segment during the
  // transmission of the next (tcp_bound_to_half_wnd() of Linux).
  uint32_t segment() const { return segment_; }
  void set_mss(uint32_t bytes, uint32_t first_window) {
    mss_ = bytes;
    largest_window_ = std::max(largest_window_, first_window);
    BoundSegment();
  }
  uint32_t largest_window() const { return largest_window_; }

  // Called when the SYN was sent.
  void Start() {
    Reset();
    nxt_ = max_ = written_ = 1;
  }

  // Returns to the state before a connection.
  void Reset() {
    static constexpr SendSide kNew;  // Cheaper to copy than to make.
    *this = kNew;
  }

  // Called when the program has written `size` bytes.
  void Write(size_t size) { written_ += size; }
  // Called when the program ends the stream: a FIN follows the bytes.
  void WriteFin() { fin_ = true; }
  bool fin_written() const { return fin_; }
  uint64_t written() const { return written_; }

  // The bytes that wait for an acknowledgement, and those that were never sent.
  // Both count the FIN as one byte.
  uint64_t Unacknowledged() const { return end() - una_; }
  uint64_t Unsent() const { return end() - max_; }
  // The same in bytes, without the FIN.
  uint64_t UnacknowledgedBytes() const {
    return una_ < written_ ? written_ - std::max<uint64_t>(una_, 1) : 0;
  }
  uint64_t UnsentBytes() const { return max_ < written_ ? written_ - max_ : 0; }
  bool in_flight() const { return una_ < max_; }
  bool fin_acknowledged() const { return fin_ && una_ > written_; }
  bool everything_sent() const { return nxt_ == end(); }

  // The next segment to be sent.
  struct Piece {
    uint32_t size = 0;
    bool fin = false;
    bool nothing() const { return size == 0 && !fin; }
  };
  // Returns the piece that can be sent now. A segment is not cut to fit the
  // window (RFC 9293, section 3.8.6.2.1): Linux leaves that to the probe.
  Piece Next(Hold hold) const {
    Piece piece;
    // A retransmission has nothing new.
    const bool again = nxt_ < max_;
    if (nxt_ < written_) {
      const uint64_t rest =
          (again ? std::min(max_, written_) : written_) - nxt_;
      piece.size = static_cast<uint32_t>(std::min<uint64_t>(rest, segment_));
      if (nxt_ + piece.size > window_end_) return {};
      const bool partial = piece.size < segment_ && !fin_ && !again;
      if (partial && (hold == Hold::kCork ||
                      (hold == Hold::kNagle && small_end_ > una_))) {
        return {};
      }
    }
    piece.fin =
        fin_ && nxt_ + piece.size == written_ && (!again || max_ > written_);
    return piece;
  }
  // Returns the piece that a probe of the window carries: as much as fits into
  // the window.
  Piece Probe() const {
    if (nxt_ >= written_ || nxt_ >= window_end_) return {};
    // A retransmission has nothing new.
    const bool again = nxt_ < max_;
    const uint64_t end = again ? std::min(max_, written_) : written_;
    const uint64_t size = std::min(end, window_end_) - nxt_;
    return {
        .size = static_cast<uint32_t>(size),
        .fin = fin_ && nxt_ + size == written_ && (!again || max_ > written_)};
  }
  // Called when a piece was sent. A small piece that was sent as a `probe` does
  // not make later ones wait (tcp_write_wakeup() of Linux,
  // net/ipv4/tcp_output.c).
  void OnSent(Piece piece, bool probe = false) {
    nxt_ += piece.size + (piece.fin ? 1U : 0U);
    if (piece.size > 0 && piece.size < segment_ && nxt_ > max_ && !probe) {
      small_end_ = nxt_;
    }
    max_ = std::max(max_, nxt_);
  }

  // Counts everything in flight as lost: it is sent again.
  void GoBack() { nxt_ = una_; }
  // Makes the data in flight from `seq` on be sent again.
  void GoBackTo(uint64_t seq) { nxt_ = std::max(una_, seq); }
  // Leaves out what precedes `seq`, because it has arrived.
  void SkipTo(uint64_t seq) { nxt_ = std::max(nxt_, seq); }
  // Undoes GoBack(), because the data was not lost, or is not sent again yet.
  void UndoGoBack() { nxt_ = max_; }

  // Returns the sequence number of a segment without data (tcp_acceptable_seq()
  // of Linux). The window's end may be inexact, because windows are announced
  // in multiples of `unit`.
  uint64_t seq_of_control(uint32_t unit) const {
    return window_end_ >= max_ || window_end_ + unit > max_ ? max_
                                                            : window_end_;
  }

  bool Acceptable(uint64_t ack) const { return ack <= max_; }
  void OnAck(uint64_t ack) {
    una_ = ack;
    nxt_ = std::max(nxt_, una_);
  }
  // Called when the peer has announced a window. The right edge of the window
  // moves back only if the peer has dropped data for lack of memory, and
  // announces a window of 0 (tcp_may_update_window() of Linux).
  void OnWindow(uint64_t ack, uint32_t window) {
    if (window == 0 && ack >= una_ && ack < window_end_) window_end_ = ack;
    window_end_ = std::max(window_end_, ack + window);
    if (window > largest_window_) {
      largest_window_ = window;
      BoundSegment();
    }
  }

  RetransmissionTimeout& rto() { return rto_; }
  const RetransmissionTimeout& rto() const { return rto_; }

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  void BoundSegment() {
    segment_ = std::min(mss_, std::max(largest_window_ / 2, 1U));
  }

  // The sequence number after all that the program wants to send.
  uint64_t end() const { return written_ + (fin_ ? 1U : 0U); }

  uint64_t una_ = 0;
  uint64_t nxt_ = 0;
  uint64_t max_ = 0;
  uint64_t written_ = 0;  // After the last byte.
  uint64_t window_end_ = 0;
  uint64_t small_end_ = 0;  // After the last segment that was not full.
  RetransmissionTimeout rto_;
  uint32_t mss_ = kFirstMss;
  uint32_t segment_ = kFirstMss;
  uint32_t largest_window_ = 0;
  bool fin_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_SEND_SIDE_H_
