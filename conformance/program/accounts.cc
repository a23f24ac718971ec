#include "conformance/program/accounts.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <set>
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
#include "conformance/explain/killed_mutants.h"
#include "conformance/program/recorded_kills.h"
#include "conformance/program/run.h"

namespace net::conformance {
namespace {

constexpr absl::string_view kReasons = "conformance/coverage/empty_cells.txt";
constexpr absl::string_view kIdleCases = "conformance/coverage/idle_cases.txt";

// The columns whose kernel is in this process. All cases pass there.
const std::vector<std::string>& ObservedColumns() {
  static const auto& names =
      *new std::vector<std::string>{"net_tcp_on_fake_kernel", "fake_kernel"};
  return names;
}

absl::StatusOr<std::string> ReadRunfile(absl::string_view name) {
  const std::optional<std::string> path = FindRunfile(std::string(name));
  if (!path.has_value()) {
    return absl::NotFoundError(absl::StrCat("cannot find ", name));
  }
  return ReadFile(*path);
}

// Returns the cases that show nothing, and have no reason to stay.
absl::StatusOr<std::vector<std::string>> UnjustifiedCases(
    absl::Span<const FilledAccount> accounts, const ObservedRun& run) {
  const auto mutants = ReadRecordedKills();
  if (!mutants.ok()) return mutants.status();
  std::set<std::string> killers;
  for (const KilledMutant& mutant : *mutants) {
    for (const KilledMutant::Killer& killer : mutant.killers) {
      killers.insert(killer.test_case);
    }
  }
  const auto reasons = ReadRunfile(kIdleCases);
  if (!reasons.ok()) return reasons.status();
  std::vector<std::string> idle = IdleCases(accounts, run, killers);
  const absl::Status justified = RemoveJustified(*reasons, idle);
  if (!justified.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kIdleCases, ": ", justified.message()));
  }
  return idle;
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
  const absl::StatusOr<std::string> reasons = ReadRunfile(kReasons);
  if (!reasons.ok()) return Fail(reasons.status().message());
  const auto observed = SelectTargets(targets, ObservedColumns());
  if (!observed.ok()) return Fail(observed.status().message());
  const ObservedRun run = ObserveAll(*observed, options.jobs);
  std::vector<FilledAccount> filled = FillAccounts(accounts, run);
  const absl::Status added = AddReasons(*reasons, filled);
  const auto idle = UnjustifiedCases(filled, run);
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
  if (!idle.ok()) return Fail(idle.status().message());
  for (const std::string& id : *idle) {
    std::cerr << "finds no bug, is alone in no cell, and has no reason in "
              << kIdleCases << ": " << id << "\n";
  }
  if (!run.failures.empty()) return kError;
  return CountUnexplained(filled) + idle->size() > 0 ? kUnexpected
                                                     : kAsExpected;
}

}  // namespace net::conformance
