#ifndef FAKES_KERNEL_TCP_TIME_WAIT_H_
#define FAKES_KERNEL_TCP_TIME_WAIT_H_

#include "fakes/kernel/clock.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {

struct Kernel;
class TcpSocket;

// What Linux keeps of a connection whose socket is closed or done for: its end
// in TIME-WAIT (RFC 9293, section 3.6), or in FIN-WAIT-2 where nobody is left
// who could read (tcp_fin_timeout, tcp(7)). Owns itself: it goes when its time
// is up, or when Kill() is called.
class TimeWait final : public PortOwner,
                       public ConnectionEnd,
                       private TimerTarget {
 public:
  // Takes the place of `socket` over, and has its port, too. For `duration`;
  // but of one in FIN-WAIT-2 Linux keeps the socket itself for what that is
  // beyond the length of TIME-WAIT, then forgets that it has waited, and
  // remembers it for as long again: so 61 seconds are 2, and 120 are 120.
  TimeWait(Kernel& kernel, TcpSocket& socket, TcpState state,
           Nanoseconds duration);
  TimeWait(const TimeWait&) = delete;
  TimeWait& operator=(const TimeWait&) = delete;

  // Forgets the connection, and frees this.
  void Kill();

  // The other end's FIN: the time of TIME-WAIT begins. False: this end does not
  // expect one.
  bool OnFin();

  // Whether a connection with the same ends may begin. `chosen`: with a port
  // that connect(2) would choose, which takes a second (tcp_tw_reuse). Not at
  // all as long as Linux has a socket in the state FIN-WAIT-2, not just what
  // it remembers of one.
  bool MayBeReplaced(bool chosen) const;

  TcpState state() const { return state_; }
  TimeWait* next() const { return next_; }

  PortClaim claim() const override { return claim_; }
  TimeWait* time_wait() override { return this; }

 private:
  ~TimeWait() override;
  void OnTimer() override;

  Kernel& kernel_;
  TcpState state_;  // kFinWait2 or kTimeWait
  PortClaim claim_;
  Nanoseconds since_;
  Nanoseconds socket_until_;  // Linux has one in FIN-WAIT-2
  Clock::TimerId timer_;
  TimeWait* next_ = nullptr;
  TimeWait* previous_ = nullptr;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TIME_WAIT_H_
