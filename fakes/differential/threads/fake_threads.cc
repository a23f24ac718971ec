#include "fakes/differential/threads/fake_threads.h"

#include <cerrno>
#include <cstddef>
#include <list>
#include <numeric>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/differential/threads/threaded_run.h"
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

}  // namespace

ThreadedAnswer FakeThreads::Run(const ThreadedProgram& program,
                                SchedulePolicy& policy) {
  FakeKernelOptions options;
  options.schedule.policy = &policy;
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
                         [&run, &is_over, i] { run.RunThread(i, is_over); });
  }
  // Without the setup, which would be a choice of the schedule.
  self.reset();
  for (FakeKernel::Thread& thread : threads) thread.Join();
  if (!run.answer().is_blocked()) {
    self.emplace(kernel, "end");
    run.Inspect();
  }
  return run.answer();
}

}  // namespace net::differential
