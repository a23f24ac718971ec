#ifndef CONFORMANCE_ENGINE_TRIAL_H_
#define CONFORMANCE_ENGINE_TRIAL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/subject.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// What is judged, by which cases, and the world that they run in: an
// implementation by conformance/cases, or a kernel by
// conformance/kernel_cases. Each trial makes a new implementation and a new
// world, in a process of its own.
struct Column {
  std::string name;  // "net_tcp"
  // Of what is judged, "" where that is this tree's own; a subject tells its
  // own.
  std::string version;
  // The table of cases that it is judged by, which outlives it. Columns of the
  // same kind share one.
  absl::Span<const Case> cases;
  // The world of one case. `abandon` must be called for a task that is
  // destroyed while it runs, and does not return.
  std::function<std::unique_ptr<Environment>(std::function<void()> abandon)>
      make_environment;
  // MakeNoImplementation() for a kernel.
  std::function<std::unique_ptr<Implementation>(Syscalls&)> make_implementation;
  // Instead of the two: starts the process that is judged.
  std::function<std::unique_ptr<Subject>()> start_subject = nullptr;
  // With start_subject, if it can be started for that alone: starts it and
  // returns how it presents itself. An error says why it cannot be judged.
  std::function<absl::StatusOr<SubjectGreeting>()> greet = nullptr;
  // What the contract is about, or a model of the kernel that the cases were
  // measured on: a variation, which others may show, is a failure here.
  bool is_reference = false;
  // Where its known differences are written (see Expectations), from the top of
  // the tree; "": none are known.
  std::string expectations;
  // Why it cannot be run on this machine; "" if it can.
  std::string missing;
};

// One case to be run on one axis for one column. The case and the column
// outlive it.
struct Trial {
  const Case* test_case = nullptr;
  Axis axis = Axis::kV4;
  const Column* column = nullptr;
  // It is known that it may hang: the runner does not wait for it long.
  bool may_hang = false;
};

// "listen.backlog.default v4 net_tcp".
std::string TrialName(const Trial& trial);

// What a trial's process tells the runner.
struct TrialReport {
  Verdict verdict;
  bool reusable = false;  // the subject can serve another trial
  std::string version;    // what the subject tells
};

// Runs a trial in this process and hands its verdict to `report`, once. Returns
// after that, unless the case left a task behind: then the process ends, with
// the status 0 if the verdict was reported. `subject` is the column's, or null
// if it has none.
//
// GoogleTest's failures are intercepted meanwhile, in all threads; the process
// should have nothing else to do.
void RunTrial(const Trial& trial, Subject* subject,
              const std::function<void(const TrialReport&)>& report);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_TRIAL_H_
