#ifndef FAKES_KERNEL_TCP_TIME_WAIT_H_
#define FAKES_KERNEL_TCP_TIME_WAIT_H_

#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {

struct Host;
struct Kernel;
class TcpSocket;

// The entry that Linux keeps for a connection whose socket is closed: in
// TIME-WAIT (RFC 9293, section 3.6), or in FIN-WAIT-2 without a process that
// could read (tcp_fin_timeout, tcp(7)). It owns itself: it is deleted when its
// time expires, or by Kill().
class TimeWait final : public PortOwner,
                       public ConnectionEnd,
                       private TimerTarget {
 public:
  // Replaces `socket` in the connection table and shares its port, for
  // `duration`.
  //
  // Exception: with tcp_fin_timeout or TCP_LINGER2 = T > 60 s, Linux keeps the
  // full socket for T - 60 s and then an entry for another T - 60 s. T = 61 s
  // therefore lasts 2 s in all, and T = 120 s lasts 120 s. (Measured on Linux
  // 6.18.)
  TimeWait(Kernel& kernel, TcpSocket& socket, TcpState state,
           Nanoseconds duration);
  TimeWait(const TimeWait&) = delete;
  TimeWait& operator=(const TimeWait&) = delete;

  // Deletes this entry.
  void Kill();

  // Processes a segment for this end (RFC 9293, section 3.10.7.4). Returns
  // false if this deletes the entry, and the segment must be treated as if the
  // entry had not existed.
  bool OnSegment(const Segment& segment);

  // Returns whether a new connection may have the same four-tuple. `chosen`:
  // connect(2) chooses the port, which requires one second in TIME-WAIT before
  // (tcp_tw_reuse). Returns false while Linux still has the full socket in
  // FIN-WAIT-2.
  bool MayBeReplaced(bool chosen) const;

  TcpState state() const { return state_; }
  const Host& host() const { return host_; }
  TimeWait* next() const { return next_; }

  PortClaim claim() const override { return claim_; }
  TimeWait* time_wait() override { return this; }

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  ~TimeWait() override;
  void OnTimer() override;
  void SendAck();
  void RestartTimeWait();

  Kernel& kernel_;
  Host& host_;
  TcpState state_;  // kFinWait2 or kTimeWait.
  PortClaim claim_;
  Nanoseconds since_;
  Nanoseconds socket_until_;  // Until then, Linux has a full socket in
                              // FIN-WAIT-2.
  Clock::TimerId timer_;
  const uint64_t connection_;
  const uint64_t send_nxt_;
  uint64_t receive_nxt_;
  const uint32_t receive_window_;  // The last one that was announced.
  TimeWait* next_ = nullptr;
  TimeWait* previous_ = nullptr;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TIME_WAIT_H_
