#include "fakes/kernel/tcp/tcp_timers.h"

#include <algorithm>
#include <utility>

#include "fakes/kernel/clock.h"

namespace net::fake {

void TimersToArm::ArmAll() {
  while (first_ != nullptr) {
    TcpTimers& timers = *first_;
    first_ = std::exchange(timers.next_, nullptr);
    timers.listed_ = false;
    timers.Arm();
  }
}

Nanoseconds TcpTimers::Earliest() const {
  return *std::min_element(due_.begin(), due_.end());
}

void TcpTimers::Arm() {
  const Nanoseconds earliest = Earliest();
  if (earliest == kForever) return;
  if (armed_ != Clock::kNone && armed_.first <= earliest) return;
  clock_.Clear(armed_);
  armed_ = clock_.Set(earliest, *this);
}

bool TcpTimers::Postpones(Nanoseconds when) {
  if (Earliest() <= when) return false;
  armed_ = Clock::kNone;
  Arm();
  return true;
}

void TcpTimers::OnTimer() {
  armed_ = Clock::kNone;
  for (const Kind kind : {kRetransmission, kDelayedAck, kKeepalive}) {
    if (due_[kind] > clock_.now()) continue;
    due_[kind] = kForever;
    owner_.OnTimer(kind);
  }
  Arm();
}

}  // namespace net::fake
