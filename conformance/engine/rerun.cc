#include "conformance/engine/rerun.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/checked.h"
#include "syscalls/sandbox/watched_child.h"

namespace net::conformance {
namespace {

constexpr int kRunsAlone = 2;
constexpr int kRunsUnderNoise = 8;
// As many as a busy machine has, so that a trial waits for its turn after each
// block.
constexpr unsigned kNoisePerProcessor = 4;

// Processes that compute as long as this object exists.
class Noise {
 public:
  Noise() {
    const unsigned count =
        kNoisePerProcessor * std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; ++i) {
      children_.push_back(
          Checked(sandbox::WatchedChild::Start([](int /*report*/) {
            volatile unsigned steps = 0;
            while (true) steps = steps + 1;
          })));
    }
  }

 private:
  std::vector<sandbox::WatchedChild> children_;
};

}  // namespace

Rerun ClassifyAgain(absl::FunctionRef<bool()> ends_unexpectedly) {
  int unexpected = 0;
  for (int i = 0; i < kRunsAlone; ++i)
    unexpected += ends_unexpectedly() ? 1 : 0;
  if (unexpected == kRunsAlone) return Rerun::kDeterministic;
  if (unexpected > 0) return Rerun::kTimingSensitive;
  const Noise noise;
  for (int i = 0; i < kRunsUnderNoise; ++i) {
    if (ends_unexpectedly()) return Rerun::kTimingSensitive;
  }
  return Rerun::kInterference;
}

Rerun RunAgain(const Trial& trial, const RunnerOptions& options,
               absl::FunctionRef<bool(const Record&)> is_expected,
               IdleSubjects& subjects) {
  RunnerOptions alone = options;
  alone.jobs = 1;
  return ClassifyAgain([&] {
    bool unexpected = false;
    RunTrials(
        {trial}, alone,
        [&](const Record& record) { unexpected = !is_expected(record); },
        subjects);
    return unexpected;
  });
}

}  // namespace net::conformance
