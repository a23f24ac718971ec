#ifndef CONFORMANCE_ENVIRONMENTS_HOOKED_HOOKED_ENVIRONMENT_H_
#define CONFORMANCE_ENVIRONMENTS_HOOKED_HOOKED_ENVIRONMENT_H_

#include <functional>
#include <memory>

#include "conformance/environments/fake/fake_environment.h"
#include "conformance/suite/environment.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Makes a FakeEnvironment for an implementation that calls the C library. Until
// it is destroyed, the functions of the C library that make system calls are
// those of the environment's kernel (fakes/preload), and locks and clocks are
// those of its participants (//fakes:thread_hooks).
//
// The environment calls `abandon`, which does not return, when a task is
// destroyed that is blocked.
//
// Each descriptor has the number that Linux would give it. The limit of
// descriptors is that of the calling process, which should run nothing else.
std::unique_ptr<Environment> MakeHookedEnvironment(
    const FakeEnvironmentOptions& options, std::function<void()> abandon);

// Makes the functions of the C library call `sys` from now on: a Syscalls in
// front of the hooked environment's own, which must outlive its use. Needs a
// hooked environment.
void CallThrough(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_HOOKED_HOOKED_ENVIRONMENT_H_
