#include "conformance/program/accounts.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/coverage.h"
#include "conformance/engine/files.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/program/run.h"

namespace net::conformance {
namespace {

constexpr absl::string_view kReasons = "conformance/coverage/empty_cells.txt";

// The columns whose kernel is in this process. All cases pass there.
const std::vector<std::string>& ObservedColumns() {
  static const auto& names =
      *new std::vector<std::string>{"net_tcp_on_fake_kernel", "fake_kernel"};
  return names;
}

absl::StatusOr<std::string> ReadReasons() {
  const std::optional<std::string> path = FindRunfile(kReasons);
  if (!path.has_value()) {
    return absl::NotFoundError(absl::StrCat("cannot find ", kReasons));
  }
  return ReadFile(*path);
}

}  // namespace

int PrintAccounts(absl::Span<const Target> targets,
                  const AccountOptions& options) {
  std::vector<Account> accounts = MakeAccounts();
  for (const std::string& letter : options.accounts) {
    const bool is_known =
        std::any_of(accounts.begin(), accounts.end(), [&](const Account& one) {
          return letter == std::string(1, one.letter);
        });
    if (!is_known) {
      return Fail(absl::StrCat("--accounts=", letter, ": must be one of a to ",
                               std::string(1, accounts.back().letter)));
    }
  }
  const absl::StatusOr<std::string> reasons = ReadReasons();
  if (!reasons.ok()) return Fail(reasons.status().message());
  const auto observed = SelectTargets(targets, ObservedColumns());
  if (!observed.ok()) return Fail(observed.status().message());
  const ObservedRun run = ObserveAll(*observed, options.jobs);
  std::vector<FilledAccount> filled = FillAccounts(accounts, run);
  const absl::Status added = AddReasons(*reasons, filled);
  std::erase_if(filled, [&](const FilledAccount& one) {
    return !options.accounts.empty() &&
           std::find(options.accounts.begin(), options.accounts.end(),
                     std::string(1, one.letter)) == options.accounts.end();
  });
  std::cout << (options.json ? FormatAccountsJson(filled)
                             : FormatAccounts(filled, options.verbose))
            << std::flush;
  for (const std::string& failure : run.failures) {
    std::cerr << "did not pass, and is not counted: " << failure << "\n";
  }
  if (!added.ok()) {
    return Fail(absl::StrCat(kReasons, ": ", added.message()));
  }
  if (!run.failures.empty()) return kError;
  return CountUnexplained(filled) > 0 ? kUnexpected : kAsExpected;
}

}  // namespace net::conformance
