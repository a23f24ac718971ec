#ifndef FAKES_RUN_TASKS_H_
#define FAKES_RUN_TASKS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"

namespace net {

// A participant of RunTasks(): a name for reports, and what it does. The
// function returns an absl::Status or nothing.
class Task {
 public:
  template <typename Function,
            typename = std::enable_if_t<std::is_invocable_v<Function&>>>
  Task(absl::string_view name, Function function) : name_(name) {
    if constexpr (std::is_convertible_v<std::invoke_result_t<Function&>,
                                        absl::Status>) {
      run_ = std::move(function);
    } else {
      run_ = [function = std::move(function)]() mutable {
        function();
        return absl::OkStatus();
      };
    }
  }

  const std::string& name() const { return name_; }
  absl::Status Run() const { return run_(); }

 private:
  std::string name_;
  std::function<absl::Status()> run_;
};

// Runs the tasks as participants of the kernel, each in a thread of its own,
// and returns when all have ended:
//
//   FakeKernel kernel;
//   FakeProcess& server = kernel.NewProcess();
//   ...
//   EXPECT_THAT(RunTasks(kernel, {{"acceptor", [&] { return Accept(server); }},
//                                 {"closer", [&] { return Close(server); }}}),
//               IsOk());
//
// One task runs at a time. The kernel's schedule chooses which
// (FakeKernelOptions, fakes/schedule/schedule.h). The caller waits meanwhile.
// The schedule cannot choose it, even if it takes part.
//
// Returns OK if all tasks do, else the status of the task that failed first.
// Rethrows the exception of the task that threw first.
//
// ExploreSchedules() (fakes/explorer/explore_schedules.h) runs a function with
// tasks under all schedules.
absl::Status RunTasks(FakeKernel& kernel, const std::vector<Task>& tasks);

// Does the same, with a seed for the order of the tasks: equal seeds make equal
// choices. A loop over seeds tries one order after the other. The same seed
// repeats the order, and FakeKernel::Schedule() returns it as text. The seed
// has no effect if FakeKernelOptions::schedule has a policy or a schedule to
// replay.
//
// With ScheduleOptions::at_each_call, the seed also chooses at each call:
//
//   for (uint64_t seed = 0; seed < 100; ++seed) {
//     FakeKernel kernel({.schedule = {.at_each_call = true}});
//     ...
//     EXPECT_THAT(RunTasks(kernel, seed, {{"one", one}, {"two", two}}), IsOk())
//         << "seed " << seed << ", schedule " << kernel.Schedule();
//   }
absl::Status RunTasks(FakeKernel& kernel, uint64_t seed,
                      const std::vector<Task>& tasks);

}  // namespace net

#endif  // FAKES_RUN_TASKS_H_
