#ifndef CONFORMANCE_SUITE_FACTORY_H_
#define CONFORMANCE_SUITE_FACTORY_H_

#include <memory>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Makes the implementation that a tcp_conformance_test() (defs.bzl) tests. The
// library given as the rule's `implementation` defines this function. It is
// called for each trial, in that trial's process.
//
// `sys` is this machine's kernel, on which the cases run. It outlives the
// implementation. An implementation that makes its system calls itself ignores
// it.
std::unique_ptr<Implementation> MakeImplementation(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_FACTORY_H_
