#ifndef CONFORMANCE_ENGINE_ENVIRONMENT_WITH_SYSCALLS_H_
#define CONFORMANCE_ENGINE_ENVIRONMENT_WITH_SYSCALLS_H_

#include <memory>

#include "conformance/suite/environment.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Returns `environment` with `syscalls`, which usually stand in front of its
// own, in place of its own.
std::unique_ptr<Environment> WithSyscalls(
    std::unique_ptr<Environment> environment,
    std::unique_ptr<Syscalls> syscalls);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_ENVIRONMENT_WITH_SYSCALLS_H_
