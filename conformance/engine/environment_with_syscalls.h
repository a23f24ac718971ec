#ifndef CONFORMANCE_ENGINE_ENVIRONMENT_WITH_SYSCALLS_H_
#define CONFORMANCE_ENGINE_ENVIRONMENT_WITH_SYSCALLS_H_

#include <memory>

#include "conformance/suite/environment.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Returns `environment` with `syscalls` in place of its own. Usually `syscalls`
// is a wrapper of the environment's own.
std::unique_ptr<Environment> WithSyscalls(
    std::unique_ptr<Environment> environment,
    std::unique_ptr<Syscalls> syscalls);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_ENVIRONMENT_WITH_SYSCALLS_H_
