#ifndef CONFORMANCE_KERNEL_CASES_KERNEL_CASES_H_
#define CONFORMANCE_KERNEL_CASES_KERNEL_CASES_H_

#include <vector>

#include "conformance/suite/case.h"

// The cases that test a kernel: programs of system calls as TCP programs make
// them. Every kernel behind Syscalls must pass them as Linux does.
//
// Their ids begin with "kernel.". There is no implementation: their programs
// use only sys(), env(), Variation(), the axis and its addresses of the
// Context. A requirement that no text contains, but on which programs rely, has
// the source "measured on Linux 6.18".

namespace net::conformance {

// Returns every case, ordered by subject.
const std::vector<Case>& AllKernelCases();

// Return the parts of the table, one for each subject. Each is in the source
// file of that name, with the programs of its cases.
const std::vector<Case>& BindKernelCases();
const std::vector<Case>& BindConflictKernelCases();
const std::vector<Case>& BindConnectionKernelCases();
const std::vector<Case>& BindPortKernelCases();
const std::vector<Case>& ConnectKernelCases();
const std::vector<Case>& ConnectPendingKernelCases();
const std::vector<Case>& ConnectFamilyKernelCases();
const std::vector<Case>& ListenKernelCases();
const std::vector<Case>& AcceptKernelCases();
const std::vector<Case>& DataKernelCases();
const std::vector<Case>& DataWaitingKernelCases();
const std::vector<Case>& EndingKernelCases();
const std::vector<Case>& EndingBlockedKernelCases();
const std::vector<Case>& EndingCloseKernelCases();
const std::vector<Case>& PollKernelCases();
const std::vector<Case>& PollCallKernelCases();
const std::vector<Case>& ArgumentKernelCases();
const std::vector<Case>& DescriptorKernelCases();
const std::vector<Case>& OptionsSocketKernelCases();
const std::vector<Case>& OptionsBufferKernelCases();
const std::vector<Case>& OptionsTcpKernelCases();
const std::vector<Case>& OptionsCorkKernelCases();
const std::vector<Case>& OptionsIpKernelCases();
const std::vector<Case>& OptionsIpv6KernelCases();
const std::vector<Case>& OptionsInheritedKernelCases();

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_KERNEL_CASES_H_
