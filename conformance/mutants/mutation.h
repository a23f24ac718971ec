#ifndef CONFORMANCE_MUTANTS_MUTATION_H_
#define CONFORMANCE_MUTANTS_MUTATION_H_

#include <functional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "conformance/engine/trial.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// A mistake between a program and its kernel. It is called in place of each
// system call, and returns the result that the program gets. `make` makes the
// call, with the arguments that `call` then has. `kernel` is for other calls.
//
// A mutation may have state, which lasts for one trial, because each trial runs
// in a process of its own.
//
// Thread-safety: a mutation with a state must only be used on the FakeKernel,
// where one thread runs at a time.
using Mutation = std::function<SysResult(
    Invocation& call, absl::FunctionRef<SysResult()> make, Syscalls& kernel)>;

// Returns a mutation of one call; all others are made as they are. It calls
// `replacement(arguments, make, kernel)`.
template <Call kCall, typename F>
Mutation Instead(F replacement) {
  return [replacement = std::move(replacement)](
             Invocation& call, absl::FunctionRef<SysResult()> make,
             Syscalls& kernel) mutable -> SysResult {
    auto* const arguments = call.As<kCall>();
    return arguments == nullptr ? make()
                                : replacement(*arguments, make, kernel);
  };
}

// Returns a mutation that calls `change(arguments, kernel)` before a call.
template <Call kCall, typename F>
Mutation Before(F change) {
  return Instead<kCall>(
      [change = std::move(change)](auto& arguments,
                                   absl::FunctionRef<SysResult()> make,
                                   Syscalls& kernel) mutable -> SysResult {
        change(arguments, kernel);
        return make();
      });
}

// Returns a mutation that calls `change(arguments, result, kernel)` after a
// call, and returns what that returns.
template <Call kCall, typename F>
Mutation After(F change) {
  return Instead<kCall>(
      [change = std::move(change)](auto& arguments,
                                   absl::FunctionRef<SysResult()> make,
                                   Syscalls& kernel) mutable -> SysResult {
        return change(arguments, make(), kernel);
      });
}

// Returns a mutation that changes the errno of a call from `error` to `other`.
// If `other` is 0, the call succeeds with the value 0.
template <Call kCall>
Mutation Translate(int error, int other) {
  return After<kCall>([=](auto&, SysResult result, Syscalls&) {
    if (result.error() != error) return result;
    return other == 0 ? SysResult::Ok() : SysResult::Error(other);
  });
}

// Returns a mutation that applies both. `first` is nearer to the program.
Mutation Both(Mutation first, Mutation second);

// Return `target` with the mutation below its implementation, or between the
// cases and its kernel. The mutation must outlive the result.
Target MutateBelowImplementation(Target target, const Mutation& mutation);
Target MutateKernel(Target target, const Mutation& mutation);

}  // namespace net::conformance

#endif  // CONFORMANCE_MUTANTS_MUTATION_H_
