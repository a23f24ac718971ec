#include "conformance/engine/selection.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "conformance/case.h"
#include "conformance/engine/trial.h"

namespace net::conformance {
namespace {

bool Matches(const std::string& glob, const Case& one) {
  return fnmatch(glob.c_str(), std::string(one.id).c_str(), 0) == 0;
}

}  // namespace

absl::StatusOr<std::vector<const Case*>> SelectCases(
    absl::Span<const Case> all, absl::Span<const std::string> globs) {
  for (const std::string& glob : globs) {
    if (std::none_of(all.begin(), all.end(),
                     [&](const Case& one) { return Matches(glob, one); })) {
      return absl::NotFoundError(
          absl::StrCat("no case matches '", glob, "'; --list shows the cases"));
    }
  }
  std::vector<const Case*> selected;
  for (const Case& one : all) {
    if (globs.empty() ||
        std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
          return Matches(glob, one);
        })) {
      selected.push_back(&one);
    }
  }
  return selected;
}

absl::StatusOr<std::vector<const Column*>> SelectColumns(
    absl::Span<const Column> columns, absl::Span<const std::string> names) {
  for (const std::string& name : names) {
    if (std::none_of(columns.begin(), columns.end(),
                     [&](const Column& one) { return one.name == name; })) {
      const auto append_name = [](std::string* out, const Column& column) {
        out->append(column.name);
      };
      return absl::NotFoundError(absl::StrCat(
          "no implementation is named '", name,
          "'; there are: ", absl::StrJoin(columns, ", ", append_name)));
    }
  }
  std::vector<const Column*> selected;
  for (const Column& one : columns) {
    if (names.empty() ||
        std::find(names.begin(), names.end(), one.name) != names.end()) {
      selected.push_back(&one);
    }
  }
  return selected;
}

std::vector<Trial> MakeTrials(absl::Span<const Case* const> cases,
                              absl::Span<const Column* const> columns) {
  std::vector<Trial> trials;
  for (const Column* column : columns) {
    for (const Case* test_case : cases) {
      for (const Axis axis : AxesOf(test_case->axes)) {
        trials.push_back(
            {.test_case = test_case, .axis = axis, .column = column});
      }
    }
  }
  return trials;
}

}  // namespace net::conformance
