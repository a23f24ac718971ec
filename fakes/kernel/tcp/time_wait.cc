#include "fakes/kernel/tcp/time_wait.h"

#include <algorithm>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/segment.h"
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
      host_(socket.host()),
      state_(state),
      claim_(socket.claim()),
      since_(kernel.clock.now()),
      socket_until_(since_ +
                    std::max<Nanoseconds>(duration - kTimeWaitLength, 0)),
      connection_(socket.connection()),
      send_nxt_(socket.send_side().max()),
      receive_nxt_(socket.receive_side().nxt()),
      receive_window_(socket.receive_side().window()),
      next_(kernel.first_time_wait) {
  claim_.time_wait = true;
  claim_.listening = false;
  if (next_ != nullptr) next_->previous_ = this;
  kernel.first_time_wait = this;
  host_.ports.Remain(*this, socket);
  const FourTuple tuple = socket.tuple();
  host_.connections.Remove(socket);
  host_.connections.Insert(*this, tuple);
  const Nanoseconds beyond = socket_until_ - since_;
  timer_ = kernel.clock.Set(
      beyond > 0 ? socket_until_ + beyond : since_ + duration, *this);
}

TimeWait::~TimeWait() {
  kernel_.clock.Clear(timer_);
  host_.ports.Release(*this);
  host_.connections.Remove(*this);
  if (next_ != nullptr) next_->previous_ = previous_;
  if (previous_ != nullptr) previous_->next_ = next_;
  if (kernel_.first_time_wait == this) kernel_.first_time_wait = next_;
}

void TimeWait::Kill() { delete this; }

void TimeWait::OnTimer() {
  timer_ = Clock::kNone;
  Kill();
}

void TimeWait::SendAck() {
  Segment& ack = kernel_.network.Add();
  ack = Segment();
  ack.own_ends = tuple();
  ack.host = &host_;
  ack.connection = connection_;
  ack.seq = send_nxt_;
  ack.ack = receive_nxt_;
  ack.window = receive_window_;
  ack.flags = Segment::kAck;
  const FakeSysctls& sysctls = host_.machine.sysctls();
  ack.ttl = static_cast<uint8_t>(
      tuple().local.addr.is_v6() ? sysctls.hop_limit : sysctls.ip_default_ttl);
}

void TimeWait::RestartTimeWait() {
  state_ = TcpState::kTimeWait;
  since_ = kernel_.clock.now();
  kernel_.clock.Clear(timer_);
  timer_ = kernel_.clock.Set(since_ + kTimeWaitLength, *this);
}

bool TimeWait::OnSegment(const Segment& segment) {
  if (segment.connection != connection_) {
    if (segment.has(Segment::kRst)) return true;
    // A SYN for a listener begins a new connection. Anything else is
    // questioned, and the reset that replies ends this entry.
    if (segment.has(Segment::kSyn) && !segment.has(Segment::kAck) &&
        host_.listeners.Find(tuple()) != nullptr) {
      Kill();
      return false;
    }
    SendAck();
    return true;
  }
  if (segment.has(Segment::kRst)) {
    Kill();
    return true;
  }
  const bool new_data = segment.size > 0 && segment.end() > receive_nxt_;
  if (new_data && state_ == TcpState::kFinWait2) {
    // There is no reader any more.
    kernel_.network.AddReset(segment, host_);
    Kill();
  } else if (segment.has(Segment::kFin)) {
    if (state_ == TcpState::kFinWait2) ++receive_nxt_;
    RestartTimeWait();
    SendAck();
  } else if (segment.size > 0 || segment.seq < receive_nxt_) {
    SendAck();
  }
  return true;
}

bool TimeWait::MayBeReplaced(bool chosen) const {
  if (state_ == TcpState::kFinWait2 && kernel_.clock.now() < socket_until_) {
    return false;
  }
  if (!chosen) return true;
  return host_.machine.sysctls().tcp_tw_reuse != 0 &&
         state_ == TcpState::kTimeWait &&
         kernel_.clock.now() - since_ >= kReuseDelay;
}

}  // namespace net::fake
