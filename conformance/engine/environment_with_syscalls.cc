#include "conformance/engine/environment_with_syscalls.h"

#include <memory>
#include <utility>

#include "conformance/suite/environment.h"
#include "conformance/suite/environment_decorator.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

class EnvironmentWithSyscalls final : public EnvironmentDecorator {
 public:
  EnvironmentWithSyscalls(std::unique_ptr<Environment> environment,
                          std::unique_ptr<Syscalls> syscalls)
      : EnvironmentDecorator(std::move(environment)),
        syscalls_(std::move(syscalls)) {}

  Syscalls& syscalls() override { return *syscalls_; }

 private:
  const std::unique_ptr<Syscalls> syscalls_;
};

}  // namespace

std::unique_ptr<Environment> WithSyscalls(
    std::unique_ptr<Environment> environment,
    std::unique_ptr<Syscalls> syscalls) {
  return std::make_unique<EnvironmentWithSyscalls>(std::move(environment),
                                                   std::move(syscalls));
}

}  // namespace net::conformance
