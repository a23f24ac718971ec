#include "fakes/kernel/tcp/time_wait.h"

#include <algorithm>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {
namespace {

// TCP_TIMEWAIT_LEN of Linux. RFC 9293 specifies four minutes.
constexpr Nanoseconds kTimeWaitLength = 60 * kSecond;
// tcp_tw_reuse_delay of Linux.
constexpr Nanoseconds kReuseDelay = 1 * kSecond;

}  // namespace

TimeWait::TimeWait(Kernel& kernel, TcpSocket& socket, TcpState state,
                   Nanoseconds duration)
    : kernel_(kernel),
      state_(state),
      claim_(socket.claim()),
      since_(kernel.clock.now()),
      socket_until_(since_ +
                    std::max<Nanoseconds>(duration - kTimeWaitLength, 0)),
      next_(kernel.first_time_wait) {
  claim_.time_wait = true;
  claim_.listening = false;
  if (next_ != nullptr) next_->previous_ = this;
  kernel.first_time_wait = this;
  kernel.ports.Remain(*this, socket);
  const FourTuple tuple = socket.tuple();
  kernel.connections.Remove(socket);
  kernel.connections.Insert(*this, tuple);
  const Nanoseconds beyond = socket_until_ - since_;
  timer_ = kernel.clock.Set(
      beyond > 0 ? socket_until_ + beyond : since_ + duration, *this);
}

TimeWait::~TimeWait() {
  kernel_.clock.Clear(timer_);
  kernel_.ports.Release(*this);
  kernel_.connections.Remove(*this);
  if (next_ != nullptr) next_->previous_ = previous_;
  if (previous_ != nullptr) previous_->next_ = next_;
  if (kernel_.first_time_wait == this) kernel_.first_time_wait = next_;
}

void TimeWait::Kill() { delete this; }

void TimeWait::OnTimer() {
  timer_ = Clock::kNone;
  Kill();
}

bool TimeWait::OnFin() {
  if (state_ != TcpState::kFinWait2) return false;
  state_ = TcpState::kTimeWait;
  since_ = kernel_.clock.now();
  kernel_.clock.Clear(timer_);
  timer_ = kernel_.clock.Set(since_ + kTimeWaitLength, *this);
  return true;
}

bool TimeWait::MayBeReplaced(bool chosen) const {
  if (state_ == TcpState::kFinWait2 && kernel_.clock.now() < socket_until_) {
    return false;
  }
  if (!chosen) return true;
  return kernel_.machine.sysctls().tcp_tw_reuse != 0 &&
         state_ == TcpState::kTimeWait &&
         kernel_.clock.now() - since_ >= kReuseDelay;
}

}  // namespace net::fake
