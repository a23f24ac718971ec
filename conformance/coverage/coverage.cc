#include "conformance/coverage/coverage.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/observation_log.h"
#include "conformance/coverage/observed_target.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

struct Counts {
  size_t filled = 0;
  size_t explained = 0;
  size_t unexplained = 0;
};

bool IsUnexplained(const FilledCell& cell) {
  return cell.cases.empty() && cell.reason.empty();
}

Counts CountsOf(const FilledAccount& account) {
  Counts counts;
  for (const FilledCell& cell : account.cells) {
    ++(IsUnexplained(cell)   ? counts.unexplained
       : cell.reason.empty() ? counts.filled
                             : counts.explained);
  }
  return counts;
}

// Returns "listen.in_use.same_address (allowed), and 3 more".
std::string FilledBy(const FilledCell& cell) {
  if (cell.cases.empty()) {
    return cell.reason.empty() ? "EMPTY" : absl::StrCat("empty: ", cell.reason);
  }
  std::string text = cell.cases.front();
  if (!cell.details.empty()) {
    absl::StrAppend(&text, " (", absl::StrJoin(cell.details, ", "), ")");
  }
  if (cell.cases.size() > 1) {
    absl::StrAppend(&text, ", and ", cell.cases.size() - 1, " more");
  }
  return text;
}

FilledAccount* FindAccount(std::vector<FilledAccount>& accounts, char letter) {
  const auto found = std::find_if(
      accounts.begin(), accounts.end(),
      [letter](const FilledAccount& one) { return one.letter == letter; });
  return found == accounts.end() ? nullptr : &*found;
}

// A line of a file with reasons: a pattern, and after "#" the reason.
struct Reason {
  absl::string_view pattern;
  absl::string_view text;
};
Reason ParseReason(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(line, absl::MaxSplits('#', 1));
  return {.pattern = absl::StripAsciiWhitespace(halves.first),
          .text = absl::StripAsciiWhitespace(halves.second)};
}

bool Matches(absl::string_view pattern, const std::string& name) {
  return fnmatch(std::string(pattern).c_str(), name.c_str(), 0) == 0;
}

absl::Status Mistake(absl::string_view line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("'", line, "': ", what));
}

// Returns the lines of a text that are neither empty nor comments.
std::vector<absl::string_view> LinesOf(absl::string_view text) {
  std::vector<absl::string_view> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

absl::Status AddReason(absl::string_view line,
                       std::vector<FilledAccount>& accounts) {
  const auto [cells, reason] = ParseReason(line);
  if (cells.size() < 3 || cells[1] != ' ') {
    return Mistake(line, "must begin with an account's letter and a pattern");
  }
  if (reason.empty()) return Mistake(line, "has no reason");
  FilledAccount* const account = FindAccount(accounts, cells[0]);
  if (account == nullptr) return Mistake(line, "there is no such account");
  const absl::string_view pattern = absl::StripAsciiWhitespace(cells.substr(1));
  bool used = false;
  for (FilledCell& cell : account->cells) {
    if (!IsUnexplained(cell) || !Matches(pattern, cell.name)) continue;
    cell.reason = std::string(reason);
    used = true;
  }
  return used ? absl::OkStatus() : Mistake(line, "matches no empty cell");
}

}  // namespace

ObservedRun ObserveAll(absl::Span<const Target* const> targets, int jobs) {
  ObservedRun run;
  ObservationLog log;
  // A deque, because the trials point to them.
  std::deque<Target> observed;
  std::vector<Trial> trials;
  for (const Target* target : targets) {
    for (const Case& one : target->cases) {
      for (const AddressFamily family : AddressFamiliesOf(one.families)) {
        observed.push_back(
            ObservedTarget(*target, log, observed.size(), family));
        run.cases.emplace_back(one.id);
        trials.push_back(
            {.test_case = &one, .family = family, .target = &observed.back()});
      }
    }
  }
  run.trials = trials.size();
  std::map<const Target*, size_t> places;
  for (const Target& one : observed) places.emplace(&one, places.size());
  std::set<size_t> passed;
  RunTrials(trials, {.jobs = jobs}, [&](const Record& record) {
    if (record.verdict.outcome == Outcome::kPass) {
      passed.insert(places.at(record.trial.target));
    } else {
      run.failures.push_back(TrialName(record.trial));
    }
  });
  for (Observation& one : log.Read()) {
    if (passed.contains(one.trial)) run.observations.push_back(std::move(one));
  }
  return run;
}

