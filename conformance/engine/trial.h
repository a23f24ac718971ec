#ifndef CONFORMANCE_ENGINE_TRIAL_H_
#define CONFORMANCE_ENGINE_TRIAL_H_

#include <functional>
#include <memory>
#include <string>

#include "conformance/case.h"
#include "conformance/engine/outcome.h"
#include "conformance/environment.h"
#include "conformance/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// What is judged: an implementation, and the world that its cases run in. Each
// trial makes a new one of both, in a process of its own.
struct Column {
  std::string name;  // "net_tcp"
  // The world of one case. `abandon` must be called for a task that is
  // destroyed while it runs, and does not return.
  std::function<std::unique_ptr<Environment>(std::function<void()> abandon)>
      make_environment;
  std::function<std::unique_ptr<Implementation>(Syscalls&)> make_implementation;
};

// One case to be run on one axis for one column. The case and the column
// outlive it.
struct Trial {
  const Case* test_case = nullptr;
  Axis axis = Axis::kV4;
  const Column* column = nullptr;
};

// "listen.backlog.default v4 net_tcp".
std::string TrialName(const Trial& trial);

// Runs a trial in this process and hands its verdict to `report`, once. Returns
// after that, unless the case left a task behind: then the process ends, with
// the status 0 if the verdict was reported.
//
// GoogleTest's failures are intercepted meanwhile, in all threads; the process
// should have nothing else to do.
void RunTrial(const Trial& trial,
              const std::function<void(const Verdict&)>& report);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_TRIAL_H_
