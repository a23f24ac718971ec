#ifndef CONFORMANCE_ENVIRONMENTS_HOOKED_HOOKED_ENVIRONMENT_H_
#define CONFORMANCE_ENVIRONMENTS_HOOKED_HOOKED_ENVIRONMENT_H_

#include <functional>
#include <memory>

#include "conformance/environments/fake/fake_environment.h"
#include "conformance/suite/environment.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Makes a FakeEnvironment for an implementation that calls the C library. Until
// the environment is destroyed, functions of the C library call its FakeKernel:
// those that make system calls (fakes/preload), and those of locks and clocks
// (//fakes:thread_hooks).
//
// If a task is destroyed while it is blocked, the environment calls `abandon`,
// which must not return.
//
// Each descriptor has the number that Linux would give it. RLIMIT_NOFILE is
// that of the calling process, which should run nothing else.
std::unique_ptr<Environment> MakeHookedEnvironment(
    const FakeEnvironmentOptions& options, std::function<void()> abandon);

// Makes the functions of the C library call `sys` from now on. `sys` is a
// wrapper of the hooked environment's Syscalls, and must outlive the calls.
// Requires a hooked environment.
void CallThrough(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_HOOKED_HOOKED_ENVIRONMENT_H_
