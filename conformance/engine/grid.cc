#include "conformance/engine/grid.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/trial.h"

namespace net::conformance {
namespace {

constexpr int kNameWidth = 22;
constexpr size_t kLeastWidth = 5;
constexpr int kDefaultWidth = 80;

// Counts of outcomes, and independently of leaks.
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

// Returns the count of one outcome or leak, "-" if it is zero.
template <typename Key>
std::string CountText(const std::map<Key, int>& counts, Key key) {
  const auto found = counts.find(key);
  return found == counts.end() ? "-" : absl::StrCat(found->second);
}

void Note(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(name);
  }
}

// The counts by area and column. Names are in order of appearance.
struct Tally {
  std::vector<std::string> areas;
  std::vector<std::string> columns;
  std::map<std::pair<std::string, std::string>, Counts> cells;
  std::map<std::string, Counts> totals;  // by column

  void Add(const Record& record) {
    const std::string& column = record.trial.target->name;
    const std::string area = AreaOf(*record.trial.test_case);
    Note(columns, column);
    Note(areas, area);
    cells[{area, column}].Add(record.verdict);
    totals[column].Add(record.verdict);
  }
};

Grid OfOneColumn(const Tally& tally) {
  const std::string& column = tally.columns.front();
  const Counts& totals = tally.totals.at(column);
  std::vector<Outcome> outcomes;
  for (const Outcome outcome : kAllOutcomes) {
    if (outcome == Outcome::kPass || totals.outcomes.contains(outcome)) {
      outcomes.push_back(outcome);
    }
  }
  Grid grid{.heading = {column}};
  for (const Outcome outcome : outcomes) {
    grid.heading.emplace_back(OutcomeName(outcome));
  }
  grid.heading.emplace_back("trials");
  for (const auto& [leak, count] : totals.leaks) {
    grid.heading.emplace_back(LeakName(leak));
  }
  const auto add_row = [&](const std::string& name, const Counts& counts) {
    std::vector<std::string> row = {absl::StrCat("  ", name)};
    for (const Outcome outcome : outcomes) {
      row.push_back(CountText(counts.outcomes, outcome));
    }
    row.push_back(absl::StrCat(counts.trials));
    for (const auto& [leak, count] : totals.leaks) {
      row.push_back(CountText(counts.leaks, leak));
    }
    grid.rows.push_back(std::move(row));
  };
  for (const std::string& area : tally.areas) {
    add_row(area, tally.cells.at({area, column}));
  }
  add_row("total", totals);
  return grid;
}

// Returns "77" if all passed, else "70/77"; with a leading "!" if an outcome or
// a leak is unexpected.
std::string PassedOf(const Counts& counts) {
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

// Adds a row with the counts of an outcome or a leak by column, unless all are
// zero.
template <typename Key>
void AddSums(const Tally& tally, absl::string_view name, Key key,
             std::map<Key, int> Counts::*counts, Grid& grid) {
  std::vector<std::string> row = {absl::StrCat("    ", name)};
  bool any = false;
  for (const std::string& column : tally.columns) {
    const std::map<Key, int>& own = tally.totals.at(column).*counts;
    any = any || own.contains(key);
    row.push_back(CountText(own, key));
  }
  if (any) grid.rows.push_back(std::move(row));
}

Grid OfSeveralColumns(const Tally& tally) {
  Grid grid{.heading = {"passed"}};
  grid.heading.insert(grid.heading.end(), tally.columns.begin(),
                      tally.columns.end());
  for (const std::string& area : tally.areas) {
    std::vector<std::string> row = {absl::StrCat("  ", area)};
    for (const std::string& column : tally.columns) {
      const auto cell = tally.cells.find({area, column});
      row.push_back(cell == tally.cells.end() ? "" : PassedOf(cell->second));
    }
    grid.rows.push_back(std::move(row));
  }
  std::vector<std::string> total = {"  total"};
  for (const std::string& column : tally.columns) {
    total.push_back(PassedOf(tally.totals.at(column)));
  }
  grid.rows.push_back(std::move(total));
  for (const Outcome outcome : kAllOutcomes) {
    AddSums(tally, OutcomeName(outcome), outcome, &Counts::outcomes, grid);
  }
  for (const Leak leak : kAllLeaks) {
    AddSums(tally, LeakName(leak), leak, &Counts::leaks, grid);
  }
  return grid;
}

size_t WidthOf(const Grid& grid, size_t column) {
  size_t width = std::max(kLeastWidth, grid.heading[column].size());
  for (const auto& row : grid.rows) {
    width = std::max(width, row[column].size());
  }
  return width;
}

bool IsBlank(const std::string& cell) { return cell.empty() || cell == "-"; }

// Formats the columns [begin, end).
std::string FormatBlock(const Grid& grid, const std::vector<size_t>& widths,
                        size_t begin, size_t end) {
  std::string text;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line = absl::StrFormat("%-*s", kNameWidth, cells[0]);
    for (size_t i = begin; i < end; ++i) {
      absl::StrAppendFormat(&line, "  %*s", static_cast<int>(widths[i]),
                            cells[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  };
  add_line(grid.heading);
  for (const auto& row : grid.rows) {
    const auto first = row.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = row.begin() + static_cast<std::ptrdiff_t>(end);
    if (!std::all_of(first, last, IsBlank)) add_line(row);
  }
  return text;
}

}  // namespace

Grid MakeGrid(absl::Span<const Record> records) {
  Tally tally;
  for (const Record& record : records) tally.Add(record);
  if (tally.columns.empty()) return {};
  return tally.columns.size() == 1 ? OfOneColumn(tally)
                                   : OfSeveralColumns(tally);
}

std::string FormatGrid(const Grid& grid, int width) {
  std::vector<size_t> widths;
  for (size_t i = 0; i < grid.heading.size(); ++i) {
    widths.push_back(WidthOf(grid, i));
  }
  std::vector<std::string> blocks;
  size_t begin = 1;
  while (begin < widths.size()) {
    size_t end = begin;
    size_t used = kNameWidth;
    // A block has at least one column, even if that is wider than the terminal.
    while (end < widths.size() &&
           (end == begin ||
            used + 2 + widths[end] <= static_cast<size_t>(width))) {
      used += 2 + widths[end++];
    }
    blocks.push_back(FormatBlock(grid, widths, begin, end));
    begin = end;
  }
  return absl::StrJoin(blocks, "\n");
}

std::string FormatGridMarkdown(const Grid& grid) {
  const auto row_of = [](const std::vector<std::string>& cells) {
    const auto append = [](std::string* out, const std::string& cell) {
      const size_t start = cell.find_first_not_of(' ');
      if (start != std::string::npos) {
        out->append(MarkdownCell(absl::string_view(cell).substr(start)));
      }
    };
    return absl::StrCat("| ", absl::StrJoin(cells, " | ", append), " |\n");
  };
  std::string text = row_of(grid.heading);
  for (size_t i = 0; i < grid.heading.size(); ++i) {
    text += i == 0 ? "|---" : "|---:";
  }
  text += "|\n";
  for (const auto& row : grid.rows) text += row_of(row);
  return text;
}

std::string MarkdownCell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"|", "\\|"},
                                    {"\n", "<br>"}});
}

int TerminalWidth() {
  int width = 0;
  const char* columns = std::getenv("COLUMNS");
  if (columns != nullptr && absl::SimpleAtoi(columns, &width) && width > 0) {
    return width;
  }
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return kDefaultWidth;
}

}  // namespace net::conformance
