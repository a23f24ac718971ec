#ifndef FAKES_KERNEL_TCP_RECEIVE_WINDOW_H_
#define FAKES_KERNEL_TCP_RECEIVE_WINDOW_H_

#include <algorithm>
#include <cstdint>

namespace net::fake {

// Decides which receive window a connection announces, as Linux does
// (net/ipv4/tcp_input.c, tcp_output.c). SO_RCVBUF limits the memory of the
// receive queue, which includes Linux's overhead. The overhead is that of one
// segment, because Linux joins segments that have been acknowledged. The window
// is an estimate of the data that fits:
// - Half of the memory at first, later the ratio of data to memory in the
//   largest segment that has arrived.
// - No more than a limit that grows with the data that arrives (rcv_ssthresh).
// - In units of the window scale (RFC 7323), or without a scale in whole
//   segments.
class ReceiveWindow {
 public:
  // The memory of a segment beyond its data, in bytes. Measured on Linux 6.18.
  static constexpr uint32_t kOverhead = 832;

  // A segment with fewer bytes does not make the window grow.
  static constexpr uint32_t kSmall = 128;

  // SO_RCVBUF and the memory that is in use, in bytes.
  struct Memory {
    uint32_t buffer = 0;
    uint32_t used = 0;
  };

  // Returns the window of a SYN, in bytes, which has no scale. `mss` is the
  // largest segment that the interface carries.
  static uint32_t First(uint32_t buffer, uint32_t mss) {
    const uint32_t space = buffer / 2;
    return std::min(space > mss ? space / mss * mss : space, kLargestUnscaled);
  }

  // Called when the handshake is over. `first` is the window of the SYN,
  // `scale` the window scale.
  void Start(uint32_t first, int scale) {
    limit_ = first;
    scale_ = static_cast<uint8_t>(scale);
  }

  // Called when a segment has arrived that is larger than the estimate of the
  // peer's segment size. `announced` is the last window that was announced.
  void OnLargerSegment(uint32_t size, uint32_t buffer, uint32_t announced) {
    const auto ratio = static_cast<uint8_t>(std::max<uint64_t>(
        uint64_t{size} * kWhole / (uint64_t{size} + kOverhead), 1));
    if (ratio == ratio_) return;
    const uint32_t before = Clamp(buffer);
    ratio_ = ratio;
    const uint32_t clamp = Clamp(buffer);
    limit_ = clamp < before ? std::min(limit_, clamp)
                            : std::max(limit_, std::min(announced, clamp));
  }

  // Called when a segment with `size` bytes is in the queue, and counted in
  // `memory`. Returns whether the limit has grown (tcp_grow_window()).
  bool Grow(uint32_t size, const Memory& memory, uint32_t mss) {
    if (size < kSmall) return false;
    const uint32_t most = std::min(Clamp(memory.buffer), Free(memory));
    if (most <= limit_) return false;
    limit_ += std::min(most - limit_, 2 * std::max(mss, size));
    return true;
  }

  // Returns the window to announce (__tcp_select_window()). `segment` is the
  // estimate of the peer's segment size, `announced` the last window that was
  // announced.
  uint32_t Select(const Memory& memory, uint32_t segment,
                  uint32_t announced) const {
    if (memory.used == 0 && has_scale()) return WhenEmpty(memory.buffer);
    const uint32_t allowed = FromMemory(memory.buffer);
    const uint32_t whole = std::min(segment, allowed);
    uint32_t free = Free(memory);
    if (IsScarce(memory)) {
      free &= ~(unit() - 1);
      if (free < allowed / 16 || free < whole) return 0;
    }
    free = std::min(free, limit_);
    if (scale_ > 0) return RoundUp(free);
    if (announced > free || announced + whole <= free) {
      return free / whole * whole;
    }
    const bool grows = whole == allowed && free > announced + allowed / 2;
    return grows ? free : announced;
  }

  // The same if no memory is in use. Requires has_scale().
  uint32_t WhenEmpty(uint32_t buffer) const {
    return RoundUp(std::min(FromMemory(buffer), limit_));
  }
  bool has_scale() const { return scale_ > 0; }

  // Returns whether less than half of the memory is free.
  bool IsScarce(const Memory& memory) const {
    return memory.used > 0 && Free(memory) < FromMemory(memory.buffer) / 2;
  }

  // Returns the largest window that `buffer` allows (window_clamp of Linux).
  uint32_t Clamp(uint32_t buffer) const {
    return std::max(FromMemory(buffer), kLeastBuffer / 2);
  }
  uint32_t limit() const { return limit_; }

  // The unit of the windows that are announced, in bytes.
  uint32_t unit() const { return uint32_t{1} << scale_; }
  uint32_t RoundUp(uint32_t bytes) const {
    return (bytes + unit() - 1) & ~(unit() - 1);
  }

 private:
  static constexpr uint32_t kWhole = 256;
  static constexpr uint32_t kLeastBuffer = 2304;  // SOCK_MIN_RCVBUF
  static constexpr uint32_t kLargestUnscaled = 65535;

  uint32_t FromMemory(uint32_t bytes) const {
    return static_cast<uint32_t>(uint64_t{bytes} * ratio_ / kWhole);
  }
  uint32_t Free(const Memory& memory) const {
    return memory.used < memory.buffer ? FromMemory(memory.buffer - memory.used)
                                       : 0;
  }

  uint32_t limit_ = 0;  // rcv_ssthresh
  uint8_t ratio_ = kWhole / 2;
  uint8_t scale_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_RECEIVE_WINDOW_H_
