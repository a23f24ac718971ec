#include "conformance/engine/report.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/case.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/environment.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

// How often each outcome came, and each kind of leak beside them.
struct Counts {
  std::map<Outcome, int> outcomes;
  std::map<Leak, int> leaks;
  int trials = 0;
  bool unexpected = false;

  void Add(const Verdict& verdict) {
    ++outcomes[verdict.outcome];
    if (verdict.leak != Leak::kNone) ++leaks[verdict.leak];
    ++trials;
    unexpected = unexpected || !IsExpected(verdict);
  }
};

// The count of one outcome or leak; "-" if there was none.
template <typename Key>
std::string CountOf(const std::map<Key, int>& counts, Key key) {
  const auto found = counts.find(key);
  return found == counts.end() ? "-" : absl::StrCat(found->second);
}

// The rows of one implementation's table, in the order of the case table.
class Table {
 public:
  void Add(const Record& record) {
    const std::string subject = SubjectOf(*record.trial.test_case);
    const auto row = std::find_if(
        rows_.begin(), rows_.end(),
        [&](const auto& existing) { return existing.first == subject; });
    Counts& counts = row != rows_.end()
                         ? row->second
                         : rows_.emplace_back(subject, Counts()).second;
    counts.Add(record.verdict);
    total_.Add(record.verdict);
  }

  std::string Format(absl::string_view title) const {
    std::vector<Outcome> outcomes = {Outcome::kPass};
    std::copy_if(std::begin(kAllOutcomes) + 1, std::end(kAllOutcomes),
                 std::back_inserter(outcomes), [this](Outcome outcome) {
                   return total_.outcomes.contains(outcome);
                 });
    std::string text = absl::StrFormat("%-22s", title);
    for (const Outcome outcome : outcomes) {
      absl::StrAppendFormat(&text, "  %*s", WidthOf(OutcomeName(outcome)),
                            OutcomeName(outcome));
    }
    absl::StrAppend(&text, "  trials");
    for (const auto& [leak, count] : total_.leaks) {
      absl::StrAppendFormat(&text, "  %*s", WidthOf(LeakName(leak)),
                            LeakName(leak));
    }
    text += "\n";
    for (const auto& [subject, counts] : rows_) {
      text += FormatRow(subject, counts, outcomes);
    }
    return text + FormatRow("total", total_, outcomes);
  }

 private:
  static int WidthOf(absl::string_view name) {
    return std::max(5, static_cast<int>(name.size()));
  }

  std::string FormatRow(absl::string_view name, const Counts& counts,
                        const std::vector<Outcome>& outcomes) const {
    std::string text = absl::StrFormat("  %-20s", name);
    for (const Outcome outcome : outcomes) {
      absl::StrAppendFormat(&text, "  %*s", WidthOf(OutcomeName(outcome)),
                            CountOf(counts.outcomes, outcome));
    }
    absl::StrAppendFormat(&text, "  %6d", counts.trials);
    for (const auto& [leak, count] : total_.leaks) {
      absl::StrAppendFormat(&text, "  %*s", WidthOf(LeakName(leak)),
                            CountOf(counts.leaks, leak));
    }
    return text + "\n";
  }

  std::vector<std::pair<std::string, Counts>> rows_;
  Counts total_;
};

// Of several columns: subjects by columns, and the outcomes of each.
class Matrix {
 public:
  void Add(const Record& record) {
    const std::string& column = record.trial.column->name;
    const std::string subject = SubjectOf(*record.trial.test_case);
    Note(columns_, column);
    Note(subjects_, subject);
    cells_[{subject, column}].Add(record.verdict);
    cells_[{"total", column}].Add(record.verdict);
  }

  std::string Format() const {
    std::string text = absl::StrFormat("%-22s", "passed");
    for (const std::string& column : columns_) {
      absl::StrAppendFormat(&text, "  %*s", Width(column), column);
    }
    text += "\n";
    for (const std::string& subject : subjects_) text += Row(subject);
    text += Row("total");
    for (const Outcome outcome : kAllOutcomes) {
      text += TotalsOf(OutcomeName(outcome), outcome, &Counts::outcomes);
    }
    for (const Leak leak : kAllLeaks) {
      text += TotalsOf(LeakName(leak), leak, &Counts::leaks);
    }
    return text;
  }

 private:
  static void Note(std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }

  static int Width(const std::string& column) {
    return std::max(9, static_cast<int>(column.size()));
  }

  // "77" if all pass, else "70/77"; with "!" if an outcome or a leak is
  // unexpected.
  static std::string Cell(const Counts& counts) {
    int passed = 0;
    for (const auto& [outcome, count] : counts.outcomes) {
      if (outcome == Outcome::kPass || outcome == Outcome::kVariation) {
        passed += count;
      }
    }
    return absl::StrCat(
        counts.unexpected ? "!" : "", passed,
        passed == counts.trials ? "" : absl::StrCat("/", counts.trials));
  }

