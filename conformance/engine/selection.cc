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

void AppendNameOf(std::string* out, const Target& target) {
  out->append(target.name);
}
void AppendName(std::string* out, const Target* target) {
  AppendNameOf(out, *target);
}

std::vector<std::string> NamesOf(absl::Span<const Target> targets) {
  std::vector<std::string> names;
  for (const Target& target : targets) names.push_back(target.name);
  return names;
}

bool Matches(const std::string& glob, const Case& one) {
  return fnmatch(glob.c_str(), std::string(one.id).c_str(), 0) == 0;
}

// Returns the cases of the targets' tables, each table once.
std::vector<const Case*> CasesOf(absl::Span<const Target* const> targets) {
  std::vector<const Case*> cases;
  std::set<const Case*> tables;
  for (const Target* target : targets) {
    if (!tables.insert(target->cases.data()).second) continue;
    for (const Case& one : target->cases) cases.push_back(&one);
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
    absl::Span<const Target* const> targets,
    absl::Span<const std::string> globs) {
  const std::vector<const Case*> all = CasesOf(targets);
  for (const std::string& glob : globs) {
    if (std::none_of(all.begin(), all.end(),
                     [&](const Case* one) { return Matches(glob, *one); })) {
      return absl::NotFoundError(
          absl::StrCat("no case of ", absl::StrJoin(targets, ", ", AppendName),
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

const Case* FindCase(absl::Span<const Target> targets, absl::string_view id) {
  for (const Target& target : targets) {
    for (const Case& one : target.cases) {
      if (one.id == id) return &one;
    }
  }
  return nullptr;
}

absl::StatusOr<const Case*> FindNamedCase(absl::Span<const Target> targets,
                                          absl::string_view id) {
  const Case* found = FindCase(targets, id);
  if (found != nullptr) return found;
  std::vector<std::string> ids;
  for (const Target& target : targets) {
    for (const Case& one : target.cases) ids.emplace_back(one.id);
  }
  return absl::NotFoundError(
      absl::StrCat("there is no case '", id, "'", DidYouMean(id, ids)));
}

absl::StatusOr<std::vector<const Target*>> SelectTargets(
    absl::Span<const Target> targets, absl::Span<const std::string> names) {
  for (const std::string& name : names) {
    if (std::none_of(targets.begin(), targets.end(),
                     [&](const Target& one) { return one.name == name; })) {
      return absl::NotFoundError(absl::StrCat(
          "no implementation is named '", name, "'",
          DidYouMean(name, NamesOf(targets)),
          "; there are: ", absl::StrJoin(targets, ", ", AppendNameOf)));
    }
  }
  std::vector<const Target*> selected;
  for (const Target& one : targets) {
    if (names.empty() ||
        std::find(names.begin(), names.end(), one.name) != names.end()) {
      selected.push_back(&one);
    }
  }
  return selected;
}

std::vector<Trial> MakeTrials(absl::Span<const Case* const> cases,
                              absl::Span<const Target* const> targets) {
  std::vector<Trial> trials;
  for (const Target* target : targets) {
    for (const Case* test_case : cases) {
      if (!IsOfTable(test_case, target->cases)) continue;
      for (const AddressFamily family :
           AddressFamiliesOf(test_case->families)) {
        trials.push_back(
            {.test_case = test_case, .family = family, .target = target});
      }
    }
  }
  return trials;
}

}  // namespace net::conformance
