#include "conformance/engine/selection.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "syscalls/testing/nearest.h"

namespace net::conformance {
namespace {

void AppendNameOf(std::string* out, const Column& column) {
  out->append(column.name);
}
void AppendName(std::string* out, const Column* column) {
  AppendNameOf(out, *column);
}

std::vector<std::string> NamesOf(absl::Span<const Column> columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

bool Matches(const std::string& glob, const Case& one) {
  return fnmatch(glob.c_str(), std::string(one.id).c_str(), 0) == 0;
}

// Returns the cases of the columns' tables, each table once.
std::vector<const Case*> CasesOf(absl::Span<const Column* const> columns) {
  std::vector<const Case*> cases;
  std::set<const Case*> tables;
  for (const Column* column : columns) {
    if (!tables.insert(column->cases.data()).second) continue;
    for (const Case& one : column->cases) cases.push_back(&one);
  }
  return cases;
}

// Returns the suggestions for a misspelt glob: the ids, and for each prefix of
// an id that ends at a dot a glob such as "listen.*".
std::vector<std::string> GlobsOf(absl::Span<const Case* const> cases) {
  std::set<std::string> globs;
  for (const Case* one : cases) {
    const std::string id(one->id);
    globs.insert(id);
    for (size_t dot = id.find('.'); dot != std::string::npos;
         dot = id.find('.', dot + 1)) {
      globs.insert(id.substr(0, dot) + ".*");
    }
  }
  return {globs.begin(), globs.end()};
}

bool IsOfTable(const Case* one, absl::Span<const Case> table) {
  return std::any_of(table.begin(), table.end(),
                     [one](const Case& other) { return &other == one; });
}

}  // namespace

absl::StatusOr<std::vector<const Case*>> SelectCases(
    absl::Span<const Column* const> columns,
    absl::Span<const std::string> globs) {
  const std::vector<const Case*> all = CasesOf(columns);
  for (const std::string& glob : globs) {
    if (std::none_of(all.begin(), all.end(),
                     [&](const Case* one) { return Matches(glob, *one); })) {
      return absl::NotFoundError(
          absl::StrCat("no case of ", absl::StrJoin(columns, ", ", AppendName),
                       " matches '", glob, "'", DidYouMean(glob, GlobsOf(all)),
                       "; --list shows the cases"));
    }
  }
  std::vector<const Case*> selected;
  for (const Case* one : all) {
    if (globs.empty() ||
        std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
          return Matches(glob, *one);
        })) {
      selected.push_back(one);
    }
  }
  return selected;
}

const Case* FindCase(absl::Span<const Column> columns, absl::string_view id) {
  for (const Column& column : columns) {
    for (const Case& one : column.cases) {
      if (one.id == id) return &one;
    }
  }
  return nullptr;
}

absl::StatusOr<const Case*> FindNamedCase(absl::Span<const Column> columns,
                                          absl::string_view id) {
  const Case* found = FindCase(columns, id);
  if (found != nullptr) return found;
  std::vector<std::string> ids;
  for (const Column& column : columns) {
    for (const Case& one : column.cases) ids.emplace_back(one.id);
  }
  return absl::NotFoundError(
      absl::StrCat("there is no case '", id, "'", DidYouMean(id, ids)));
}

absl::StatusOr<std::vector<const Column*>> SelectColumns(
    absl::Span<const Column> columns, absl::Span<const std::string> names) {
  for (const std::string& name : names) {
    if (std::none_of(columns.begin(), columns.end(),
                     [&](const Column& one) { return one.name == name; })) {
      return absl::NotFoundError(absl::StrCat(
          "no implementation is named '", name, "'",
          DidYouMean(name, NamesOf(columns)),
          "; there are: ", absl::StrJoin(columns, ", ", AppendNameOf)));
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
      if (!IsOfTable(test_case, column->cases)) continue;
      for (const Axis axis : AxesOf(test_case->axes)) {
        trials.push_back(
            {.test_case = test_case, .axis = axis, .column = column});
      }
    }
  }
  return trials;
}

}  // namespace net::conformance
