// The program //conformance/mutants: see kHelp.

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/files.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/progress.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/runner.h"
#include "conformance/explain/killed_mutants.h"
#include "conformance/mutants/examination.h"
#include "conformance/mutants/killed_mutants.h"
#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/suite/case.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(bool, help, false, "");
ABSL_FLAG(bool, list, false, "");
ABSL_FLAG(std::string, killed, "", "");
ABSL_FLAG(std::vector<std::string>, mutants, {"*"}, "");
ABSL_FLAG(bool, all_cases, false, "");
ABSL_FLAG(std::vector<std::string>, cases, {"*"}, "");
ABSL_FLAG(bool, blind, false, "");
ABSL_FLAG(bool, linux, false, "");
ABSL_FLAG(bool, harmless, true, "");
ABSL_FLAG(bool, verbose, false, "");
ABSL_FLAG(int, jobs, net::conformance::DefaultJobs(), "");

namespace net::conformance {
namespace {

constexpr absl::string_view kHelp =
    R"(Tests the conformance suite: does it find the bugs that socket layers had, and
accept what is harmless? Each bug is a mutation of the system calls below
net::tcp, or of the calls of the cases for kernels.

  mutants [flags]

  --mutants=GLOB,...  only these bugs and harmless variants: --mutants='close_*'
  --list              print what they are, where the bugs were reported, and exit
  --all-cases         run all cases on each bug, not only those that must find it,
                      and print all that find it; the others run on one address
                      family
  --cases=GLOB,...    of all cases, only these
  --killed=FILE       update the list of bugs and the cases that found them:
                      conformance/explain/killed_mutants.txt; needs --all-cases
  --blind             also count the bugs that are found by cases which existed,
                      as they are, before there was a museum: those of
                      frozen_cases.txt whose source has the same hash
  --linux             run on this machine's kernel, not on the FakeKernel
  --noharmless        leave out the harmless variants, which all cases examine
  --jobs=N            run N trials at a time (twice the processors, at least 16;
                      8 on one processor)
  --verbose           print what each case found
  --help              print this and exit

In the table, a case stands for each bug that finds it, with the time of its
trial. A case that must find a bug and does not is marked by "!".

Exit status: 0 all bugs were found by each of their cases and nothing harmless
was, 1 something else, 2 a usage or harness error. --blind does not change it.
)";

constexpr int kAsExpected = 0;
constexpr int kUnexpected = 1;
constexpr int kError = 2;

bool Matches(const std::vector<std::string>& globs, absl::string_view name) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), std::string(name).c_str(), 0) == 0;
  });
}

bool IsSelected(absl::string_view name) {
  return Matches(absl::GetFlag(FLAGS_mutants), name);
}

std::vector<const Mutant*> SelectedBugs() {
  std::vector<const Mutant*> bugs;
  for (const auto* part : {&RealBugs(), &OwnBugs()}) {
    for (const Mutant& one : *part) {
      if (IsSelected(one.name)) bugs.push_back(&one);
    }
  }
  return bugs;
}

std::string SourceOf(const Mutant& bug) {
  return bug.report.year == 0
             ? "own"
             : absl::StrCat(bug.report.project, ", ", bug.report.year);
}

int List(absl::Span<const Mutant* const> bugs) {
  for (const Mutant* bug : bugs) {
    std::cout << bug->name << "\n  mistake:  " << bug->mistake
              << "\n  family:   " << bug->family << "\n";
    if (bug->report.year != 0) {
      std::cout << "  source:   " << SourceOf(*bug) << "\n            "
                << bug->report.link << "\n  noticed:  " << bug->report.noticed
                << "\n";
    }
    std::cout << "  found by: " << absl::StrJoin(bug->killers, ", ") << "\n";
  }
  for (const HarmlessVariant& one : HarmlessVariants()) {
    if (!IsSelected(one.name)) continue;
    std::cout << one.name << " (harmless)\n  " << one.description << "\n";
  }
  return kAsExpected;
}

// Returns the ids of the cases that are in frozen_cases.txt with the hash of
// their present source.
absl::StatusOr<std::set<std::string>> UnchangedSinceFrozen() {
  std::set<std::string> lines[2];
  const char* const names[2] = {"frozen_cases.txt", "current_cases.txt"};
  for (int i = 0; i < 2; ++i) {
    const std::string path = absl::StrCat("conformance/mutants/", names[i]);
    const auto found = FindRunfile(path);
    if (!found.has_value()) {
      return absl::NotFoundError(absl::StrCat(path, ": not found"));
    }
    const absl::StatusOr<std::string> text = ReadFile(*found);
    if (!text.ok()) return text.status();
    for (absl::string_view line : absl::StrSplit(*text, '\n')) {
      if (!line.empty() && line.front() != '#') lines[i].emplace(line);
    }
  }
  std::set<std::string> ids;
  for (const std::string& line : lines[1]) {
    if (lines[0].contains(line)) ids.insert(line.substr(0, line.find(' ')));
  }
  return ids;
}

