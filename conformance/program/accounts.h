#ifndef CONFORMANCE_PROGRAM_ACCOUNTS_H_
#define CONFORMANCE_PROGRAM_ACCOUNTS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

struct AccountOptions {
  // The letters of the accounts to print; all if empty.
  std::vector<std::string> accounts;
  int jobs = 2;
  bool verbose = false;
  bool json = false;
};

// Runs all cases of the targets on the FakeKernel, and prints which cells of
// the accounts they reach. Returns the exit status of the program: kUnexpected
// if a cell is empty without a reason.
int PrintAccounts(absl::Span<const Target> targets,
                  const AccountOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_ACCOUNTS_H_
