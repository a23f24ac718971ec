#ifndef CONFORMANCE_COVERAGE_TRIAL_OBSERVER_H_
#define CONFORMANCE_COVERAGE_TRIAL_OBSERVER_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "conformance/coverage/observation_log.h"
#include "conformance/coverage/observers.h"
#include "conformance/coverage/socket_history.h"
#include "conformance/suite/case.h"
#include "fakes/call.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// The observers of one trial, and what they share.
struct TrialObserver {
  TrialObserver(ObservationLog& log, size_t trial, AddressFamily family)
      : out(log, trial), options(out, family) {}

  TrialObservations out;
  SocketHistory history;
  OptionObserver options;
  AddressObserver addresses{out};
  ConcurrencyObserver concurrency{out};
  AnswerObserver answers{out};
};

// Marks the calling thread as inside an operation of the implementation.
// Operations are not nested.
class InOperation {
 public:
  InOperation();
  InOperation(const InOperation&) = delete;
  InOperation& operator=(const InOperation&) = delete;
  ~InOperation();
};

// Returns whether an error was injected into the last operation of the calling
// thread.
bool WasInjected();

// The kernel of a trial: sees all calls, those of the implementation included.
class ObservedKernel final : public InterceptingSyscalls {
 public:
  ObservedKernel(Syscalls& kernel, TrialObserver& observer)
      : InterceptingSyscalls(kernel), observer_(observer) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  void OnReturn(const Invocation& invocation, SysResult result);
  void OnConnect(const Invocation& invocation, SysResult result);

  TrialObserver& observer_;
};

// The Syscalls of an implementation: sees the errors that are injected between
// it and the kernel.
class ObservedCalls final : public InterceptingSyscalls {
 public:
  ObservedCalls(Syscalls& target, TrialObserver& observer)
      : InterceptingSyscalls(target), observer_(observer) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  TrialObserver& observer_;
};

// The Syscalls of a process that the case has forked: sees the calls that are
// in progress when the process ends.
class ObservedChildCalls final : public InterceptingSyscalls {
 public:
  ObservedChildCalls(Syscalls& target, ConcurrencyObserver& concurrency)
      : InterceptingSyscalls(target), concurrency_(concurrency) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  ConcurrencyObserver& concurrency_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_TRIAL_OBSERVER_H_
