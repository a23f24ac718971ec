#include "conformance/explain/killed_mutants.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "conformance/suite/case.h"

namespace net::conformance {
namespace {

constexpr absl::string_view kByRequirement = "! ";
constexpr absl::string_view kOther = "  ";

// The most bugs of others that --explain describes. A case that no socket can
// pass without accept(2) finds dozens.
constexpr size_t kMostDescribed = 3;

// A bug that a case finds.
struct Kill {
  const KilledMutant* mutant = nullptr;
  bool by_requirement = false;
};

std::vector<Kill> KillsOf(const std::vector<KilledMutant>& all,
                          absl::string_view test_case) {
  std::vector<Kill> kills;
  for (const KilledMutant& one : all) {
    for (const KilledMutant::Killer& killer : one.killers) {
      if (killer.test_case != test_case) continue;
      kills.push_back(
          {.mutant = &one, .by_requirement = killer.by_requirement});
    }
  }
  // Those whose requirement is violated say most about the case.
  std::stable_sort(kills.begin(), kills.end(),
                   [](const Kill& a, const Kill& b) {
                     return a.by_requirement && !b.by_requirement;
                   });
  return kills;
}

// Returns who relies on a requirement, by its source (Case::source).
std::string WhoRelies(absl::string_view source) {
  if (absl::StrContains(source, "contract: ")) {
    return "net::tcp promises it to its users (tcp/CONTRACT.md)";
  }
  const absl::string_view first = source.substr(0, source.find_first_of(",; "));
  if (first == "RFC") return "the other end of a connection relies on it";
  if (first == "measured" || first == "found" || first == "Linux" ||
      absl::EndsWith(first, ".c")) {
    return "no text requires it, but programs meet it on Linux";
  }
  return "programs are written by this text";
}

}  // namespace

absl::StatusOr<std::vector<KilledMutant>> ParseKilledMutants(
    absl::string_view lines) {
  std::vector<KilledMutant> all;
  for (absl::string_view line :
       absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "#")) continue;
    const bool by_requirement = absl::ConsumePrefix(&line, kByRequirement);
    if (by_requirement || absl::ConsumePrefix(&line, kOther)) {
      if (all.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("must follow the line of a bug: ", line));
      }
      all.back().killers.push_back(
          {.test_case = std::string(line), .by_requirement = by_requirement});
      continue;
    }
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields.size() != 3) {
      return absl::InvalidArgumentError(
          absl::StrCat("must have three fields: ", line));
    }
    all.push_back({.name = fields[0],
                   .source = fields[1],
                   .text = fields[2],
                   .killers = {}});
  }
  return all;
}

std::string FormatKilledMutants(const std::vector<KilledMutant>& all) {
  std::string lines;
  for (const KilledMutant& one : all) {
    absl::StrAppend(&lines, one.name, "\t", one.source, "\t", one.text, "\n");
    for (const KilledMutant::Killer& killer : one.killers) {
      absl::StrAppend(&lines, killer.by_requirement ? kByRequirement : kOther,
                      killer.test_case, "\n");
    }
  }
  return lines;
}

std::string FormatWhatItKills(const std::vector<KilledMutant>& all,
                              const Case& test_case) {
  const std::vector<Kill> kills = KillsOf(all, test_case.id);
  std::string described;
  std::vector<absl::string_view> names;
  size_t real = 0;
  for (const Kill& kill : kills) {
    names.emplace_back(kill.mutant->name);
    if (kill.mutant->source.empty()) continue;
    if (++real > kMostDescribed && !kill.by_requirement) continue;
    absl::StrAppend(&described, "    ", kill.mutant->source, ": ",
                    kill.mutant->text, "\n");
  }
  return absl::StrCat(
      "  why it matters: ",
      described.empty()
          ? absl::StrCat(WhoRelies(test_case.source), "\n")
          : absl::StrCat("it finds bugs that others had\n", described),
      "  mutants:     ",
      names.empty() ? absl::StrCat("it finds none of the ", all.size(),
                                   " bugs of conformance/mutants")
                    : absl::StrJoin(names, ", "),
      "\n");
}

}  // namespace net::conformance
