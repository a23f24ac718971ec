#include "conformance/mutants/mutation.h"

#include <functional>
#include <list>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "conformance/engine/environment_with_syscalls.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/implementation_decorator.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

class MutatedSyscalls final : public InterceptingSyscalls {
 public:
  MutatedSyscalls(Syscalls& kernel, const Mutation& mutation)
      : InterceptingSyscalls(kernel), mutation_(mutation) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    return mutation_(invocation, make, target());
  }

 private:
  const Mutation& mutation_;
};

// An implementation whose kernel is mutated, also while faults are injected.
class MutatedImplementation final : public ImplementationDecorator {
 public:
  MutatedImplementation(const Target& target, Syscalls& kernel,
                        const Mutation& mutation)
      : mutation_(mutation),
        implementation_(target.make_implementation(Mutated(kernel))) {}

  bool UseSyscalls(Syscalls& sys) override {
    return implementation_->UseSyscalls(Mutated(sys));
  }

 private:
  Implementation& target() const override { return *implementation_; }

  Syscalls& Mutated(Syscalls& kernel) {
    return kernels_.emplace_back(kernel, mutation_);
  }

  const Mutation& mutation_;
  std::list<MutatedSyscalls> kernels_;
  const std::unique_ptr<Implementation> implementation_;
};

}  // namespace

Mutation Both(Mutation first, Mutation second) {
  return [first = std::move(first), second = std::move(second)](
             Invocation& call, absl::FunctionRef<SysResult()> make,
             Syscalls& kernel) {
    return first(
        call, [&] { return second(call, make, kernel); }, kernel);
  };
}

Target MutateBelowImplementation(Target target, const Mutation& mutation) {
  Target mutated = target;
  mutated.make_implementation = [target = std::move(target),
                                 &mutation](Syscalls& kernel) {
    return std::make_unique<MutatedImplementation>(target, kernel, mutation);
  };
  return mutated;
}

Target MutateKernel(Target target, const Mutation& mutation) {
  target.make_environment = [make = std::move(target.make_environment),
                             &mutation](std::function<void()> abandon) {
    std::unique_ptr<Environment> environment = make(std::move(abandon));
    auto kernel =
        std::make_unique<MutatedSyscalls>(environment->syscalls(), mutation);
    return WithSyscalls(std::move(environment), std::move(kernel));
  };
  return target;
}

}  // namespace net::conformance
