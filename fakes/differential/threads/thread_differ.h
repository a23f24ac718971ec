#ifndef FAKES_DIFFERENTIAL_THREADS_THREAD_DIFFER_H_
#define FAKES_DIFFERENTIAL_THREADS_THREAD_DIFFER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fakes/differential/threads/threaded_kernels.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {

// A program for which the oracle gives an answer that the candidate gives under
// none of its schedules.
struct ThreadedDifference {
  ThreadedProgram program;
  ThreadStart start;        // How the oracle's threads began.
  ThreadedAnswer expected;  // The oracle's answer.
  // The candidate's answers by their texts. Each has a schedule that gives it.
  std::map<std::string, ScheduledAnswer> seen;
  int64_t schedules = 0;     // The number of schedules tried.
  bool is_exhausted = true;  // Whether these are all schedules.
  // The candidate gave different answers under one schedule. `seen` is
  // incomplete then.
  bool repeats = true;
};

// Runs programs with threads on an oracle and a candidate. The oracle's answer
// must be one of those that the candidate gives under its schedules. If the
// threads begin one by one, these are only the schedules in which they do: who
// was blocked when another thread began is part of what is compared.
//
// The schedules are tried until one gives the oracle's answer: exhaustively, up
// to a number of schedules. If there are more, a random search follows, and the
// program is counted in unexhausted(), unless it is unstable().
//
// The calls of an oracle with real threads are not atomic. A thread that is
// preempted in the middle of one, as often happens on a busy machine, can get
// an answer that no order of atomic calls gives. The FakeKernel can be
// preempted at a few of these points (fake::Scheduler::MayBePreempted()), but
// not at all of them. An answer that needs another point is no mistake of the
// candidate. The differ therefore runs the oracle again. It reports a
// difference only if each of these runs gives an answer that the candidate does
// not give:
//
// - kConfirmationsAtOnce times if all threads began at the same time,
// - kConfirmationsOneByOne times if they began one after the other. Only
//   threads that a call wakes then run at the same time as others.
//
// Calls wait for deliveries in these runs. The program counts as unstable() if
// the candidate gives one of these answers.
//
// The repetition hides one kind of mistake: the candidate lacks an answer that
// the oracle gives only in some runs. The search finds such a mistake only if
// another program, or the same program with another start, shows it in each
// run.
class ThreadDiffer {
 public:
  struct Bounds {
    int64_t exhaustive = 5'000;
    int64_t random = 20'000;
  };

  static constexpr int kConfirmationsAtOnce = 20;
  static constexpr int kConfirmationsOneByOne = 5;

  // Both must outlive the differ.
  ThreadDiffer(ThreadedKernel& oracle, ScheduledKernel& candidate,
               Bounds bounds)
      : oracle_(oracle), candidate_(candidate), bounds_(bounds) {}
  ThreadDiffer(ThreadedKernel& oracle, ScheduledKernel& candidate)
      : ThreadDiffer(oracle, candidate, Bounds()) {}

  // A function that is called with each program and the oracle's answer.
  using Watcher =
      absl::FunctionRef<void(const ThreadedProgram&, const ThreadedAnswer&)>;

  // Compares one program, whose threads begin as `start` says. Returns an error
  // if the oracle cannot run it.
  absl::StatusOr<std::optional<ThreadedDifference>> Compare(
      const ThreadedProgram& program, const ThreadStart& start,
      Watcher watcher);
  absl::StatusOr<std::optional<ThreadedDifference>> Compare(
      const ThreadedProgram& program, const ThreadStart& start);

  // Shrinks the program of a difference, until no smaller one shows a
  // difference or until the deadline.
  absl::StatusOr<ThreadedDifference> Shrink(ThreadedDifference found,
                                            absl::Time deadline);

  int64_t schedules() const { return schedules_; }
  int64_t unexhausted() const { return unexhausted_; }
  int64_t unstable() const { return unstable_; }

 private:
  // Tries schedules until one gives the answer. Returns the difference if none
  // does.
  std::optional<ThreadedDifference> FindAnswer(const ThreadedProgram& program,
                                               const ThreadStart& start,
                                               const ThreadedAnswer& expected);

  ThreadedKernel& oracle_;
  ScheduledKernel& candidate_;
  const Bounds bounds_;
  int64_t schedules_ = 0;
  int64_t unexhausted_ = 0;
  int64_t unstable_ = 0;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_THREAD_DIFFER_H_
