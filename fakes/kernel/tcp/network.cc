#include "fakes/kernel/tcp/network.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/host.h"
#include "fakes/kernel/tcp/link.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/time_wait.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

// A segment on a link that takes time.
class Network::UnderWay final : private TimerTarget {
 public:
  UnderWay(Network& network, const Segment& segment, Nanoseconds when)
      : network_(network),
        segment_(segment),
        timer_(network.kernel_.clock.Set(when, *this)) {
    segment_.own_ends = segment.ends();
    segment_.from = nullptr;
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() override { network_.kernel_.clock.Clear(timer_); }

  const Segment& segment() const { return segment_; }
  bool has_timer() const { return timer_ != Clock::kNone; }

  std::list<UnderWay>::iterator place;

 private:
  void OnTimer() override {
    timer_ = Clock::kNone;
    Network& network = network_;
    const Segment segment = segment_;
    network.under_way_.erase(place);  // Deletes this.
    // Also what was under way is lost by a cut.
    const FourTuple& ends = segment.ends();
    if (network.links_.IsCut(ends.local.addr, ends.remote.addr)) return;
    network.delivering_ = true;
    network.Arrive(segment);
    network.DeliverAll();
  }

  Network& network_;
  Segment segment_;
  Clock::TimerId timer_;
};

Network::Network(Kernel& kernel) : kernel_(kernel), mutex_(kernel.mutex) {
  Grow();
}
Network::~Network() = default;

void Network::Grow() {
  constexpr size_t kFewest = 16;
  const auto first = queue_.begin() + static_cast<ptrdiff_t>(first_);
  std::rotate(queue_.begin(), first, queue_.end());
  first_ = 0;
  const size_t size = std::max(2 * queue_.size(), kFewest);
  while (queue_.size() < size) queue_.push_back(std::make_unique<Segment>());
}

void Network::DeliverAll() {
  delivering_ = true;
  while (count_ > 0) {
    const Segment& segment = *queue_[first_];
    if (links_.empty()) {
      Arrive(segment);
    } else {
      Send(segment);
    }
    first_ = Place(1);
    --count_;
  }
  first_ = 0;  // Those that are in the processor's cache.
  delivering_ = false;
  if (timers_.any()) timers_.ArmAll();
}

void Network::Send(const Segment& segment) {
  const Link::Fate fate = links_.Send(segment, kernel_.clock.now());
  switch (fate.kind) {
    case Link::Fate::kLost:
      return;
    case Link::Fate::kRejected:
      if (Host* const host = DestinationOf(segment);
          host != nullptr && !segment.has(Segment::kRst)) {
        Arrive(ResetFor(segment, *host));
      }
      return;
    case Link::Fate::kArrives:
      break;
  }
  if (fate.when <= kernel_.clock.now()) return Arrive(segment);
  under_way_.emplace_back(*this, segment, fate.when);
  under_way_.back().place = std::prev(under_way_.end());
}

void Network::ForEachUnderWay(
    size_t most,
    absl::FunctionRef<void(const Segment& segment, bool has_timer)> visit)
    const {
  for (auto one = under_way_.rbegin(); one != under_way_.rend() && most > 0;
       ++one, --most) {
    visit(one->segment(), one->has_timer());
  }
}

// --- Arrival -----------------------------------------------------------------

Segment Network::ResetFor(const Segment& segment, Host& host) {
  const FakeSysctls& sysctls = host.machine.sysctls();
  Segment reset;
  reset.host = &host;
  reset.own_ends = segment.ends().Mirrored();
  reset.connection = segment.connection;
  reset.seq = segment.ack;
  reset.ack = segment.end();
  reset.flags = Segment::kRst | Segment::kAck;
  reset.ttl = static_cast<uint8_t>(reset.own_ends.remote.addr.is_v6()
                                       ? sysctls.hop_limit
                                       : sysctls.ip_default_ttl);
  return reset;
}

inline Host* Network::DestinationOf(const Segment& segment) const {
  const ip::Addr& to = segment.ends().remote.addr;
  Host& host = *segment.host;
  if (!host.on) return nullptr;
  // An interface that is down loses everything.
  if (!host.machine.IsLocal(to)) return RemoteDestination(to);
  return host.machine.loopback_up() ? &host : nullptr;
}

// To a foreign address (IP_FREEBIND) nothing finds the way.
Host* Network::RemoteDestination(const ip::Addr& to) const {
  Host* const owner = kernel_.hosts.size() == 1 ? nullptr : OwnerOf(to);
  return owner != nullptr && owner->on ? owner : nullptr;
}

inline void Network::Arrive(const Segment& segment) {
  Host* const host = DestinationOf(segment);
  if (host == nullptr) return;
  TcpSocket* const peer =
      segment.from == nullptr ? nullptr : segment.from->peer();
  if (peer != nullptr) return peer->OnSegment(segment);
  ArriveByNames(segment, *host);
}

void Network::ArriveByNames(const Segment& segment, Host& host) {
  ConnectionEnd* const end =
      segment.from == nullptr
          ? host.connections.Find(segment.own_ends.Mirrored())
          : host.connections.FindPeer(*segment.from);
  if (end != nullptr) {
    TcpSocket* const socket = end->socket();
    if (socket != nullptr) return socket->OnSegment(segment);
    if (end->time_wait()->OnSegment(segment)) return;
  }
  if (segment.has(Segment::kSyn) && !segment.has(Segment::kAck)) {
    TcpSocket* const listener = host.listeners.Find(segment.ends().Mirrored());
    if (listener != nullptr) return listener->OnSyn(segment);
  }
  if (!segment.has(Segment::kRst)) AddReset(segment, host);
}

TcpSocket* Network::SenderOf(const Segment& segment) {
  if (segment.from != nullptr) return segment.from->socket();
  ConnectionEnd* const end = segment.host->connections.Find(segment.ends());
  TcpSocket* const socket = end == nullptr ? nullptr : end->socket();
  return socket != nullptr && socket->connection() == segment.connection
             ? socket
             : nullptr;
}

// --- Hosts -------------------------------------------------------------------

Host* Network::OwnerOf(const ip::Addr& addr) const {
  for (Host& one : kernel_.hosts) {
    if (one.machine.HasAddress(addr)) return &one;
  }
  return nullptr;
}

int Network::RouteError(const Host& host, const ip::Addr& to) const {
  const int error = host.machine.RouteError(to);
  if (error != ENETUNREACH || kernel_.hosts.size() == 1) return error;
  return OwnerOf(to) != nullptr &&
                 host.machine.AddressOf(to.family()) != nullptr
             ? 0
             : error;
}

ip::Addr Network::SourceFor(const Host& host, const ip::Addr& to) {
  if (host.machine.IsLocal(to)) return Machine::SourceFor(to);
  const ip::Addr* const own = host.machine.AddressOf(to.family());
  return own != nullptr ? *own : ip::kAnyV4;  // Machine::IsAssumedOnLink()
}

}  // namespace net::fake
