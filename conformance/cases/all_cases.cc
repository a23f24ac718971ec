#include <vector>

#include "conformance/cases/cases.h"
#include "conformance/suite/case.h"

namespace net::conformance {

const std::vector<Case>& AllCases() {
  static const auto& all = *[] {
    auto* cases = new std::vector<Case>;
    for (const auto* part : {&ListenCases(),
                             &ListenPortCases(),
                             &ListenAddressCases(),
                             &ListenInUseCases(),
                             &ListenReuseportCases(),
                             &ListenErrorCases(),
                             &ConnectCases(),
                             &ConnectOptionCases(),
                             &ConnectNonblockCases(),
                             &ConnectInterruptedCases(),
                             &ConnectErrorCases(),
                             &AcceptCases(),
                             &AcceptFlagCases(),
                             &AcceptQueueCases(),
                             &AcceptBlockedCases(),
                             &AcceptErrorCases(),
                             &PeerAddrCases(),
                             &LocalAddrCases(),
                             &DataCases(),
                             &DataBlockingCases(),
                             &DataEndingCases(),
                             &CloseCases(),
                             &ChangedAnswerCases(),
                             &DescriptorCases(),
                             &ListenFaultCases(),
                             &ConnectFaultCases(),
                             &FaultCases()}) {
      cases->insert(cases->end(), part->begin(), part->end());
    }
    return cases;
  }();
  return all;
}

}  // namespace net::conformance
