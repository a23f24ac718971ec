#ifndef FAKES_SCHEDULE_SCHEDULE_H_
#define FAKES_SCHEDULE_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// Schedules of a FakeKernel's threads.
//
// Exactly one participant of a FakeKernel runs at a time: it holds the baton.
// When it hands the baton on and several participants could run, a
// SchedulePolicy chooses the next one. The choices of a run, in order, are its
// schedule. A run with the same choices has the same interleaving.
//
// Participants are numbered from 0 in the order in which they joined the
// kernel. The text of a schedule is:
//
//   100:ab3c     The participant 0 was chosen, then 1 three times, then 2.
//   call:ab3c    The same for a policy that chooses at each call.
//
// - The part before the colon says when the baton is handed on although its
//   holder could go on: after this number of calls without blocking, or at each
//   call.
// - A participant is a letter: a to z for 0 to 25, then A to Z; further ones
//   are written {52}. A number after it counts repetitions.
// - A hand-over is not in the text if only one participant can run, because it
//   is no choice.

namespace net {

// The reason why the baton is handed on.
enum class HandOver : uint8_t {
  kBlock,  // Its holder blocks.
  kEnd,    // Its holder has ended, or runs outside (FakeKernel::Outside()).
  kQuota,  // Its holder has made many calls without blocking.
  kCall,   // Its holder enters a call, and the policy chooses at each call.
  kYield,  // Its holder yields: sched_yield(2).
  kWake,   // No hand-over: chooses which of several waiters of a lock is woken.
};

struct ScheduleChoice {
  HandOver why = HandOver::kBlock;
  // The numbers of the participants that can be chosen, ascending. At least
  // two. Valid during the call of Choose().
  absl::Span<const int> runnable;
  // The number of the participant that held the baton until now, or -1 if
  // nobody did. If it is in `runnable`, the choice of another is a preemption.
  int current = -1;
};

// Chooses which participant gets the baton.
//
// Thread-safety: the kernel calls it from the participants' threads, one call
// at a time, and each call happens after the one before it. It must not make
// calls of the kernel, and must not block.
class SchedulePolicy {
 public:
  virtual ~SchedulePolicy() = default;

  // Returns an index into `choice.runnable`.
  virtual size_t Choose(const ScheduleChoice& choice) = 0;

  // Returns whether the kernel also calls Choose() with kCall at the entry of
  // each call, where the holder of the baton can go on. If false, the kernel
  // calls it with kQuota after many calls
  // (ScheduleOptions::calls_without_blocking), and the holder is not among the
  // choices. Must always return the same value.
  virtual bool ChoosesAtEachCall() const { return false; }
};

struct ScheduleOptions {
  // Chooses who runs. Null: a pseudo-random choice by FakeKernelOptions::seed.
  // Must outlive the kernel.
  SchedulePolicy* policy = nullptr;
  // The text of a schedule to replay; "" for none. If set, `policy` must be
  // null. A text that cannot be parsed ends the process. ReplayedSchedule
  // describes the choices after the end of the text.
  std::string replay;
  // The number of calls without blocking after which a participant hands the
  // baton on, if another participant can run. At least 1. Not used with a
  // policy that chooses at each call.
  int calls_without_blocking = 100;
  // Whether the seed also chooses at the entry of each call, where the caller
  // can go on. Different seeds then try many more orders. Equal seeds still
  // make equal choices.
  bool at_each_call = false;
  // Whether the threads of participants are bound to one processor while there
  // are several participants (sched_setaffinity(2)). Only one of them runs at a
  // time, and a hand-over is fastest on one processor. A thread gets its old
  // processors back when it no longer takes part.
  bool pins_threads = true;
};

// The default policy: each runnable participant is equally likely. Equal seeds
// make equal choices.
class SeededSchedule final : public SchedulePolicy {
 public:
  explicit SeededSchedule(uint64_t seed, bool at_each_call = false)
      : state_(seed), at_each_call_(at_each_call) {}
  size_t Choose(const ScheduleChoice& choice) override;
  bool ChoosesAtEachCall() const override { return at_each_call_; }

 private:
  uint64_t state_;
  bool at_each_call_;
};

// The choices of a run, as data.
struct Schedule {
  bool at_each_call = false;
  int calls_without_blocking = 100;  // Not used if at_each_call.
  std::vector<int> choices;          // Numbers of participants.

  std::string ToString() const;
};

// Parses the text of a schedule. Fails with kInvalidArgument.
absl::StatusOr<Schedule> ParseSchedule(absl::string_view text);

// Makes the choices of a schedule again. After its end, the holder of the baton
// goes on if it can, else the participant with the lowest number runs. The
// prefix of a schedule is therefore a schedule.
class ReplayedSchedule final : public SchedulePolicy {
 public:
  explicit ReplayedSchedule(Schedule schedule)
      : schedule_(std::move(schedule)) {}

  size_t Choose(const ScheduleChoice& choice) override;
  bool ChoosesAtEachCall() const override { return schedule_.at_each_call; }

  // Returns the index of the first choice that could not be made because the
  // participant could not run, or -1 if there was none. At such a choice, the
  // participant with the lowest number was chosen instead. Either the schedule
  // is that of another program, or the run depends on more than the schedule.
  int diverged_at() const { return diverged_at_; }

 private:
  const Schedule schedule_;
  size_t next_ = 0;
  int diverged_at_ = -1;
};

}  // namespace net

#endif  // FAKES_SCHEDULE_SCHEDULE_H_
