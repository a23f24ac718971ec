#include "conformance/engine/trial.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/last_calls.h"
#include "conformance/engine/noted_environment.h"
#include "conformance/engine/outcome.h"
#include "conformance/suite/case.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/fault_carrier.h"
#include "conformance/suite/harness_error.h"
#include "conformance/suite/implementation.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "syscalls/mutex.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Collects the failures of GoogleTest's assertions in all threads, and the
// preconditions of NotePrecondition(), while it exists. GoogleTest reports them
// one at a time.
class FailureCollector : private testing::TestPartResultArray,
                         private testing::ScopedFakeTestPartResultReporter {
 public:
  FailureCollector()
      : ScopedFakeTestPartResultReporter(INTERCEPT_ALL_THREADS, this) {}

  // `call` is called once, when the first assertion fails.
  void OnFirst(std::function<void()> call) { on_first_ = std::move(call); }

  int count() const { return count_; }

  // Returns the first precondition, if it was noted before any assertion
  // failed.
  std::optional<std::string> precondition() const {
    const MutexLock lock(mutex_);
    return precondition_;
  }

  // Returns the failures, a "file:line: message" each.
  std::string Text() const {
    std::string text;
    for (int i = 0; i < size(); ++i) {
      const testing::TestPartResult& part = GetTestPartResult(i);
      if (!part.failed()) continue;
      absl::StrAppend(&text, text.empty() ? "" : "\n",
                      part.file_name() == nullptr ? "?" : part.file_name(), ":",
                      part.line_number(), ": ", part.message());
    }
    return text;
  }

 private:
  void ReportTestPartResult(const testing::TestPartResult& result) override {
    ScopedFakeTestPartResultReporter::ReportTestPartResult(result);
    if (result.skipped() && count_ == 0) {
      const MutexLock lock(mutex_);
      if (!precondition_.has_value()) precondition_ = result.message();
    }
    if (!result.failed()) return;
    if (count_++ == 0 && on_first_ != nullptr) on_first_();
  }

  std::function<void()> on_first_;
  std::atomic<int> count_ = 0;
  mutable Mutex mutex_;
  std::optional<std::string> precondition_ ABSL_GUARDED_BY(mutex_);
};

Verdict Judge(const Context& c, const FailureCollector& failures) {
  Verdict verdict{.proven = c.proven()};
  if (const auto thrown = c.thrown()) {
    verdict.outcome = Outcome::kCrash;
    verdict.message = *thrown;
  } else if (const auto reason = failures.precondition()) {
    verdict.outcome = Outcome::kPrecondition;
    verdict.message = *reason;
  } else if (const auto claim = c.unsupported()) {
    verdict.outcome = Outcome::kUnsupported;
    verdict.message = claim->reason;
    verdict.claimed = claim->features;
  } else if (failures.count() > 0) {
    verdict.outcome = Outcome::kFail;
    verdict.message = failures.Text();
    verdict.error = c.error_at_failure();
  } else if (const auto variation = c.variation()) {
    verdict.outcome = Outcome::kVariation;
    verdict.message = *variation;
  }
  return verdict;
}

// Returns a line for each descriptor of `some` that is not in `others`.
std::string Missing(const std::vector<Environment::Descriptor>& some,
                    const std::vector<Environment::Descriptor>& others,
                    absl::string_view what_happened) {
  std::string lines;
  for (const Environment::Descriptor& one : some) {
    const bool is_there =
        std::find(others.begin(), others.end(), one) != others.end();
    if (is_there) continue;
    absl::StrAppend(&lines, lines.empty() ? "" : "\n", what_happened,
                    ": descriptor ", one.id.fd, ", ", one.what);
  }
  return lines;
}

void AddLeak(Verdict& verdict, absl::string_view lines) {
  if (lines.empty()) return;
  verdict.leak = Leak::kLeak;
  absl::StrAppend(&verdict.leaked, verdict.leaked.empty() ? "" : "\n", lines);
}

// The kernels of the implementation, whose calls are noted. The calls that a
// FaultInjector makes on its own are not among them.
class NotedKernels {
 public:
  NotedKernels(LastCalls& calls, absl::string_view caller)
      : calls_(calls), caller_(caller) {}

  // Returns a Syscalls in front of `kernel`, which must outlive its use.
  Syscalls& Note(Syscalls& kernel) {
    return kernels_.emplace_back(kernel, calls_, caller_);
  }

 private:
  LastCalls& calls_;
  const absl::string_view caller_;
  std::list<NotedSyscalls> kernels_;
};

