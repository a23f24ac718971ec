#include "fakes/differential/threads/fake_threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <list>
#include <numeric>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/threads/threaded_kernels.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/differential/threads/threaded_run.h"
#include "fakes/explorer/schedule_record.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/schedule/schedule.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

// After 0, 1 and 2.
constexpr int kFirstDescriptor = 3;

std::vector<int> Numbers() {
  std::vector<int> numbers(kMostDescriptors);
  std::iota(numbers.begin(), numbers.end(), kFirstDescriptor);
  return numbers;
}

// The number of the first thread among the participants.
constexpr int kFirstThread = 1;

// Lets threads begin in the order of a start, and leaves all other choices to
// another policy.
class StartingSchedule final : public SchedulePolicy {
 public:
  // Both outlive this.
  StartingSchedule(const ThreadStart& start, SchedulePolicy& policy)
      : start_(start), policy_(policy) {}

  size_t Choose(const ScheduleChoice& choice) override {
    const size_t chosen =
        start_.one_by_one ? ChooseAmong(choice) : policy_.Choose(choice);
    record_.Add(choice, chosen, /*is_overdue=*/false);
    return chosen;
  }
  bool ChoosesAtEachCall() const override {
    return policy_.ChoosesAtEachCall();
  }

  // The thread calls this when it has the baton for the first time.
  void NoteBegin(size_t thread) { has_begun_[thread] = true; }

  Schedule schedule() const { return record_.ToSchedule(); }

 private:
  // Chooses among the threads that have begun. If none of them can run, chooses
  // the next one that has not begun.
  size_t ChooseAmong(const ScheduleChoice& choice) {
    std::vector<int> begun;
    for (const int participant : choice.runnable) {
      if (has_begun_[ThreadOf(participant)]) begun.push_back(participant);
    }
    if (begun.empty()) begun.push_back(NextToBegin());
    ScheduleChoice limited = choice;
    limited.runnable = begun;
    const int chosen =
        begun.size() == 1 ? begun.front() : begun[policy_.Choose(limited)];
    return static_cast<size_t>(
        std::find(choice.runnable.begin(), choice.runnable.end(), chosen) -
        choice.runnable.begin());
  }

  int NextToBegin() const {
    const auto next = std::find_if(
        start_.order.begin(), start_.order.end(),
        [this](size_t thread) { return !has_begun_[thread].load(); });
    return static_cast<int>(*next) + kFirstThread;
  }

  static size_t ThreadOf(int participant) {
    return static_cast<size_t>(participant - kFirstThread);
  }

  const ThreadStart& start_;
  SchedulePolicy& policy_;
  std::array<std::atomic<bool>, kMostThreads> has_begun_ = {};
  ScheduleRecord record_;
};

}  // namespace

ScheduledAnswer FakeThreads::Run(const ThreadedProgram& program,
                                 const ThreadStart& start,
                                 SchedulePolicy& policy) {
  StartingSchedule schedule(start, policy);
  FakeKernelOptions options;
  options.schedule.policy = &schedule;
  FakeKernel kernel(options);
  kernel.ExpectDeadlock();
  // As in LinuxWorldFactory.
  kernel.SetQuickAckOnLoopback();
  FakeProcess& process = kernel.NewProcess();
  ThreadedRun run(program, {process, Numbers(), {20000, 20001, 20002}});
  const absl::Duration begin = kernel.Now();
  const auto is_over = [&kernel, begin](Call call, SysResult result) {
    // One that closes a descriptor reports no deadlock.
    const bool closes = call == Call::kClose || call == Call::kDup3;
    return result.error() == EDEADLK || kernel.Now() != begin ||
           (closes && kernel.Deadlock().has_value());
  };
  std::optional<FakeKernel::Participant> self(std::in_place, kernel, "setup");
  run.SetUp();
  if (program.free_descriptors >= 0) {
    process.set_nofile_limit(run.DescriptorLimit());
  }
  std::list<FakeKernel::Thread> threads;
  for (size_t i = 0; i < program.threads.size(); ++i) {
    threads.emplace_back(kernel, absl::StrCat("thread ", i + 1),
                         [&run, &is_over, &schedule, i] {
                           schedule.NoteBegin(i);
                           run.RunThread(i, is_over);
                         });
  }
  // Without the setup, which would be a choice of the schedule.
  self.reset();
  for (FakeKernel::Thread& thread : threads) thread.Join();
  if (!run.answer().is_blocked()) {
    self.emplace(kernel, "end");
    run.Inspect();
  }
  return {run.answer(), schedule.schedule().ToString()};
}

}  // namespace net::differential
