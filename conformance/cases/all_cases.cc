#include <algorithm>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/case.h"
#include "conformance/cases/cases.h"

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

const Case* FindCase(absl::string_view id) {
  const auto found =
      std::find_if(AllCases().begin(), AllCases().end(),
                   [id](const Case& one) { return one.id == id; });
  return found == AllCases().end() ? nullptr : &*found;
}

}  // namespace net::conformance
