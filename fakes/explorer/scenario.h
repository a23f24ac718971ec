#ifndef FAKES_EXPLORER_SCENARIO_H_
#define FAKES_EXPLORER_SCENARIO_H_

#include <functional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "fakes/fake_kernel.h"
#include "syscalls/syscalls.h"

namespace net {

// The code that ExploreFaults() runs: a function that makes system calls
// through the Syscalls that it receives, and returns the first error, made by
// ErrnoError() (syscalls/errors/error.h), or OK:
//
//   absl::Status EchoOnce(Syscalls& sys);
//
// Rules:
// - It closes all descriptors before it returns.
// - It ends. It must not wait for something that only its caller can do.
// - It is deterministic: equal results of calls lead to equal calls.
// - It can run again on the same kernel. (A quarter of an hour of virtual time
//   passes in between, so that TIME-WAIT entries expire.)
//
// A scenario that needs other processes or threads also takes the kernel. Only
// calls through `sys` have faults and are monitored:
//
//   absl::Status AskServer(Syscalls& sys, FakeKernel& kernel) {
//     FakeProcess& server = kernel.NewProcess();
//     ...
//
// The thread that calls it takes part in virtual time (FakeKernel).
class Scenario {
 public:
  template <typename Function,
            typename = std::enable_if_t<
                std::is_invocable_r_v<absl::Status, Function&, Syscalls&> ||
                std::is_invocable_r_v<absl::Status, Function&, Syscalls&,
                                      FakeKernel&>>>
  Scenario(Function function) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::is_invocable_r_v<absl::Status, Function&, Syscalls&>) {
      run_ = [function = std::move(function)](Syscalls& sys,
                                              FakeKernel& /*kernel*/) mutable {
        return function(sys);
      };
    } else {
      run_ = std::move(function);
    }
  }

  absl::Status Run(Syscalls& sys, FakeKernel& kernel) const {
    return run_(sys, kernel);
  }

 private:
  std::function<absl::Status(Syscalls&, FakeKernel&)> run_;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCENARIO_H_
