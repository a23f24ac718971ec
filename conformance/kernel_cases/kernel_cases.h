#ifndef CONFORMANCE_KERNEL_CASES_KERNEL_CASES_H_
#define CONFORMANCE_KERNEL_CASES_KERNEL_CASES_H_

#include <vector>

#include "conformance/suite/case.h"

// The cases that test a kernel: programs of system calls as TCP programs make
// them. Every kernel behind Syscalls must pass them as Linux does.
//
// Their ids begin with "kernel.". There is no implementation: their programs
// use only sys(), env(), Variation(), the address family and its addresses of
// the Context. A requirement that no text contains, but on which programs rely,
// has the source "measured on Linux 6.18".

namespace net::conformance {

// Returns the cases of every file of this folder, in the order of the list in
// BUILD.bazel. The file bind_ports.cc defines BindPortsKernelCases(), which
// returns its part.
const std::vector<Case>& AllKernelCases();

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_KERNEL_CASES_H_