  std::string Row(const std::string& subject) const {
    std::string text = absl::StrFormat("  %-20s", subject);
    for (const std::string& column : columns_) {
      const auto cell = cells_.find({subject, column});
      absl::StrAppendFormat(&text, "  %*s", Width(column),
                            cell == cells_.end() ? "" : Cell(cell->second));
    }
    return text + "\n";
  }

  // How often an outcome or a leak came, in each column; "" if in none.
  template <typename Key>
  std::string TotalsOf(absl::string_view name, Key key,
                       std::map<Key, int> Counts::*counts) const {
    std::string text = absl::StrFormat("    %-18s", name);
    bool any = false;
    for (const std::string& column : columns_) {
      const std::map<Key, int>& own = cells_.at({"total", column}).*counts;
      any = any || own.contains(key);
      absl::StrAppendFormat(&text, "  %*s", Width(column), CountOf(own, key));
    }
    return any ? text + "\n" : "";
  }

  std::vector<std::string> columns_;
  std::vector<std::string> subjects_;
  std::map<std::pair<std::string, std::string>, Counts> cells_;
};

std::string FormatMatrix(absl::Span<const Record> records) {
  Matrix matrix;
  for (const Record& record : records) matrix.Add(record);
  return matrix.Format();
}

std::string Indent(absl::string_view text) {
  return absl::StrCat("    ", absl::StrReplaceAll(text, {{"\n", "\n    "}}),
                      "\n");
}

std::string AxesText(const Case& test_case) {
  const auto append_name = [](std::string* out, Axis axis) {
    absl::StrAppend(out, AxisName(axis));
  };
  return absl::StrJoin(AxesOf(test_case.axes), ",", append_name);
}

std::vector<std::string> NeedNames(Need needs) {
  std::vector<std::string> names;
  if (Includes(needs, Need::kIpv6)) names.emplace_back("ipv6");
  if (Includes(needs, Need::kOwnNetwork)) names.emplace_back("own network");
  if (Includes(needs, Need::kOtherUser)) names.emplace_back("other user");
  if (Includes(needs, Need::kExec)) names.emplace_back("exec");
  if (Includes(needs, Need::kInterrupt)) names.emplace_back("interrupt");
  return names;
}

}  // namespace

std::string SubjectOf(const Case& test_case) {
  constexpr absl::string_view kKernel = "kernel.";
  const absl::string_view id = test_case.id;
  const size_t start = absl::StartsWith(id, kKernel) ? kKernel.size() : 0;
  return std::string(id.substr(0, id.find('.', start)));
}

std::string FormatReport(absl::Span<const Record> records, bool verbose) {
  std::vector<std::pair<std::string, Table>> tables;
  for (const Record& record : records) {
    const std::string& name = record.trial.column->name;
    auto table = std::find_if(
        tables.begin(), tables.end(),
        [&](const auto& existing) { return existing.first == name; });
    if (table == tables.end()) {
      table = tables.insert(tables.end(), {name, Table()});
    }
    table->second.Add(record);
  }
  const bool is_matrix = tables.size() > 1;
  std::string text;
  if (is_matrix) {
    text = absl::StrCat(FormatMatrix(records), "\n");
  } else {
    for (const auto& [name, table] : tables) {
      absl::StrAppend(&text, table.Format(name), "\n");
    }
  }
  for (const Record& record : records) {
    const Verdict& verdict = record.verdict;
    if (verdict.outcome == Outcome::kPass && verdict.leak == Leak::kNone) {
      continue;
    }
    if (is_matrix && !verbose && IsExpected(verdict)) continue;
    absl::StrAppend(&text, FormatRecord(record), "\n");
  }
  return text;
}

std::string FormatRecord(const Record& record) {
  const Case& test_case = *record.trial.test_case;
  const Verdict& verdict = record.verdict;
  std::string text = absl::StrCat(
      FormatRecordLine(record), "\n  requirement (", LevelName(test_case.level),
      "): ", test_case.requirement, "\n  source: ", test_case.source, "\n");
  if (verdict.leak != Leak::kNone) {
    absl::StrAppend(&text, "  ", LeakName(verdict.leak), ":\n",
                    Indent(verdict.leaked));
  }
  if (verdict.leak == Leak::kNone || !verdict.message.empty()) {
    absl::StrAppend(&text, Indent(verdict.message));
  }
  return text;
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
                          AxesText(*one), LevelName(one->level),
                          one->requirement);
  }
  return text;
}

std::string FormatCaseListJson(absl::Span<const Case* const> cases) {
  auto list = nlohmann::ordered_json::array();
  for (const Case* one : cases) {
    std::vector<std::string> axes;
    for (const Axis axis : AxesOf(one->axes)) {
      axes.emplace_back(AxisName(axis));
    }
    list.push_back({{"case", std::string(one->id)},
                    {"requirement", std::string(one->requirement)},
                    {"source", std::string(one->source)},
                    {"level", std::string(LevelName(one->level))},
                    {"axes", axes},
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
      "\n  axes:        ", AxesText(test_case), "\n  needs:       ",
      needs.empty() ? "nothing special" : absl::StrJoin(needs, ", "), "\n");
}

}  // namespace net::conformance
