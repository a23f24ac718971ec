#include "fakes/kernel/tcp/network.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/time_wait.h"

namespace net::fake {

void Network::Grow() {
  std::vector<Segment> longer(queue_.size() * 2);
  for (size_t i = 0; i < count_; ++i) {
    longer[i] = queue_[(first_ + i) & (queue_.size() - 1)];
  }
  queue_ = std::move(longer);
  first_ = 0;
}

void Network::DeliverAll() {
  delivering_ = true;
  while (count_ > 0) {
    const Segment segment = queue_[first_];  // A copy: the queue may grow.
    first_ = (first_ + 1) & (queue_.size() - 1);
    --count_;
    Receive(segment);
  }
  delivering_ = false;
  timers_.ArmAll();
}

void Network::AddReset(const Segment& segment) {
  const FakeSysctls& sysctls = kernel_.machine.sysctls();
  Segment& reset = Add();
  reset = Segment();
  reset.own_ends = segment.ends().Mirrored();
  reset.connection = segment.connection;
  reset.seq = segment.ack;
  reset.ack = segment.end();
  reset.flags = Segment::kRst | Segment::kAck;
  reset.ttl = static_cast<uint8_t>(reset.own_ends.remote.addr.is_v6()
                                       ? sysctls.hop_limit
                                       : sysctls.ip_default_ttl);
}

void Network::Receive(const Segment& segment) {
  // An interface that is down loses everything. To a foreign address
  // (IP_FREEBIND) nothing finds the way.
  if (!kernel_.machine.loopback_up()) return;
  if (!kernel_.machine.IsLocal(segment.ends().remote.addr)) return;
  TcpSocket* to =
      segment.from == nullptr ? nullptr : segment.from->socket()->peer();
  if (to == nullptr) {
    ConnectionEnd* const end =
        kernel_.connections.Find(segment.ends().Mirrored());
    if (end != nullptr) {
      to = end->socket();
      if (to == nullptr && end->time_wait()->OnSegment(segment)) return;
    }
  }
  if (to != nullptr) return to->OnSegment(segment);
  if (segment.has(Segment::kSyn) && !segment.has(Segment::kAck)) {
    TcpSocket* const listener =
        kernel_.listeners.Find(segment.ends().Mirrored());
    if (listener != nullptr) return listener->OnSyn(segment);
  }
  if (!segment.has(Segment::kRst)) AddReset(segment);
}

}  // namespace net::fake
