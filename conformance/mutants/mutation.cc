#include "conformance/mutants/mutation.h"

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/environment_with_syscalls.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/net/endpoint.h"
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
class MutatedImplementation final : public Implementation {
 public:
  MutatedImplementation(const Target& target, Syscalls& kernel,
                        const Mutation& mutation)
      : mutation_(mutation),
        implementation_(target.make_implementation(Mutated(kernel))) {}

  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    return implementation_->Listen(local, options);
  }
  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    return implementation_->Connect(remote, options);
  }
  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    return implementation_->Accept(listener, options);
  }
  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override {
    return implementation_->PeerAddr(socket);
  }
  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    return implementation_->LocalAddr(socket);
  }
  Result<size_t> Send(Handle socket, absl::string_view data) override {
    return implementation_->Send(socket, data);
  }
  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    return implementation_->Recv(socket, buffer);
  }
  Result<Done> Shutdown(Handle socket, int how) override {
    return implementation_->Shutdown(socket, how);
  }
  Result<Done> PendingError(Handle socket) override {
    return implementation_->PendingError(socket);
  }
  Result<Done> Close(Handle socket) override {
    return implementation_->Close(socket);
  }
  Result<Handle> Adopt(int fd) override { return implementation_->Adopt(fd); }
  Result<Handle> AdoptThenClose(int fd, Syscalls& sys) override {
    return implementation_->AdoptThenClose(fd, sys);
  }
  std::optional<ip::Endpoint> ReportedEndpoint(Handle listener) override {
    return implementation_->ReportedEndpoint(listener);
  }
  std::optional<int> NativeHandle(Handle socket) override {
    return implementation_->NativeHandle(socket);
  }
  OptionListExtension* option_lists() override {
    return implementation_->option_lists();
  }
  std::optional<std::string> WhyNoOptionList(
      const ListOnly& parts) const override {
    return implementation_->WhyNoOptionList(parts);
  }
  bool UseSyscalls(Syscalls& sys) override {
    return implementation_->UseSyscalls(Mutated(sys));
  }

 private:
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
