#ifndef FAKES_KERNEL_TCP_NETWORK_H_
#define FAKES_KERNEL_TCP_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/tcp/link.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_timers.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

struct Host;
struct Kernel;
class TcpSocket;

// Carries segments between the ends of connections.
//
// A socket that sends a segment puts it into a queue. Deliver() takes the
// segments out in order and hands each to its receiver, whose reply goes to the
// end of the queue. No end therefore changes the other one during a call on a
// socket. Linux does the same: its loopback interface has a queue, and a
// segment that arrives for a socket in use waits until the call is over (the
// backlog of lock_sock()).
//
// Guarded by the kernel's mutex.
class Network {
 public:
  explicit Network(Kernel& kernel);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  // Returns a place for the next segment, which the caller fills in before the
  // next call here. Does not allocate, once the queue is long enough.
  Segment& Add() {
    mutex_.Disturb();
    if (count_ == queue_.size()) Grow();
    return *queue_[Place(count_++)];
  }

  // Sends the reset that answers `segment` if no connection has its four-tuple
  // (RFC 9293, section 3.5.2). `host` is the host at which `segment` has
  // arrived.
  void AddReset(const Segment& segment, Host& host) {
    Add() = ResetFor(segment, host);
  }
  // Returns the socket that has sent `segment`, or null if it no longer exists.
  static TcpSocket* SenderOf(const Segment& segment);

  // Returns whether a segment that is sent now is delivered at once, before any
  // other: all links are perfect, and no segment waits.
  bool IsPerfect() const {
    return count_ == 0 && !delivering_ && links_.empty();
  }

  // Delivers all segments that are due, and those that they cause. Then arms
  // the timers that were set meanwhile. A call within a delivery does nothing.
  void Deliver() {
    if ((count_ > 0 || timers_.any()) && !delivering_) DeliverAll();
  }

  // Returns the errno with which connect(2) from `host` to an address fails
  // before a segment is sent, or 0.
  int RouteError(const Host& host, const ip::Addr& to) const;
  // Returns the source address of a segment from `host`, for a socket without
  // one. Requires that there is a route.
  static ip::Addr SourceFor(const Host& host, const ip::Addr& to);

  // Calls `visit` for the segments on links that take time, the newest first,
  // but for at most `most` of them. For checks only.
  void ForEachUnderWay(
      size_t most,
      absl::FunctionRef<void(const Segment& segment, bool has_timer)> visit)
      const;

  TimersToArm& timers() { return timers_; }
  Links& links() { return links_; }

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  class UnderWay;

  // The index of the queue's place `i`.
  size_t Place(size_t i) const { return (first_ + i) & (queue_.size() - 1); }
  // Makes room in a full queue.
  void Grow();
  void DeliverAll();

  // Sends `segment` over its link.
  void Send(const Segment& segment);
  // Returns the host that has the segment's destination, or null.
  Host* DestinationOf(const Segment& segment) const;
  // Returns the same for an address that is not one of the sender's host.
  Host* RemoteDestination(const ip::Addr& to) const;
  Host* OwnerOf(const ip::Addr& addr) const;
  // Hand an arriving segment to the end of its connection, or to a listener.
  // ArriveByNames() finds the end by the four-tuple, if the sender does not
  // know it.
  void Arrive(const Segment& segment);
  void ArriveByNames(const Segment& segment, Host& host);
  static Segment ResetFor(const Segment& segment, Host& host);

  Kernel& kernel_;
  KernelMutex& mutex_;
  // A ring of which `count_` places are taken. The number of places is a power
  // of 2. Places are reused and do not move, because a segment stays in its
  // place while its delivery causes others.
  std::vector<std::unique_ptr<Segment>> queue_;
  size_t first_ = 0;
  size_t count_ = 0;
  bool delivering_ = false;
  TimersToArm timers_;
  Links links_;
  std::list<UnderWay> under_way_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_NETWORK_H_