// Examines exhibits, and prints how far it is.
std::vector<std::vector<Finding>> ExamineAll(
    absl::Span<const Exhibit> exhibits) {
  Progress progress(TrialsOf(exhibits), isatty(STDOUT_FILENO) != 0, std::cout);
  auto findings = Examine(
      exhibits,
      {.on_linux = absl::GetFlag(FLAGS_linux),
       .jobs = absl::GetFlag(FLAGS_jobs)},
      [&](const Record& record) {
        // What a case finds in a bug is expected.
        Record counted = record;
        if (record.trial.may_hang &&
            record.verdict.outcome != Outcome::kHarnessError) {
          counted.verdict = {};
        }
        progress.Count(counted);
      },
      [&] { progress.Tick(); });
  progress.Clear();
  return findings;
}

// The results of the program.
struct Score {
  int killed = 0;
  int survived = 0;
  int blind = 0;   // killed by unchanged frozen cases
  int misses = 0;  // cases that should have found a bug
  int harmless = 0;
  int raised = 0;         // harmless variants in which a case found something
  int broken_intact = 0;  // cases that found something in what is intact
  int harness_errors = 0;
};

void PrintMessage(const Finding& finding) {
  if (!absl::GetFlag(FLAGS_verbose)) return;
  for (absl::string_view line : absl::StrSplit(finding.message, '\n')) {
    std::cout << "      " << line << "\n";
  }
}

void PrintBug(const Mutant& bug, absl::Span<const Finding> findings,
              const std::set<std::string>& unchanged, Score& score) {
  std::string label = std::string(bug.name);
  std::string source = SourceOf(bug);
  bool is_killed = false;
  bool is_killed_blind = false;
  for (const Finding& finding : findings) {
    const absl::string_view id = finding.test_case->id;
    const bool must_find = std::find(bug.killers.begin(), bug.killers.end(),
                                     id) != bug.killers.end();
    if (!finding.harness_error.empty()) {
      ++score.harness_errors;
      std::cout << "harness error, " << id << ": " << finding.harness_error
                << "\n";
    }
    if (!finding.found && !must_find) continue;
    is_killed |= finding.found;
    is_killed_blind |= finding.found && unchanged.contains(std::string(id));
    if (!finding.found) ++score.misses;
    std::cout << absl::StreamFormat(
        "%-40s %-26s %s %s, %s\n", label, source, finding.found ? " " : "!", id,
        finding.found
            ? absl::StrCat(finding.families, ", ", finding.milliseconds, " ms")
            : "did not find it");
    PrintMessage(finding);
    label.clear();
    source.clear();
  }
  if (!is_killed) {
    std::cout << absl::StreamFormat("%-40s %-26s ! SURVIVED\n", label, source);
  }
  ++(is_killed ? score.killed : score.survived);
  if (is_killed_blind) ++score.blind;
}

// Prints what cases found in something that is no bug, and returns how much.
int PrintRaised(absl::string_view name, absl::Span<const Finding> findings) {
  int raised = 0;
  for (const Finding& finding : findings) {
    if (!finding.found && finding.harness_error.empty()) continue;
    ++raised;
    std::cout << absl::StreamFormat("%-40s %-26s ! %s, %s\n", name, "harmless",
                                    finding.test_case->id, finding.families);
    PrintMessage(finding);
  }
  return raised;
}

const Mutation& NoMutation() {
  static const auto& none = *new Mutation(
      [](Invocation&, auto make, Syscalls&) -> SysResult { return make(); });
  return none;
}

// Updates the file of --killed with what the cases found in these bugs.
absl::Status UpdateKilled(absl::Span<const Mutant* const> bugs,
                          absl::Span<const std::vector<Finding>> findings) {
  const std::string path = FromCallersFolder(absl::GetFlag(FLAGS_killed));
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
  const auto before = ParseKilledMutants(text.value_or(""));
  if (!before.ok()) return before.status();
  std::vector<KilledMutant> all;
  for (const auto* part : {&RealBugs(), &OwnBugs()}) {
    for (const Mutant& bug : *part) {
      const auto old =
          std::find_if(before->begin(), before->end(),
                       [&](const auto& one) { return one.name == bug.name; });
      const auto killers = old == before->end()
                               ? std::vector<KilledMutant::Killer>()
                               : old->killers;
      const auto place = std::find(bugs.begin(), bugs.end(), &bug);
      if (place != bugs.end()) {
        all.push_back(Killed(
            bug, findings[static_cast<size_t>(place - bugs.begin())], killers));
      } else if (old != before->end()) {
        all.push_back(Killed(bug, {}, killers));
      }
    }
  }
  return WriteFile(path, KilledMutantsText(all));
}

