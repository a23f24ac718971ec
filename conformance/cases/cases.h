#ifndef CONFORMANCE_CASES_CASES_H_
#define CONFORMANCE_CASES_CASES_H_

#include <vector>

#include "conformance/suite/case.h"

namespace net::conformance {

// Returns every case, ordered by subject.
const std::vector<Case>& AllCases();

// Return the parts of the case table, one for each subject. Each is in the
// source file of that name, with the programs of its cases.
const std::vector<Case>& ListenCases();
const std::vector<Case>& ListenPortCases();
const std::vector<Case>& ListenAddressCases();
const std::vector<Case>& ListenInUseCases();
const std::vector<Case>& ListenReuseportCases();
const std::vector<Case>& ListenErrorCases();
const std::vector<Case>& ConnectCases();
const std::vector<Case>& ConnectOptionCases();
const std::vector<Case>& ConnectNonblockCases();
const std::vector<Case>& ConnectInterruptedCases();
const std::vector<Case>& ConnectErrorCases();
const std::vector<Case>& AcceptCases();
const std::vector<Case>& AcceptFlagCases();
const std::vector<Case>& AcceptQueueCases();
const std::vector<Case>& AcceptBlockedCases();
const std::vector<Case>& AcceptErrorCases();
const std::vector<Case>& PeerAddrCases();
const std::vector<Case>& LocalAddrCases();
const std::vector<Case>& DataCases();
const std::vector<Case>& DataBlockingCases();
const std::vector<Case>& DataEndingCases();
const std::vector<Case>& CloseCases();
const std::vector<Case>& ChangedAnswerCases();
const std::vector<Case>& DescriptorCases();
const std::vector<Case>& ListenFaultCases();
const std::vector<Case>& ConnectFaultCases();
const std::vector<Case>& FaultCases();

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_CASES_H_
