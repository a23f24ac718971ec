#ifndef CONFORMANCE_SUITE_FACTORY_H_
#define CONFORMANCE_SUITE_FACTORY_H_

#include <memory>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// The implementation that a test of tcp_conformance_test() (defs.bzl) judges.
// Declared here, and defined by the library that is the rule's
// `implementation`; called for each trial, in a process of its own. `sys` is
// the kernel that the cases run on, this machine's, and outlives what is made;
// an implementation that reaches the kernel by itself leaves it alone.
std::unique_ptr<Implementation> MakeImplementation(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_FACTORY_H_