// Examines the bugs; and what is intact by the cases that found them.
absl::Status ExamineBugs(absl::Span<const Mutant* const> bugs,
                         const std::set<std::string>& unchanged, Score& score) {
  std::vector<Exhibit> exhibits;
  std::set<const Case*> used[2];
  for (const Mutant* bug : bugs) {
    Exhibit exhibit = {
        .name = bug->name, .mutation = &bug->mutation, .layer = bug->layer};
    for (const absl::string_view id : bug->killers) {
      exhibit.cases.push_back(FindCaseOf(bug->layer, id));
    }
    std::set<const Case*>& seen = used[bug->layer == Layer::kKernel];
    seen.insert(exhibit.cases.begin(), exhibit.cases.end());
    if (absl::GetFlag(FLAGS_all_cases)) {
      exhibit.others = CasesBeside(*bug);
      std::erase_if(exhibit.others, [](const Case* one) {
        return !Matches(absl::GetFlag(FLAGS_cases), one->id);
      });
      seen.insert(exhibit.others.begin(), exhibit.others.end());
    }
    exhibits.push_back(std::move(exhibit));
  }
  for (const Layer layer : {Layer::kLibrary, Layer::kKernel}) {
    const auto& cases = used[layer == Layer::kKernel];
    exhibits.push_back({.name = "intact",
                        .mutation = &NoMutation(),
                        .layer = layer,
                        .cases = {cases.begin(), cases.end()},
                        .is_bug = false});
  }
  const auto findings = ExamineAll(exhibits);
  for (size_t i = 0; i < bugs.size(); ++i) {
    PrintBug(*bugs[i], findings[i], unchanged, score);
  }
  for (size_t i = bugs.size(); i < exhibits.size(); ++i) {
    score.broken_intact += PrintRaised("intact", findings[i]);
  }
  return absl::GetFlag(FLAGS_killed).empty() ? absl::OkStatus()
                                             : UpdateKilled(bugs, findings);
}

void ExamineHarmless(Score& score) {
  std::vector<Exhibit> exhibits;
  for (const HarmlessVariant& one : HarmlessVariants()) {
    if (!IsSelected(one.name)) continue;
    exhibits.push_back({.name = one.name,
                        .mutation = &one.mutation,
                        .cases = CasesFor(one),
                        .is_bug = false});
  }
  const auto findings = ExamineAll(exhibits);
  for (size_t i = 0; i < exhibits.size(); ++i) {
    ++score.harmless;
    if (PrintRaised(exhibits[i].name, findings[i]) > 0) ++score.raised;
  }
}

int Run(absl::Span<const Mutant* const> bugs) {
  std::set<std::string> unchanged;
  if (absl::GetFlag(FLAGS_blind)) {
    auto ids = UnchangedSinceFrozen();
    if (!ids.ok()) {
      std::cerr << ids.status().message() << "\n";
      return kError;
    }
    unchanged = *std::move(ids);
  }
  Score score;
  if (const absl::Status status = ExamineBugs(bugs, unchanged, score);
      !status.ok()) {
    std::cerr << "--killed: " << status.message() << "\n";
    return kError;
  }
  if (absl::GetFlag(FLAGS_harmless)) ExamineHarmless(score);
  const auto real =
      std::count_if(bugs.begin(), bugs.end(),
                    [](const Mutant* bug) { return bug->report.year != 0; });
  std::cout << "\n"
            << bugs.size() << " bugs (" << real << " real): " << score.killed
            << " killed, " << score.survived << " survived, " << score.misses
            << " misses. " << score.harmless
            << " harmless variants: " << score.raised
            << " raised. Intact: " << score.broken_intact << " raised. "
            << score.harness_errors << " harness errors.\n";
  if (absl::GetFlag(FLAGS_blind)) {
    std::cout << "Blind score: " << score.blind << "/" << bugs.size()
              << " killed by cases that were there before the museum and are "
                 "unchanged ("
              << unchanged.size() << " cases).\n";
  }
  if (score.harness_errors > 0) return kError;
  return score.survived + score.misses + score.raised + score.broken_intact == 0
             ? kAsExpected
             : kUnexpected;
}

int Main(int argc, char** argv) {
  const absl::Status parsed = ParseFlags(
      absl::MakeConstSpan(argv, static_cast<size_t>(argc)).subspan(1));
  if (!parsed.ok()) {
    std::cerr << parsed.message() << " (--help shows the flags)\n";
    return kError;
  }
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return kAsExpected;
  }
  const std::vector<const Mutant*> bugs = SelectedBugs();
  const bool has_harmless = std::any_of(
      HarmlessVariants().begin(), HarmlessVariants().end(),
      [](const HarmlessVariant& one) { return IsSelected(one.name); });
  if (bugs.empty() && !has_harmless) {
    std::cerr << "--mutants: nothing has such a name (--list shows all)\n";
    return kError;
  }
  if (!absl::GetFlag(FLAGS_killed).empty() && !absl::GetFlag(FLAGS_all_cases)) {
    std::cerr << "--killed: needs --all-cases\n";
    return kError;
  }
  return absl::GetFlag(FLAGS_list) ? List(bugs) : Run(bugs);
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  try {
    return net::conformance::Main(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return net::conformance::kError;
  }
}
