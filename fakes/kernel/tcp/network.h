#ifndef FAKES_KERNEL_TCP_NETWORK_H_
#define FAKES_KERNEL_TCP_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_timers.h"

namespace net::fake {

struct Kernel;

// Carries segments between the ends of connections.
//
// A socket that sends a segment puts it into a queue. Deliver() takes the
// segments out in order and hands each to its receiver, whose reply goes to the
// end of the queue. So no end changes the other one while a call on a socket is
// under way, as on Linux, where the loopback interface has a queue, too, and a
// segment that arrives for a socket in use waits until the call is over (the
// backlog of lock_sock()).
//
// Guarded by the kernel's mutex.
class Network {
 public:
  explicit Network(Kernel& kernel) : kernel_(kernel) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network() = default;

  // Returns a place for the next segment, which the caller fills in before the
  // next call here. Does not allocate, once the queue is long enough.
  Segment& Add() {
    if (count_ == queue_.size()) Grow();
    Segment& segment = queue_[(first_ + count_++) & (queue_.size() - 1)];
    return segment;
  }

  // Sends the reset that answers `segment` where no connection has its names
  // (RFC 9293, section 3.5.2).
  void AddReset(const Segment& segment);

  // Delivers all segments that are due, and those that they cause. Then arms
  // the timers that were set meanwhile. A call within a delivery does nothing.
  void Deliver() {
    if (!delivering_ && (count_ > 0 || timers_.any())) DeliverAll();
  }

  TimersToArm& timers() { return timers_; }

 private:
  void Grow();
  void DeliverAll();
  // Hands `segment` to the end of its connection, or to a listener.
  void Receive(const Segment& segment);

  Kernel& kernel_;
  // A ring: a power of two of places.
  std::vector<Segment> queue_ = std::vector<Segment>(16);
  size_t first_ = 0;
  size_t count_ = 0;
  bool delivering_ = false;
  TimersToArm timers_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_NETWORK_H_