std::vector<FilledAccount> FillAccounts(absl::Span<const Account> accounts,
                                        const ObservedRun& run) {
  using Key = std::pair<char, std::string>;
  std::map<Key, std::set<std::string>> cases;
  std::map<Key, std::set<std::string>> details;
  std::map<Key, size_t> reached;  // by account and case
  for (const Observation& one : run.observations) {
    const std::string& id = run.cases.at(one.trial);
    const Key cell(one.account, one.cell);
    if (cases[cell].insert(id).second) ++reached[{one.account, id}];
    if (!one.detail.empty()) details[cell].insert(one.detail);
  }
  std::vector<FilledAccount> filled;
  for (const Account& account : accounts) {
    FilledAccount& all = filled.emplace_back();
    all.letter = account.letter;
    all.title = std::string(account.title);
    for (const std::string& name : account.cells) {
      FilledCell& cell = all.cells.emplace_back();
      cell.name = name;
      const auto& by = cases[{account.letter, name}];
      cell.cases.assign(by.begin(), by.end());
      std::stable_sort(cell.cases.begin(), cell.cases.end(),
                       [&](const std::string& one, const std::string& other) {
                         return reached[{account.letter, one}] <
                                reached[{account.letter, other}];
                       });
      cell.details = details[{account.letter, name}];
    }
  }
  return filled;
}

absl::Status AddReasons(absl::string_view text,
                        std::vector<FilledAccount>& accounts) {
  for (const absl::string_view line : LinesOf(text)) {
    if (absl::Status added = AddReason(line, accounts); !added.ok()) {
      return added;
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> IdleCases(absl::Span<const FilledAccount> accounts,
                                   const ObservedRun& run,
                                   const std::set<std::string>& killers) {
  std::set<std::string> used = killers;
  for (const FilledAccount& account : accounts) {
    for (const FilledCell& cell : account.cells) {
      if (cell.cases.size() == 1) used.insert(cell.cases.front());
    }
  }
  std::vector<std::string> idle;
  for (const std::string& id : run.cases) {
    // A case has a trial for each address family.
    if (used.insert(id).second) idle.push_back(id);
  }
  return idle;
}

absl::Status RemoveJustified(absl::string_view text,
                             std::vector<std::string>& cases) {
  for (const absl::string_view line : LinesOf(text)) {
    const Reason reason = ParseReason(line);
    if (reason.text.empty()) return Mistake(line, "has no reason");
    const size_t removed = std::erase_if(cases, [&](const std::string& id) {
      return Matches(reason.pattern, id);
    });
    if (removed == 0) return Mistake(line, "matches no idle case");
  }
  return absl::OkStatus();
}

size_t CountUnexplained(absl::Span<const FilledAccount> accounts) {
  size_t count = 0;
  for (const FilledAccount& account : accounts) {
    count += CountsOf(account).unexplained;
  }
  return count;
}

std::string FormatAccounts(absl::Span<const FilledAccount> accounts,
                           bool verbose) {
  std::string text =
      absl::StrFormat("%-54s %8s %8s %18s %8s\n", "account", "cells", "filled",
                      "empty with reason", "empty");
  for (const FilledAccount& account : accounts) {
    const Counts counts = CountsOf(account);
    absl::StrAppendFormat(
        &text, "%-54s %8d %8d %18d %8d\n",
        absl::StrCat(std::string(1, account.letter), "  ", account.title),
        account.cells.size(), counts.filled, counts.explained,
        counts.unexplained);
  }
  bool is_first = true;
  for (const FilledAccount& account : accounts) {
    for (const FilledCell& cell : account.cells) {
      if (!verbose && !IsUnexplained(cell)) continue;
      if (std::exchange(is_first, false)) {
        absl::StrAppend(&text, verbose ? "\n" : "\nEmpty without a reason:\n");
      }
      absl::StrAppend(&text, std::string(1, account.letter), "  ", cell.name,
                      verbose ? absl::StrCat(": ", FilledBy(cell)) : "", "\n");
    }
  }
  return text;
}

std::string FormatAccountsJson(absl::Span<const FilledAccount> accounts) {
  auto list = nlohmann::ordered_json::array();
  for (const FilledAccount& account : accounts) {
    auto cells = nlohmann::ordered_json::array();
    for (const FilledCell& cell : account.cells) {
      cells.push_back({{"cell", cell.name},
                       {"cases", cell.cases},
                       {"seen", cell.details},
                       {"reason", cell.reason}});
    }
    list.push_back({{"account", std::string(1, account.letter)},
                    {"title", account.title},
                    {"cells", std::move(cells)}});
  }
  return list.dump(2) + "\n";
}

}  // namespace net::conformance
