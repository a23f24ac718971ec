#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/gate.h"
#include "fakes/kernel/hang_failure.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"

// Deadlocks, livelocks and stalls: how they are found and reported. See
// fakes/kernel/hangs.h.

namespace net::fake {
namespace {

// A stall is a number of checks in a row without progress. Not a span of time,
// because a process may be stopped (SIGSTOP) or a machine be asleep.
constexpr int kStallChecks = 8;

constexpr absl::string_view kOutsider = "a thread that does not take part";
constexpr absl::string_view kUseThreads =
    " Is it a std::thread? Use FakeKernel::Thread, or make it a "
    "FakeKernel::Participant: the clock and the baton wait for participants "
    "only.\n";

}  // namespace

// --- Deadlocks and livelocks -------------------------------------------------

void Scheduler::EndBlockedCalls(std::string report) {
  deadlock_ = std::move(report);
  // Not in the report of an expected deadlock, which is the same in each run.
  if (!expects_deadlock_) {
    absl::StrAppend(&*deadlock_, DescribeOutsiders());
    PrintHang(*deadlock_);
  }
  while (!blocked_.empty()) {
    Wait& wait = *blocked_.back();
    if (wait.participant_ != nullptr) wait.participant_->hung = true;
    Wake(wait, Woken::kDeadlock);
  }
}

void Scheduler::SuspectDeadlock() {
  if (limits_.deadlock <= absl::ZeroDuration()) return DeclareDeadlock();
  suspects_deadlock_ = absl::Now();
}

void Scheduler::ConfirmDeadlock() {
  if (absl::Now() - *suspects_deadlock_ < limits_.deadlock) return;
  suspects_deadlock_.reset();
  // A thread that does not take part may have set a timer meanwhile.
  if (!clock_.Timers().empty()) return FireTimers();
  DeclareDeadlock();
}

void Scheduler::DeclareDeadlock() {
  EndBlockedCalls(absl::StrCat("deadlock: every thread that takes part waits\n",
                               DescribeAll(), describe_()));
}

void Scheduler::DeclareLivelock(absl::string_view what) {
  refuses_calls_ = true;
  EndBlockedCalls(absl::StrCat("livelock: ", what, "\n", DescribeAll(),
                               "the last calls:\n", calls_.ToString(),
                               describe_()));
}

bool Scheduler::TimeoutsAreEndless() {
  if (deadlock_.has_value()) return false;
  if (timeouts_in_a_row_ > limits_.timeouts_in_a_row) {
    DeclareLivelock(absl::StrCat(limits_.timeouts_in_a_row,
                                 " waits in a row ended by a timeout"));
    return true;
  }
  if (absl::Nanoseconds(jumped_) > limits_.virtual_time) {
    DeclareLivelock(absl::StrCat("the clock has jumped by more than ",
                                 absl::FormatDuration(limits_.virtual_time)));
    return true;
  }
  return false;
}

void Scheduler::OnTooManyCalls(ParticipantState& caller, int64_t limit,
                               absl::string_view which) {
  ForgetCallsAtInstant();
  const std::string many = absl::StrCat(limit, " calls", which);
  if (deadlock_.has_value()) {
    EndProcess(
        absl::StrCat("after a deadlock or livelock the program goes on: ", many,
                     ", although calls fail with EDEADLK\n", DescribeAll(),
                     "the last calls:\n", calls_.ToString(), "It began with:\n",
                     *deadlock_));
  }
  caller.hung = true;
  DeclareLivelock(
      absl::StrCat(many, " while the clock stood at ",
                   absl::FormatDuration(absl::Nanoseconds(clock_.now())),
                   " and nobody was woken"));
}

std::optional<std::string> Scheduler::FailureOf(const ParticipantState& state) {
  if (!state.hung || expects_deadlock_ || failed_) return std::nullopt;
  failed_ = true;
  return deadlock_;
}

// --- Stalls ------------------------------------------------------------------

void Scheduler::SetStallLimit(absl::Duration limit) {
  limits_.real_time = limit;
  stall_poll_ns_ = limit == absl::InfiniteDuration()
                       ? kNoTimeout
                       : std::max<int64_t>(
                             1, absl::ToInt64Nanoseconds(limit) / kStallChecks);
}

void Scheduler::StallWatch::Check(Scheduler& scheduler) {
  const uint64_t progress = scheduler.Progress();
  if (progress != seen_) {
    seen_ = progress;
    idle_ = 0;
    return;
  }
  if (++idle_ < kStallChecks || IsTraced()) return;
  scheduler.ReportStall();
}

void Scheduler::ReportStall() {
  const std::string span = absl::FormatDuration(limits_.real_time);
  std::string report =
      baton_ != nullptr ? absl::StrCat("the baton has not come back for ", span,
                                       " of real time, while others wait\n")
                        : absl::StrCat("nothing has happened for ", span,
                                       " of real time, and the clock stands\n");
  absl::StrAppend(&report, DescribeAll());
  if (baton_ != nullptr) {
    absl::StrAppend(
        &report, "Does ", baton_->name,
        " wait for another participant by other means than the kernel's "
        "calls?\nThen that one cannot run. Wait in FakeKernel::Outside().\n");
  }
  EndProcess(absl::StrCat(report, "the last calls:\n", calls_.ToString(),
                          describe_(), DescribeOutsiders()));
}

// --- Texts -------------------------------------------------------------------

std::string Scheduler::Describe(const ParticipantState& state) const {
  if (state.waits_in != nullptr) {
    const CallSite& site = state.waits_in->site();
    return absl::StrCat("waits in ", fake::Describe(site),
                        DescribeHolder(site));
  }
  switch (state.stand) {
    case Stand::kAwaits:
      return "waits in AwaitBlocked()";
    case Stand::kReady:
      return state.thread_id == 0 ? "has not begun, and waits for the baton"
                                  : "can run, and waits for the baton";
    case Stand::kRuns:
    case Stand::kOutside: {
      const std::string last = calls_.LastOf(&state);
      return absl::StrCat(
          state.stand == Stand::kRuns ? "holds the baton" : "runs outside",
          last.empty() ? "" : "; its last call: ", last);
    }
    default:
      return "runs";
  }
}

std::string Scheduler::DescribeHolder(const CallSite& site) const {
  const pid_t holder = site.holder == nullptr ? 0 : site.holder(site.object);
  if (holder == 0) return "";
  for (const ParticipantState& state : participants_) {
    if (!state.ended && state.thread_id == holder) {
      return absl::StrCat(", held by ", state.name);
    }
  }
  return absl::StrCat(", held by thread ", holder,
                      ", which does not take part");
}

std::string Scheduler::DescribeOutsiders() const {
  std::string text;
  bool is_main_only = true;
  for (const ThreadOfProcess& thread : ThreadsOfProcess()) {
    if (std::any_of(participants_.begin(), participants_.end(),
                    [&](const ParticipantState& state) {
                      return !state.ended && state.thread_id == thread.id;
                    })) {
      continue;
    }
    const bool is_main = thread.id == getpid();
    is_main_only = is_main_only && is_main;
    absl::StrAppend(&text, text.empty() ? "" : ", ", thread.id, " (",
                    thread.name, is_main ? ", the main thread" : "", ")");
  }
  if (!text.empty()) {
    text = absl::StrCat("threads that do not take part: ", text, "\n");
  }
  if (clock_holders_ > 0 || outsiders_made_calls_) {
    absl::StrAppend(&text, "A thread that does not take part has made calls.",
                    kUseThreads);
  } else if (!text.empty() && !is_main_only) {
    absl::StrAppend(&text, "A thread that does not take part has made no call.",
                    kUseThreads);
  }
  return text;
}

std::string Scheduler::DescribeAll() const {
  std::string text;
  for (const ParticipantState& state : participants_) {
    if (state.ended) continue;
    absl::StrAppend(&text, "  ", state.name, ": ", Describe(state), "\n");
  }
  for (const Wait* wait : blocked_) {
    if (wait->participant_ != nullptr) continue;
    absl::StrAppend(&text, "  ", kOutsider, ": waits in ",
                    fake::Describe(wait->site()), "\n");
  }
  return text;
}

}  // namespace net::fake
