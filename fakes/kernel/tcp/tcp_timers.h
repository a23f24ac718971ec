#ifndef FAKES_KERNEL_TCP_TCP_TIMERS_H_
#define FAKES_KERNEL_TCP_TCP_TIMERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/clock.h"

namespace net::fake {

class TcpTimers;

// The connections whose timers have changed since the clock's timers were last
// set. With this list, a timer that is set and cleared again within one
// delivery of segments, as for each connection on a perfect link, costs only a
// few instructions.
class TimersToArm {
 public:
  void Add(TcpTimers& timers);
  void ArmAll();
  bool any() const { return first_ != nullptr; }

 private:
  TcpTimers* first_ = nullptr;
};

// The timers of one connection. They share one timer of the clock, which is set
// for the earliest of them, or for an earlier time.
class TcpTimers final : private TimerTarget {
 public:
  enum Kind : uint8_t {
    // SYN, SYN-ACK, data and FIN (RFC 6298), probes of a closed window
    // (RFC 9293, section 3.8.6.1), end of TCP_DEFER_ACCEPT.
    kRetransmission,
    kDelayedAck,  // RFC 9293, section 3.8.6.3
    kKeepalive,   // RFC 9293, section 3.8.4
  };

  class Owner {
   public:
    virtual void OnTimer(Kind kind) = 0;

   protected:
    ~Owner() = default;
  };

  TcpTimers(Clock& clock, TimersToArm& to_arm, Owner& owner)
      : clock_(clock), to_arm_(to_arm), owner_(owner) {
    due_.fill(kForever);
  }
  TcpTimers(const TcpTimers&) = delete;
  TcpTimers& operator=(const TcpTimers&) = delete;
  ~TcpTimers() override { ClearAll(); }

  // Sets a timer, or moves it. Takes effect with the next
  // TimersToArm::ArmAll().
  [[gnu::always_inline]] void Set(Kind kind, Nanoseconds when) {
    due_[kind] = when;
    if (!listed_ && (armed_ == Clock::kNone || when < armed_.first)) {
      to_arm_.Add(*this);
    }
  }
  void Clear(Kind kind) { due_[kind] = kForever; }
  void ClearAll() {
    due_.fill(kForever);
    clock_.Clear(armed_);
  }
  bool IsSet(Kind kind) const { return due_[kind] != kForever; }
  Nanoseconds due(Kind kind) const { return due_[kind]; }

 private:
  friend class TimersToArm;
  friend class InvariantWalk;
  friend struct StateCorruption;

  static constexpr size_t kKinds = 3;

  Nanoseconds Earliest() const;
  void Arm();
  void OnTimer() override;
  bool Postpones(Nanoseconds when) override;

  Clock& clock_;
  TimersToArm& to_arm_;
  Owner& owner_;
  std::array<Nanoseconds, kKinds> due_;  // kForever: not set.
  Clock::TimerId armed_ = Clock::kNone;
  TcpTimers* next_ = nullptr;
  bool listed_ = false;
};

inline void TimersToArm::Add(TcpTimers& timers) {
  timers.next_ = first_;
  timers.listed_ = true;
  first_ = &timers;
}

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TCP_TIMERS_H_
