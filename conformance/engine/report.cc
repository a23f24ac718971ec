#include "conformance/engine/report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/grid.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report_groups.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

// The number of failures that are printed in full, and of those that are
// printed at all.
constexpr size_t kFullFailures = 20;
constexpr size_t kLinesOfFailures = 100;
// The number of names printed with a reason and with a failure that occurred
// several times, and the space for "... (123 more)".
constexpr size_t kNamesShown = 3;
constexpr size_t kSameShown = 5;
constexpr size_t kRoomForMore = 20;
constexpr size_t kReasonWidth = 200;

std::string Indent(absl::string_view text) {
  return absl::StrCat("    ", absl::StrReplaceAll(text, {{"\n", "\n    "}}),
                      "\n");
}

bool HasSeveralTargets(absl::Span<const Record> records) {
  return std::any_of(records.begin(), records.end(), [&](const Record& one) {
    return one.trial.target != records.front().trial.target;
  });
}

// Returns "" for a trial that was not run again.
std::string RerunText(Rerun rerun) {
  switch (rerun) {
    case Rerun::kNone:
      return "";
    case Rerun::kDeterministic:
      return "ends so each time that it runs alone (deterministic)";
    case Rerun::kTimingSensitive:
      return "ends so sometimes (timing-sensitive)";
    case Rerun::kInterference:
      return "ends as expected each time (interference: of another trial, or "
             "of another program on this machine)";
  }
  return "?";
}

std::string Format(const Record& record, absl::string_view leaked,
                   absl::string_view message) {
  const Case& test_case = *record.trial.test_case;
  const Leak leak = record.verdict.leak;
  std::string text = absl::StrCat(
      FormatRecordLine(record), "\n  requirement (", LevelName(test_case.level),
      "): ", test_case.requirement, "\n  source: ", test_case.source, "\n");
  if (leak != Leak::kNone) {
    absl::StrAppend(&text, "  ", LeakName(leak), ":\n", Indent(leaked));
  }
  if (leak == Leak::kNone || !message.empty()) {
    absl::StrAppend(&text, Indent(message));
  }
  if (const std::string again = RerunText(record.rerun); !again.empty()) {
    absl::StrAppend(&text, "  run again: ", again, "\n");
  }
  if (!record.verdict.calls.empty()) {
    absl::StrAppend(&text, "  ", kCallsHeading, "\n",
                    Indent(record.verdict.calls));
  }
  return text;
}

std::string FormatGroup(const Group& group, bool by_target, int width) {
  const std::vector<std::string> names =
      by_target ? group.Targets() : group.Names();
  std::string text = absl::StrFormat("%6d  %s\n", group.records.size(),
                                     CutText(group.reason, kReasonWidth));
  std::string line = "        ";
  size_t shown = 0;
  // At least one name, and as many more as fit the line.
  while (shown < names.size() && (by_target || shown < kNamesShown) &&
         (shown == 0 || line.size() + names[shown].size() + kRoomForMore <=
                            static_cast<size_t>(width))) {
    absl::StrAppend(&line, shown == 0 ? "" : ", ", names[shown]);
    ++shown;
  }
  if (shown < names.size()) {
    absl::StrAppend(&line, ", ... (", names.size() - shown, " more)");
  }
  return absl::StrCat(text, line, "\n");
}

// The first trial of each group is printed in full, in the first kFullFailures
// groups. The others are named.
std::string FormatFailures(absl::Span<const Group> failures) {
  std::string text;
  size_t shown = 0;
  for (const Group& group : failures) {
    const Record& first = *group.records.front();
    if (shown == kLinesOfFailures) break;
    if (shown < kFullFailures) {
      absl::StrAppend(&text, "\n", FormatRecordBriefly(first));
    } else {
      absl::StrAppend(&text, shown == kFullFailures ? "\n" : "",
                      FormatRecordLine(first), ": ",
                      CutText(group.reason, kReasonWidth), "\n");
    }
    if (group.records.size() > 1) {
      const Group rest = {
          .records = {group.records.begin() + 1, group.records.end()}};
      std::vector<std::string> names = rest.Names();
      const size_t cut = names.size() - std::min(names.size(), kSameShown);
      names.resize(names.size() - cut);
      absl::StrAppend(&text, "  the same in ", rest.records.size(),
                      " more: ", absl::StrJoin(names, ", "),
                      cut == 0 ? "" : absl::StrCat(", ... (", cut, " more)"),
                      "\n");
    }
    ++shown;
  }
  if (shown < failures.size()) {
    absl::StrAppend(&text, "... and ", failures.size() - shown,
                    " other failures (--verbose prints each)\n");
  }
  return text;
}

std::string AddressFamiliesText(const Case& test_case) {
  const auto append_name = [](std::string* out, AddressFamily family) {
    absl::StrAppend(out, AddressFamilyName(family));
  };
  return absl::StrJoin(AddressFamiliesOf(test_case.families), ",", append_name);
}

