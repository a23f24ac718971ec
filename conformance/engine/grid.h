#ifndef CONFORMANCE_ENGINE_GRID_H_
#define CONFORMANCE_ENGINE_GRID_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// The table of a report, in any format: a heading and rows of as many cells,
// of which the first is the row's name.
struct Grid {
  std::vector<std::string> heading;
  std::vector<std::vector<std::string>> rows = {};
};

// Counts the outcomes and leaks of each subject (SubjectOf()). Of one column:
// subjects by outcomes, their sum, and leaks. Of several: subjects by columns,
// with how many passed of how many ("70/77"; "77" if all did; "!70/77" if an
// outcome or a leak was unexpected); then the sums, and for each outcome and
// leak how often each column had it. An empty cell means that no such trial was
// run.
Grid MakeGrid(absl::Span<const Record> records);

// As text of at most `width` characters a line: in blocks of columns if need
// be, each without the rows in which it has nothing.
std::string FormatGrid(const Grid& grid, int width);

// As a table of Markdown.
std::string FormatGridMarkdown(const Grid& grid);

// Text for a cell of a Markdown table.
std::string MarkdownCell(absl::string_view text);

// The width of the terminal that standard output is: $COLUMNS, or what the
// terminal reports; 80 if it is none.
int TerminalWidth();

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_GRID_H_
