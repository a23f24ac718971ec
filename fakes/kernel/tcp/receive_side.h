#ifndef FAKES_KERNEL_TCP_RECEIVE_SIDE_H_
#define FAKES_KERNEL_TCP_RECEIVE_SIDE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/tcp/out_of_order.h"
#include "fakes/kernel/tcp/receive_window.h"

namespace net::fake {

// The window, in bytes, that the first segment of an end announces.
inline constexpr uint32_t kFirstWindow = 65464;

// The receiving side of a connection: the receive sequence variables of
// RFC 9293, section 3.3.1, and the bytes. Sequence numbers are those of
// Segment.
//
// The queue holds all bytes that the sender's program has written and that the
// receiver's program has not read. The first ready() have arrived. The others
// wait until a segment carries their numbers to this side, so that they are
// copied only once.
class ReceiveSide {
 public:
  // RCV.NXT.
  uint64_t nxt() const { return nxt_; }
  // The number of bytes that have arrived and were not read.
  size_t ready() const { return ready_; }
  // The number of bytes that have arrived.
  uint64_t arrived() const {
    return nxt_ == 0 ? 0 : nxt_ - 1 - (fin_received_ ? 1U : 0U);
  }
  bool fin_received() const { return fin_received_; }
  // The sequence number of the first byte that was not read.
  uint64_t first_unread() const {
    return nxt_ - (fin_received_ ? 1U : 0U) - ready_;
  }
  // The right edge of the announced window: RCV.NXT + RCV.WND.
  uint64_t window_end() const { return window_end_; }
  uint32_t window() const {
    return window_end_ > nxt_ ? static_cast<uint32_t>(window_end_ - nxt_) : 0;
  }

  // The bytes that the sender has written.
  ByteQueue& queue() { return queue_; }
  const ByteQueue& queue() const { return queue_; }
  // Decides the size of the window.
  ReceiveWindow& space() { return space_; }
  const ReceiveWindow& space() const { return space_; }

  // Called when the peer's SYN has arrived.
  void Start() {
    nxt_ = 1;
    window_end_ = std::max<uint64_t>(window_end_, 1);
  }
  // Returns to the state before a connection.
  void Reset(ChunkPool& chunks) {
    queue_.Clear(chunks);
    out_of_order_.reset();
    space_ = {};
    nxt_ = window_end_ = 0;
    ready_ = 0;
    fin_received_ = false;
  }

  // Announces a window of at least `free` bytes. Does not take back the window
  // that was announced before (RFC 9293, section 3.8.6).
  void Announce(uint64_t free) {
    window_end_ = std::max(window_end_, nxt_ + free);
  }

  // Announces a window of 0, although a larger one was announced before.
  void TakeBackWindow() { window_end_ = nxt_; }

  // Takes the bytes in [seq, end) that are new and in the window. Requires that
  // seq <= nxt(). Returns how many there were.
  size_t Take(uint64_t end) {
    const uint64_t until = std::min(
        {end, std::max(window_end_, nxt_), nxt_ + queue_.size() - ready_});
    if (until <= nxt_) return 0;
    const size_t taken = until - nxt_;
    nxt_ = until;
    ready_ += taken;
    return taken;
  }

  // Returns what has arrived out of order, or null if nothing has.
  const OutOfOrder* out_of_order() const { return out_of_order_.get(); }
  // Keeps a segment that begins after nxt(). See OutOfOrder::Add().
  bool Keep(uint64_t begin, uint64_t end, bool has_fin) {
    if (out_of_order_ == nullptr) {
      out_of_order_ = std::make_unique<OutOfOrder>();
    }
    return out_of_order_->Add(begin, end, has_fin);
  }
  // Takes the bytes that had arrived out of order and are in order now, as
  // tcp_ofo_queue() of Linux (net/ipv4/tcp_input.c). Does not take a FIN after
  // them.
  void TakeKept() {
    const uint64_t end = std::min(out_of_order_->EndOfBytes(nxt_),
                                  nxt_ + queue_.size() - ready_);
    ready_ += end - nxt_;
    nxt_ = end;
    out_of_order_->RemoveBefore(nxt_);
    if (out_of_order_->empty()) out_of_order_.reset();
  }
  // Returns whether a FIN had arrived out of order and is in order now.
  bool HasKeptFin() const {
    return out_of_order_ != nullptr && out_of_order_->HasFinAt(nxt_);
  }
  // Returns whether all bytes that were written have arrived.
  bool has_all_written() const { return queue_.size() == ready_; }
  void TakeFin() {
    ++nxt_;
    fin_received_ = true;
    out_of_order_.reset();
  }

  // Called when the program has read `size` bytes.
  void OnRead(size_t size) { ready_ -= size; }
  // Discards the bytes that have arrived, because the program will not read
  // them. Returns whether there were any.
  bool Discard(ChunkPool& chunks) {
    if (ready_ == 0) return false;
    queue_.Take(chunks, nullptr, ready_);
    ready_ = 0;
    out_of_order_.reset();
    return true;
  }
  // Drops the bytes that have not arrived, because they never will.
  void Cut(ChunkPool& chunks) {
    queue_.Truncate(chunks, ready_);
    out_of_order_.reset();
  }

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  ByteQueue queue_;
  uint64_t nxt_ = 0;
  uint64_t window_end_ = 0;
  size_t ready_ = 0;
  std::unique_ptr<OutOfOrder> out_of_order_;
  // The next member is in its padding.
  [[no_unique_address]] ReceiveWindow space_;
  bool fin_received_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_RECEIVE_SIDE_H_
