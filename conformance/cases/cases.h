#ifndef CONFORMANCE_CASES_CASES_H_
#define CONFORMANCE_CASES_CASES_H_

#include <vector>

#include "conformance/case.h"

namespace net::conformance {

// The parts of the case table, one for each subject: each is in the source file
// of its name, with the cases' programs.
const std::vector<Case>& ListenCases();
const std::vector<Case>& ListenAddressCases();
const std::vector<Case>& ListenErrorCases();
const std::vector<Case>& ConnectCases();
const std::vector<Case>& ConnectErrorCases();
const std::vector<Case>& AcceptCases();
const std::vector<Case>& AcceptErrorCases();
const std::vector<Case>& PeerAddrCases();
const std::vector<Case>& DataCases();
const std::vector<Case>& DescriptorCases();
const std::vector<Case>& FaultCases();

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_CASES_H_
