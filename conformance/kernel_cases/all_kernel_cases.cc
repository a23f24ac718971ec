#include <vector>

#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/suite/case.h"

namespace net::conformance {

const std::vector<Case>& AllKernelCases() {
  static const auto& all = *[] {
    auto* cases = new std::vector<Case>;
    for (const auto* part : {
             &BindKernelCases(),
             &BindConflictKernelCases(),
             &BindConnectionKernelCases(),
             &BindPortKernelCases(),
             &ConnectKernelCases(),
             &ConnectPendingKernelCases(),
             &ConnectFamilyKernelCases(),
             &ListenKernelCases(),
             &AcceptKernelCases(),
             &DataKernelCases(),
             &DataWaitingKernelCases(),
             &EndingKernelCases(),
             &EndingBlockedKernelCases(),
             &EndingCloseKernelCases(),
             &PollKernelCases(),
             &PollCallKernelCases(),
             &ArgumentKernelCases(),
             &DescriptorKernelCases(),
             &OptionsSocketKernelCases(),
             &OptionsBufferKernelCases(),
             &OptionsTcpKernelCases(),
             &OptionsCorkKernelCases(),
             &OptionsIpKernelCases(),
             &OptionsIpv6KernelCases(),
             &OptionsInheritedKernelCases(),
         }) {
      cases->insert(cases->end(), part->begin(), part->end());
    }
    return cases;
  }();
  return all;
}

}  // namespace net::conformance
