#ifndef CONFORMANCE_ENGINE_TRIAL_H_
#define CONFORMANCE_ENGINE_TRIAL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/engine/last_calls.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/subject.h"
#include "conformance/suite/case.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

class Environment;     // conformance/suite/environment.h
class Implementation;  // conformance/suite/implementation.h

// Something to judge, with the cases that judge it and their environment. The
// cases of conformance/cases judge an implementation, those of
// conformance/kernel_cases a kernel. Each trial makes a new implementation and
// a new environment, in a process of its own.
struct Target {
  std::string name;  // "net_tcp"
  // The version of what is judged; "" if it is this tree's own. A subject
  // reports its own version.
  std::string version;
  // The table of cases. It must outlive the target. Targets of the same kind
  // share one.
  absl::Span<const Case> cases;
  // Makes the environment of one case. The environment calls `abandon`, which
  // does not return, when a task is destroyed that still runs.
  std::function<std::unique_ptr<Environment>(std::function<void()> abandon)>
      make_environment;
  // Makes the implementation. MakeNoImplementation() for a kernel.
  std::function<std::unique_ptr<Implementation>(Syscalls&)> make_implementation;
  // Replaces the two above if the implementation is in a process of its own:
  // starts that process.
  std::function<std::unique_ptr<Subject>()> start_subject = nullptr;
  // Starts the implementation in a process of its own whose system calls are
  // trapped, with or without close(2), for cases with Need::kFaults. If null,
  // these cases run like all others.
  std::function<std::unique_ptr<Subject>(bool traps_close)>
      start_trapped_subject = nullptr;
  // Starts the process only to read its greeting. An error says why the subject
  // cannot be judged. May be null; used only with start_subject.
  std::function<absl::StatusOr<SubjectGreeting>()> greet = nullptr;
  // True for the implementation that defines the contract, and for a model of
  // the kernel that the cases were measured on. For these, a variation is a
  // failure. Other targets may vary.
  bool is_reference = false;
  // True for an implementation that runs on the FakeKernel, not on this
  // machine's kernel. For conditions of expectations.
  bool on_fake_kernel = false;
  // The file of known deviations (see Expectations), from the top of the tree;
  // "" if none are known.
  std::string expectations;
  // The reason why the target cannot run on this machine; "" if it can.
  std::string missing;
};

// One case on one address family for one target. The case and the target must
// outlive it.
struct Trial {
  const Case* test_case = nullptr;
  AddressFamily family = AddressFamily::kV4;
  const Target* target = nullptr;
  // The trial is expected to hang, so the runner uses a shorter time limit.
  bool may_hang = false;
};

// Returns "listen.backlog.default v4 net_tcp".
std::string TrialName(const Trial& trial);

// The report of a trial's process to the runner.
struct TrialReport {
  Verdict verdict;
  bool reusable = false;  // the subject can serve another trial
  std::string version;    // the subject's
};

// Runs a trial in this process and passes its verdict to `report`, exactly
// once. Then returns; or ends the process with status 0, if the case left a
// task running. `subject` is the target's, or null if it has none. The system
// calls of a trial without a subject are noted in `calls`.
//
// During the trial, intercepts GoogleTest's failures of all threads, so the
// process should run nothing else.
void RunTrial(const Trial& trial, Subject* subject, LastCalls& calls,
              const std::function<void(const TrialReport&)>& report);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_TRIAL_H_
