// The texts of an ExploreResult.

#include <algorithm>
#include <cstdint>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/fault_outcome.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/faults/fault_plan.h"
#include "syscalls/errors/errno_symbol.h"

namespace net {
namespace {

std::string ErrnoList(const std::vector<int>& errors) {
  return absl::StrJoin(errors, " ", [](std::string* out, int error) {
    absl::StrAppend(out, ErrnoSymbol(error));
  });
}

// Returns "leak of Bind Eaddrinuse" as the name of a TEST: the words of the
// kind and of the plan, joined.
std::string TestName(const ExploreFinding& finding) {
  std::string name;
  bool starts_word = true;
  for (const char c :
       absl::StrCat(KindText(finding.kind), " ", finding.plan.ToString())) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      starts_word = true;
      continue;
    }
    name += starts_word ? absl::ascii_toupper(static_cast<unsigned char>(c))
                        : absl::ascii_tolower(static_cast<unsigned char>(c));
    starts_word = false;
  }
  return name;
}

constexpr uint64_t kDefaultSeed = 1;

// Returns the initializer of the options that a finding needs: "{}", or its
// declarations, the kernel's seed and the schedule.
std::string OptionsExpression(const ExploreResult& result,
                              const ExploreFinding& finding) {
  std::vector<std::string> fields;
  if (!result.declarations.empty()) {
    fields.push_back(absl::StrCat(
        ".declarations = {",
        absl::StrJoin(result.declarations,
                      ",\n                                   ",
                      [](std::string* out, const Declaration& declaration) {
                        absl::StrAppend(out, declaration.ToString());
                      }),
        "}"));
  }
  std::vector<std::string> of_kernel;
  if (result.seed != kDefaultSeed) {
    of_kernel.push_back(absl::StrCat(".seed = ", result.seed));
  }
  if (!finding.schedule.empty()) {
    of_kernel.push_back(
        absl::StrCat(".schedule = {.replay = \"", finding.schedule, "\"}"));
  }
  if (!of_kernel.empty()) {
    fields.push_back(
        absl::StrCat(".kernel = {", absl::StrJoin(of_kernel, ", "), "}"));
  }
  return absl::StrCat("{", absl::StrJoin(fields, ",\n      "), "}");
}

std::string Percent(int64_t part, int64_t whole) {
  return absl::StrFormat("%d %%", whole == 0 ? 0 : 100 * part / whole);
}

// Returns ", 61 % pruned because ...", or "" if nothing was pruned.
std::string PrunedText(const ExploreCounts& counts) {
  std::vector<std::string> reasons;
  if (counts.pruned_same > 0) {
    reasons.push_back(absl::StrCat(
        Percent(counts.pruned_same, counts.plans),
        " because the calls after the first fault are those after another "
        "errno"));
  }
  if (counts.pruned_recovered > 0) {
    reasons.push_back(absl::StrCat(
        Percent(counts.pruned_recovered, counts.plans),
        " because the first fault had been overcome before the second"));
  }
  if (reasons.empty()) return "";
  return absl::StrCat(
      ", ", Percent(counts.pruned_same + counts.pruned_recovered, counts.plans),
      " pruned: ", absl::StrJoin(reasons, ", "));
}

std::string SiteName(const ExploreSite& site) {
  if (site.occurrence == 0) {
    return absl::StrCat(std::string(CallName(site.call)), " after an error");
  }
  return absl::StrCat(std::string(CallName(site.call)), "#", site.occurrence);
}

}  // namespace

std::string ExploreResult::Statement() const {
  std::string text;
  if (shard.total > 1) {
    absl::StrAppend(&text, "shard ", shard.index + 1, " of ", shard.total,
                    ": ");
  }
  if (!complete) absl::StrAppend(&text, "not complete: ");
  if (findings.empty()) {
    absl::StrAppend(
        &text, complete ? "no set of <= " : "none so far of <= ", max_faults,
        " faults of the table makes ", name, " leak, hang or swallow");
  } else {
    absl::StrAppend(&text, findings.size(),
                    findings.size() == 1 ? " finding" : " findings",
                    " with <= ", max_faults, " faults of the table in ", name);
  }
  if (schedules > 0) {
    absl::StrAppend(&text, findings.empty() ? " under any of " : " under ",
                    schedules, " schedules with <= ", max_preemptions,
                    " preemptions");
  }
  return absl::StrCat(text, "; ", counts.plans, " plans", PrunedText(counts));
}

