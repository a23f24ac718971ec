#include "fakes/differential/timed/fake_timed.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/timed/timed_program.h"
#include "fakes/differential/timed/timed_run.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/link_options.h"
#include "syscalls/net/ip_addr.h"

namespace net::differential {
namespace {

constexpr ip::Addr kServer = ip::Addr::V4(127, 0, 0, 1);
constexpr ip::Addr kClient = ip::Addr::V4(127, 0, 0, 2);

// The distance between a step and the expiry of a timer.
const absl::Duration kMargin = kMostDelay + absl::Milliseconds(20);
// A wait need not end in the middle of a gap that is longer than this.
constexpr absl::Duration kLongestGap = absl::Milliseconds(600);

// Returns by how much Linux fires a timer of `span` late at most: by a tick and
// the granularity of the wheel's level (kernel/time/timer.c). With HZ = 250, as
// here, a tick is 4 ms; with another HZ, both are shorter or the spans of a
// level are longer.
absl::Duration Rounding(absl::Duration span) {
  constexpr absl::Duration kTick = absl::Milliseconds(4);
  constexpr int kLevelSize = 63;
  constexpr int kGrowth = 8;
  absl::Duration granularity = kTick;
  while (span > granularity * kLevelSize) granularity *= kGrowth;
  return granularity + 2 * kTick;
}

// The time of a program, with what Linux's timers do meanwhile.
class Timeline {
 public:
  explicit Timeline(FakeKernel& kernel) : kernel_(kernel) {}

  // Lets at least `span` pass.
  void Wait(absl::Duration span) {
    // Linux does some things with the next tick that happen here immediately.
    const absl::Duration target = kernel_.Now() + std::max(span, kMargin);
    while (kernel_.Now() <= kLongestProgram) {
      const std::vector<absl::Duration> timers = kernel_.Timers();
      const absl::Duration next =
          timers.empty() ? absl::InfiniteDuration() : timers.front();
      const absl::Duration first = std::max(target, settled_ + kMargin);
      if (first + kMargin <= next) {
        const absl::Duration last = next - kMargin;
        MoveTo(first + std::min(last - first, kLongestGap) / 2);
        return;
      }
      const bool was_settled = next >= settled_;
      MoveTo(next);
      NoteFired();
      if (!was_settled || (timers.size() > 1 && timers[1] <= settled_)) {
        is_ambiguous_ = true;
      }
    }
  }

  // A call has blocked until now. `timers` are those that were pending when it
  // began, and `deadline` is that of the call.
  void NoteBlocked(std::vector<absl::Duration> timers,
                   absl::Duration deadline) {
    NoteFired();
    const absl::Duration now = kernel_.Now();
    const std::vector<absl::Duration> set_meanwhile = kernel_.Timers();
    timers.insert(timers.end(), set_meanwhile.begin(), set_meanwhile.end());
    // Something else has ended the call.
    if (deadline > now) timers.push_back(deadline);
    const absl::Duration distance = lateness_ + kMargin;
    for (const absl::Duration timer : timers) {
      if (absl::AbsDuration(timer - now) < distance) is_ambiguous_ = true;
    }
  }

  // A step has been made.
  void NoteStep() {
    if (!kernel_.Timers().empty()) return;
    // Timers that are set later do not depend on those that have fired.
    lateness_ = absl::ZeroDuration();
    chain_begin_ = kernel_.Now();
  }

  absl::Duration lateness() const { return lateness_; }
  // Whether timers have fired in an order that may be another one on Linux.
  bool is_ambiguous() const { return is_ambiguous_; }

 private:
  void MoveTo(absl::Duration when) {
    kernel_.Advance(std::max(when - kernel_.Now(), absl::ZeroDuration()));
  }

  // A timer has fired now.
  void NoteFired() {
    const absl::Duration now = kernel_.Now();
    lateness_ += Rounding(now - chain_begin_);
    settled_ = now + lateness_;
  }

  FakeKernel& kernel_;
  bool is_ambiguous_ = false;
  // When Linux has handled all timers that have fired here.
  absl::Duration settled_ = -kMargin;
  // By how much Linux's timers are late at most.
  absl::Duration lateness_ = absl::ZeroDuration();
  // No pending timer was set before this, and none depends on one that was.
  absl::Duration chain_begin_ = absl::ZeroDuration();
};

// Whether something of a connection may happen with the next tick on Linux that
// happens here immediately.
bool EndsStream(const TimedStep& step) {
  return step.kind == TimedStep::Kind::kCall &&
         (step.call.call == Call::kShutdown || step.call.call == Call::kClose);
}
bool IsLink(const TimedStep& step) {
  return step.kind == TimedStep::Kind::kCut ||
         step.kind == TimedStep::Kind::kRestore;
}

// As LossyLoopback, which looks at the source only: an end that is not bound
// has the address of its peer.
LinkEnds Towards(Side side) {
  return side == Side::kServer
             ? LinkEnds{.from = kClient, .to = ip::kAnyV4, .both_ways = false}
             : LinkEnds{.from = kServer, .to = ip::kAnyV4, .both_ways = false};
}

}  // namespace

TimedPlan PlanOnFake(const TimedProgram& program) {
  FakeKernel kernel;
  // A call that blocks for good is not part of the plan.
  kernel.ExpectDeadlock();
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel, "the program");
  TimedRun run({process, kServer, kClient});
  Timeline timeline(kernel);
  TimedPlan plan;
  bool after_end = false;
  for (const TimedStep& step : program) {
    if (IsLink(step) || std::exchange(after_end, EndsStream(step))) {
      timeline.Wait(absl::ZeroDuration());
    }
    const std::vector<absl::Duration> timers = kernel.Timers();
    PlannedStep planned = {.step = step, .at = kernel.Now()};
    switch (step.kind) {
      case TimedStep::Kind::kWait:
        timeline.Wait(absl::Milliseconds(step.milliseconds));
        break;
      case TimedStep::Kind::kCut:
        kernel.Cut(Towards(step.side));
        break;
      case TimedStep::Kind::kRestore:
        kernel.Restore(Towards(step.side));
        break;
      case TimedStep::Kind::kCall: {
        const absl::Duration deadline = planned.at + run.TimeoutOf(step.call);
        planned.result = run.Make(step.call);
        planned.end = kernel.Now();
        if (planned.end > planned.at) timeline.NoteBlocked(timers, deadline);
        break;
      }
    }
    if (kernel.Now() > kLongestProgram || kernel.Deadlock().has_value() ||
        timeline.is_ambiguous()) {
      break;
    }
    if (step.kind == TimedStep::Kind::kWait) continue;
    planned.end = kernel.Now();
    planned.lateness = timeline.lateness();
    timeline.NoteStep();
    plan.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace net::differential
