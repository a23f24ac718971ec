#include "conformance/explain/merged_runs.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "conformance/explain/c_call.h"

namespace net::conformance {
namespace {

// Returns a line without the numbers of variables: the same for the same call
// on "client" and on "client2".
std::string ShapeOf(absl::string_view line) {
  std::string shape;
  for (const char c : line) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) shape += c;
  }
  return shape;
}

// The checks of two runs, by the shape of their calls and the place after the
// call.
struct Counts {
  int same = 0;
  int different = 0;
};
std::map<std::pair<std::string, int>, Counts> CountChecks(
    const std::vector<Statement>& one, const std::vector<Statement>& other) {
  std::map<std::pair<std::string, int>, Counts> counts;
  std::pair<std::string, int> check;
  for (size_t i = 0; i < one.size(); ++i) {
    if (!one[i].without_value.empty()) {
      check = {ShapeOf(one[i].without_value), 0};
      continue;
    }
    ++check.second;
    if (one[i].line == other[i].line) {
      ++counts[check].same;
    } else {
      ++counts[check].different;
    }
  }
  return counts;
}

}  // namespace

absl::Status RunsDiffer() {
  return absl::UnimplementedError(
      "its calls or their results differ from run to run");
}

absl::StatusOr<std::vector<std::string>> MergeRuns(
    const std::vector<Statement>& one, const std::vector<Statement>& other) {
  if (one.size() != other.size()) return RunsDiffer();
  // If a value differs in some places and not in others, then it may have been
  // the same there by chance.
  for (const auto& [check, count] : CountChecks(one, other)) {
    if (count.same > 0 && count.different > 0) return RunsDiffer();
  }
  std::vector<std::string> lines;
  for (size_t i = 0; i < one.size(); ++i) {
    if (one[i].line == other[i].line) {
      lines.push_back(one[i].line);
    } else if (one[i].without_value == other[i].without_value) {
      // A check that tests nothing without its value is left out. A call is
      // kept.
      if (!one[i].without_value.empty()) lines.push_back(one[i].without_value);
    } else {
      return RunsDiffer();
    }
  }
  return lines;
}

}  // namespace net::conformance
