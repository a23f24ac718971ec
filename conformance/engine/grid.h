#ifndef CONFORMANCE_ENGINE_GRID_H_
#define CONFORMANCE_ENGINE_GRID_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// The table of a report, independent of its format. All rows have as many cells
// as the heading; the first cell of a row is its name.
struct Grid {
  std::vector<std::string> heading;
  std::vector<std::vector<std::string>> rows = {};
};

// Counts outcomes and leaks by the area of the cases: see AreaOf().
//
// - One column: a row for each area, a cell for each outcome, the sum and the
//   leaks.
// - Several columns: a row for each area, a cell for each column. A cell is
//   "77" if all trials passed, "70/77" if 70 of 77 did, and "!70/77" if an
//   outcome or a leak was unexpected. Rows with the sums follow, and for each
//   outcome and leak a row with the counts by column.
//
// An empty cell means that no trial was run.
Grid MakeGrid(absl::Span<const Record> records);

// Formats the table as text with lines of at most `width` characters. A table
// that is too wide is split into blocks of columns. A block omits the rows that
// are empty in it.
std::string FormatGrid(const Grid& grid, int width);

// Formats the table as a Markdown table.
std::string FormatGridMarkdown(const Grid& grid);

// Escapes text for a cell of a Markdown table.
std::string MarkdownCell(absl::string_view text);

// Returns the width of the terminal on standard output: $COLUMNS, or the width
// that the terminal reports. Returns 80 if it is not a terminal.
int TerminalWidth();

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_GRID_H_