std::optional<std::string> MissingNeed(Environment& env, const Trial& trial) {
  Need needs = trial.test_case->needs;
  if (trial.family == AddressFamily::kV6) needs = needs | Need::kIpv6;
  for (const Need need :
       {Need::kIpv6, Need::kOwnNetwork, Need::kOtherUser, Need::kExec,
        Need::kInterrupt, Need::kFaults, Need::kFaultsOfClose, Need::kFork}) {
    if (!Includes(needs, need)) continue;
    if (auto reason = env.Lacks(need)) return reason;
  }
  return std::nullopt;
}

// Runs the case's function, and compares the open descriptors before and after.
Verdict RunCase(const Trial& trial, Environment& env, Context& c,
                const FailureCollector& failures) {
  const std::vector<Environment::Descriptor> before = env.OpenDescriptors();
  trial.test_case->run(c);
  Verdict verdict = Judge(c, failures);
  if (verdict.outcome == Outcome::kVariation && trial.target->is_reference) {
    verdict.outcome = Outcome::kFail;
    verdict.message = absl::StrCat(
        "a variation, which is allowed only to other implementations: ",
        verdict.message);
  }
  // After an exception the implementation had no chance to close its
  // descriptors.
  if (verdict.outcome == Outcome::kCrash) return verdict;
  const std::vector<Environment::Descriptor> after = env.OpenDescriptors();
  AddLeak(verdict, Missing(after, before, "left open"));
  AddLeak(verdict,
          Missing(before, after, "closed, but not opened by the case"));
  return verdict;
}

// Resets the subject after a case, so that it can serve the next one if
// possible.
TrialReport Conclude(Subject* subject, Verdict verdict) {
  if (subject == nullptr) return {.verdict = std::move(verdict)};
  // Every driver reports the port of a Listen, whether or not the library does:
  // that proves nothing.
  std::erase(verdict.proven, "listen.port_assignment");
  Subject::AfterReset after;
  try {
    after = subject->Reset();
    AddLeak(verdict, after.left_open);
  } catch (const SubjectError& e) {
    verdict.outcome = Outcome::kCrash;
    absl::StrAppend(&verdict.message, "\n", e.what());
  }
  if (!IsExpected(verdict)) {
    AppendSession(verdict.message, subject->Transcript());
  }
  // A trial must not depend on what another trial left behind.
  const bool is_as_new = after.is_as_new && verdict.leak == Leak::kNone;
  const bool reusable =
      is_as_new || (after.serves && !subject->IsReplaceable());
  return {.verdict = std::move(verdict),
          .reusable = reusable,
          .version = subject->Version()};
}

}  // namespace

std::string TrialName(const Trial& trial) {
  return absl::StrCat(trial.test_case->id, " ", AddressFamilyName(trial.family),
                      " ", trial.target->name);
}

void RunTrial(const Trial& trial, Subject* subject, LastCalls& calls,
              const std::function<void(const TrialReport&)>& report) {
  FailureCollector failures;
  std::unique_ptr<Context> c;
  std::mutex abandoning;
  const auto abandon = [&] {
    // Any thread may call this. The first one ends the process; the others
    // block here.
    abandoning.lock();
    report({.verdict = Judge(*c, failures),
            .version = subject != nullptr ? subject->Version() : ""});
    _exit(0);
  };
  try {
    std::unique_ptr<Environment> env =
        subject != nullptr ? subject->MakeEnvironment(abandon)
                           : trial.target->make_environment(abandon);
    NotedKernels kernels(calls, trial.target->name);
    Syscalls& kernel = env->syscalls();
    if (subject == nullptr) env = NoteCallsOf(std::move(env), calls);
    if (const auto reason = MissingNeed(*env, trial)) {
      report(Conclude(subject,
                      {.outcome = Outcome::kPrecondition, .message = *reason}));
      return;
    }
    const std::unique_ptr<Implementation> implementation =
        subject != nullptr
            ? subject->MakeImplementation()
            : trial.target->make_implementation(kernels.Note(kernel));
    c = std::make_unique<Context>(
        *env, *implementation, trial.family, trial.test_case->needs,
        [&failures] { return failures.count(); },
        [&](Syscalls&) {
          FaultCarrier carrier = MakeFaultCarrier(kernel);
          carrier.syscalls = &kernels.Note(*carrier.syscalls);
          return carrier;
        });
    failures.OnFirst([&c] { c->NoteFailure(); });
    report(Conclude(subject, RunCase(trial, *env, *c, failures)));
  } catch (const SubjectError& e) {
    report(
        Conclude(subject, {.outcome = Outcome::kCrash, .message = e.what()}));
  } catch (const std::exception& e) {
    report(
        {.verdict = {.outcome = Outcome::kHarnessError, .message = e.what()}});
  }
}

}  // namespace net::conformance