std::string ExploreResult::SiteTable() const {
  std::map<std::pair<Call, int>, std::map<FaultOutcome, std::vector<int>>>
      table;
  std::set<Call> hit;
  for (const ExploreSite& site : sites) {
    // "After an error" comes last.
    table[{site.call, site.occurrence}][site.outcome].push_back(site.error);
    hit.insert(site.call);
  }
  std::string text = "call site, hit, and what became of the errnos:\n";
  for (const auto& [place, outcomes] : table) {
    int count = 0;
    std::vector<std::string> parts;
    for (const auto& [outcome, errors] : outcomes) {
      count += static_cast<int>(errors.size());
      parts.push_back(
          absl::StrCat(OutcomeText(outcome), ": ", ErrnoList(errors)));
    }
    absl::StrAppendFormat(
        &text, "  %-24s %3d  %s\n",
        SiteName({.call = place.first, .occurrence = place.second}), count,
        absl::StrJoin(parts, "; "));
  }
  std::vector<std::string> unreachable;
  for (const ErrnoRow& row : ErrnoTable()) {
    const std::string unhit(CallName(row.call));
    if (!hit.contains(row.call) &&
        std::count(unreachable.begin(), unreachable.end(), unhit) == 0) {
      unreachable.push_back(unhit);
    }
  }
  if (!unreachable.empty()) {
    absl::StrAppend(&text, "  unreachable: ", absl::StrJoin(unreachable, " "),
                    "\n");
  }
  return text;
}

std::string ExploreResult::TestSource(const ExploreFinding& finding) const {
  // A plan without rules is a race without a fault.
  const std::string run =
      finding.plan.rules.empty() && !finding.schedule.empty()
          ? absl::StrCat("net::ReplaySchedule(\"", finding.schedule)
          : absl::StrCat("net::RunFaultPlan(\"", finding.plan.ToString());
  return absl::StrCat("TEST(", name, ", ", TestName(finding), ") {\n",
                      "  const net::ExploreOptions options = ",
                      OptionsExpression(*this, finding), ";\n",
                      "  EXPECT_THAT(", run, "\", options, ", name, "),\n",
                      "              net::HasNoFindings());\n}\n");
}

std::string TrapCommand(const FaultPlan& plan) {
  return absl::StrCat("bazel run //fakes:trap -- --plan='", plan.ToString(),
                      "' -- PROGRAM");
}

std::string ExploreResult::ToString() const {
  std::string text = absl::StrCat(Statement(), "\n");
  int number = 0;
  for (const ExploreFinding& finding : findings) {
    absl::StrAppend(&text, "\n", ++number, ". ", KindText(finding.kind), ": ",
                    finding.text, "\n   plan: ", finding.plan.ToString(), "\n");
    if (finding.errnos.size() > 1) {
      absl::StrAppend(&text, "   also with: ", ErrnoList(finding.errnos), "\n");
    }
    absl::StrAppend(&text, "   plans that show it: ", finding.plans, "\n",
                    "   as a test:\n     ",
                    absl::StrReplaceAll(
                        absl::StripTrailingAsciiWhitespace(TestSource(finding)),
                        {{"\n", "\n     "}}),
                    "\n");
    // A trap carries out plans, but no schedules.
    if (finding.schedule.empty()) {
      absl::StrAppend(&text, "   for a program: ", TrapCommand(finding.plan),
                      "\n");
    }
  }
  return absl::StrCat(text, "\n", SiteTable());
}

std::ostream& operator<<(std::ostream& os, const ExploreFinding& finding) {
  return os << finding.kind << ": " << finding.text << ", plan "
            << finding.plan.ToString() << ", schedule " << finding.schedule;
}

std::ostream& operator<<(std::ostream& os, const ExploreResult& result) {
  return os << result.ToString();
}

}  // namespace net