std::vector<std::string> NeedNames(Need needs) {
  std::vector<std::string> names;
  if (Includes(needs, Need::kIpv6)) names.emplace_back("ipv6");
  if (Includes(needs, Need::kOwnNetwork)) names.emplace_back("own network");
  if (Includes(needs, Need::kOtherUser)) names.emplace_back("other user");
  if (Includes(needs, Need::kExec)) names.emplace_back("exec");
  if (Includes(needs, Need::kInterrupt)) names.emplace_back("interrupt");
  if (Includes(needs, Need::kOptionLists)) names.emplace_back("option lists");
  if (Includes(needs, Need::kFaults)) names.emplace_back("faults");
  if (Includes(needs, Need::kFaultsOfClose)) {
    names.emplace_back("faults of close(2)");
  }
  if (Includes(needs, Need::kFork)) names.emplace_back("fork");
  return names;
}

}  // namespace

std::string AreaOf(const Case& test_case) {
  constexpr absl::string_view kKernel = "kernel.";
  const absl::string_view id = test_case.id;
  const size_t start = absl::StartsWith(id, kKernel) ? kKernel.size() : 0;
  return std::string(id.substr(0, id.find('.', start)));
}

std::string FormatReport(absl::Span<const Record> records,
                         const ReportOptions& options) {
  std::string text = absl::StrCat(FormatGrid(MakeGrid(records), options.width),
                                  FormatReasons(records, options.width));
  if (options.verbose) {
    for (const Record& record : records) {
      const Verdict& verdict = record.verdict;
      if (verdict.outcome == Outcome::kPass && verdict.leak == Leak::kNone) {
        continue;
      }
      absl::StrAppend(&text, "\n", FormatRecord(record));
    }
    return text;
  }
  return absl::StrCat(text, FormatFailures(GroupFailures(records)));
}

std::string FormatReasons(absl::Span<const Record> records, int width) {
  const bool by_target = HasSeveralTargets(records);
  const std::vector<Group> groups = GroupByReason(records);
  std::string text;
  for (const Group& group : groups) {
    if (group.is_first) {
      absl::StrAppend(&text, "\n", group.Ending(), ": ",
                      CountOf(groups, group.Ending()), " trials\n");
    }
    absl::StrAppend(&text, FormatGroup(group, by_target, width));
  }
  return text;
}

std::string FormatClosingLine(absl::Span<const Record> records, int status,
                              absl::string_view why,
                              absl::string_view command) {
  return absl::StrCat(
      CountsText(records), ". Exit status ", status, ": ", why, ".",
      command.empty()
          ? ""
          : absl::StrCat(" Each trial in full: ", command, " --verbose"),
      "\n");
}

std::string CountsText(absl::Span<const Record> records) {
  std::vector<std::string> counts;
  for (const Outcome outcome : kAllOutcomes) {
    const auto count = CountOf(records, outcome);
    if (count > 0)
      counts.push_back(absl::StrCat(count, " ", OutcomeName(outcome)));
  }
  for (const Leak leak : kAllLeaks) {
    const auto count = CountOf(records, leak);
    if (count > 0) counts.push_back(absl::StrCat(count, " ", LeakName(leak)));
  }
  return absl::StrCat(records.size(), " trials: ",
                      counts.empty() ? "none" : absl::StrJoin(counts, ", "));
}

std::string FormatRecord(const Record& record) {
  return Format(record, record.verdict.leaked, record.verdict.message);
}

std::string FormatRecordBriefly(const Record& record) {
  return Format(record, ShortMessage(record.verdict.leaked),
                ShortMessage(record.verdict.message));
}

std::string FormatRecordLine(const Record& record) {
  return absl::StrFormat("%s  %s (%d ms)",
                         absl::AsciiStrToUpper(EndingName(record.verdict)),
                         TrialName(record.trial), record.milliseconds);
}

std::string FormatCaseList(absl::Span<const Case* const> cases) {
  std::string text;
  for (const Case* one : cases) {
    absl::StrAppendFormat(&text, "%-46s %-5s  %-9s  %s\n", one->id,
                          AddressFamiliesText(*one), LevelName(one->level),
                          one->requirement);
  }
  return text;
}

std::string FormatCaseListJson(absl::Span<const Case* const> cases) {
  auto list = nlohmann::ordered_json::array();
  for (const Case* one : cases) {
    std::vector<std::string> families;
    for (const AddressFamily family : AddressFamiliesOf(one->families)) {
      families.emplace_back(AddressFamilyName(family));
    }
    list.push_back({{"case", std::string(one->id)},
                    {"requirement", std::string(one->requirement)},
                    {"source", std::string(one->source)},
                    {"level", std::string(LevelName(one->level))},
                    {"axes", families},
                    {"needs", NeedNames(one->needs)}});
  }
  return list.dump(2) + "\n";
}

std::string FormatCase(const Case& test_case) {
  const std::vector<std::string> needs = NeedNames(test_case.needs);
  return absl::StrCat(
      test_case.id, "\n  requirement: ", test_case.requirement,
      "\n  source:      ", test_case.source,
      "\n  level:       ", LevelName(test_case.level),
      "\n  axes:        ", AddressFamiliesText(test_case), "\n  needs:       ",
      needs.empty() ? "nothing" : absl::StrJoin(needs, ", "), "\n");
}

}  // namespace net::conformance
