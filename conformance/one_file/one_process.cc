#include "conformance/one_file/one_process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/last_calls.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"

namespace net::conformance {
namespace {

using Clock = std::chrono::steady_clock;

// The state that a trial's threads share with the runner. Threads that are left
// behind keep it alive.
class ThreadedTrial {
 public:
  explicit ThreadedTrial(const Trial& trial)
      : target_(*trial.target), trial_(trial) {
    trial_.target = &target_;
    target_.make_environment =
        [this, make = target_.make_environment](std::function<void()> abandon) {
          return make([this, abandon = std::move(abandon)] {
            abandoned_ = true;
            abandon();
          });
        };
  }
  ThreadedTrial(const ThreadedTrial&) = delete;
  ThreadedTrial& operator=(const ThreadedTrial&) = delete;
  ~ThreadedTrial() = default;

  std::future<Verdict> Ending() { return ending_.get_future(); }
  const LastCalls& calls() const { return calls_; }

  void Run() {
    Verdict verdict;
    RunTrial(trial_, /*subject=*/nullptr, calls_,
             [&](const TrialReport& report) {
               // RunTrial() would end the process now. The stack must stay,
               // because the tasks that still run refer to it.
               if (abandoned_) EndAndStay(report.verdict);
               verdict = report.verdict;
             });
    End(verdict);
  }

 private:
  void End(const Verdict& verdict) {
    if (!ended_.exchange(true)) ending_.set_value(verdict);
  }
  [[noreturn]] void EndAndStay(const Verdict& verdict) {
    End(verdict);
    while (true) pause();
  }

  Target target_;
  Trial trial_;
  LastCalls calls_;
  std::atomic<bool> abandoned_ = false;
  std::atomic<bool> ended_ = false;
  std::promise<Verdict> ending_;
};

Record RunOne(const Trial& trial, absl::Duration timeout) {
  const auto shared = std::make_shared<ThreadedTrial>(trial);
  std::future<Verdict> ending = shared->Ending();
  const Clock::time_point started = Clock::now();
  std::thread([shared] { shared->Run(); }).detach();
  const bool in_time = ending.wait_for(absl::ToChronoNanoseconds(timeout)) ==
                       std::future_status::ready;
  Record record{
      .trial = trial,
      .milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(
                          Clock::now() - started)
                          .count(),
      .version = trial.target->version};
  record.verdict =
      in_time ? ending.get()
              : Verdict{.outcome = Outcome::kTimeout,
                        .message = absl::StrCat("did not end within ",
                                                absl::FormatDuration(timeout))};
  if (!IsExpected(record.verdict)) {
    record.verdict.calls = shared->calls().Text();
  }
  return record;
}

}  // namespace

void RunTrialsInOneProcess(absl::Span<const Trial> trials,
                           const RunnerOptions& options,
                           absl::FunctionRef<void(const Record&)> on_record) {
  rlimit descriptors = {};
  Checked(getrlimit(RLIMIT_NOFILE, &descriptors), "getrlimit");
  for (const Trial& trial : trials) {
    on_record(RunOne(trial,
                     trial.may_hang
                         ? std::min(options.timeout, options.timeout_of_hanging)
                         : options.timeout));
    // A trial changes it, and has no process of its own.
    Checked(setrlimit(RLIMIT_NOFILE, &descriptors), "setrlimit");
  }
}

}  // namespace net::conformance
