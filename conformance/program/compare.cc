// Compares two files of records: see kHelp.

#include <unistd.h>

#include <exception>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/files.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report_groups.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/page/records_file.h"
#include "conformance/suite/case.h"
#include "conformance/targets/driver_targets.h"
#include "conformance/targets/targets.h"
#include "nlohmann/json.hpp"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(bool, help, false, "");
ABSL_FLAG(int, rerun, 5, "");
ABSL_FLAG(std::string, driver, "", "");
ABSL_FLAG(bool, driver_stdio, false, "");

namespace net::conformance {
namespace {

using Json = nlohmann::json;

constexpr absl::string_view kHelp =
    R"(Compares two files of records (conformance --records). Prints each outcome or
leak that changed, the messages before and after, and the likely cause:

- the case is new, is gone, or has another requirement
- another version of the implementation
- another kernel or environment
- otherwise runs the trial again: unequal outcomes show that it is flaky

  compare [flags] BEFORE AFTER

  --rerun=N         how often to run a changed trial again (5; 0: never)
  --driver=COMMAND  for running trials again: the driver of the implementation
                    that its hello names, and of any that the tree does not have
  --driver-stdio    use the driver's standard input and output as the channel
  --help            print this and exit

Exit status: 0 no outcome changed, 1 some changed, 2 a usage or harness error.
)";

constexpr int kSame = 0;
constexpr int kChanged = 1;
constexpr int kError = 2;

int Fail(absl::string_view message) {
  std::cerr << "compare: " << message << "\n";
  return kError;
}

// A cell: case, address family and implementation.
using Cell = std::tuple<std::string, std::string, std::string>;

std::string CellName(const Cell& cell) {
  return absl::StrCat(std::get<0>(cell), " ", std::get<1>(cell), " ",
                      std::get<2>(cell));
}

// The records of a run by cell. A cell has several if the run had --repeat.
// NOLINTNEXTLINE(bugprone-exception-escape)
struct Run {
  Json environment;
  std::map<Cell, std::vector<Json>> records;
};

// Returns the ending of a cell: "pass", "pass, leak"; "fail/pass" if its
// records differ.
std::string Outcomes(const std::vector<Json>& records) {
  std::set<std::string> outcomes;
  for (const Json& one : records) {
    const std::string leak = one.value("leak", "");
    outcomes.insert(absl::StrCat(one.at("outcome").get<std::string>(),
                                 leak.empty() ? "" : ", ", leak));
  }
  return absl::StrJoin(outcomes, "/");
}

absl::StatusOr<Run> ReadRun(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(FromCallersFolder(path));
  if (!text.ok()) return text.status();
  absl::StatusOr<RecordsOfRun> parsed = ParseRecords(path, *text);
  if (!parsed.ok()) return parsed.status();
  Run run;
  run.environment = std::move(parsed->environment);
  for (Json& record : parsed->records) {
    run.records[{record.at("case"), record.at("axis"),
                 record.at("implementation")}]
        .push_back(std::move(record));
  }
  return run;
}

// Returns the differences between two environments: "kernel: 6.1 -> 6.2".
std::vector<std::string> Differences(const Json& before, const Json& after,
                                     const std::string& prefix = "") {
  std::set<std::string> names;
  for (const auto& [name, value] : before.items()) names.insert(name);
  for (const auto& [name, value] : after.items()) names.insert(name);
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    const Json old_value = before.value(name, Json());
    const Json new_value = after.value(name, Json());
    if (old_value == new_value) continue;
    if (old_value.is_object() && new_value.is_object()) {
      for (std::string& line :
           Differences(old_value, new_value, absl::StrCat(prefix, name, "."))) {
        lines.push_back(std::move(line));
      }
      continue;
    }
    lines.push_back(absl::StrCat(prefix, name, ": ", old_value.dump(), " -> ",
                                 new_value.dump()));
  }
  return lines;
}

// The targets with which trials can be run again.
class Reruns {
 public:
  Reruns() {
    const std::string command = absl::GetFlag(FLAGS_driver);
    if (!command.empty()) {
      Target driver = MakeDriverTarget(
          "driver",
          {.line = command, .stdio = absl::GetFlag(FLAGS_driver_stdio)}, {});
      NameByGreeting(driver);
      targets_.push_back(std::move(driver));
    }
    for (Target& target : MakeTargets({})) {
      targets_.push_back(std::move(target));
    }
    for (Target& target : DriversOfTheTree({})) {
      targets_.push_back(std::move(target));
    }
    has_driver_ = !command.empty();
  }

  absl::Span<const Target> targets() const { return targets_; }

  // Returns the target of an implementation: that of --driver if it has this
  // name, or if the tree has no target with this name. The error says why there
  // is none.
  absl::StatusOr<const Target*> Find(const std::string& implementation) const {
    for (const Target& one : targets_) {
      if (one.name != implementation) continue;
      if (one.missing.empty()) return &one;
      return absl::UnavailableError(one.missing);
    }
    if (has_driver_) return &targets_.front();
    return absl::NotFoundError(
        "its driver must be given with --driver=COMMAND");
  }

 private:
  std::vector<Target> targets_;
  bool has_driver_ = false;
};

// Runs a cell's trial again, and describes the outcomes.
std::string RunAgain(const Cell& cell, const Reruns& reruns, int times) {
  const auto& [id, family, implementation] = cell;
  const Case* test_case = FindCase(reruns.targets(), id);
  const absl::StatusOr<const Target*> target = reruns.Find(implementation);
  if (!target.ok()) {
    return absl::StrCat("not run again: ", target.status().message());
  }
  if (test_case == nullptr) return "not run again: the case no longer exists";
  const Trial trial = {.test_case = test_case,
                       .family = family == AddressFamilyName(AddressFamily::kV6)
                                     ? AddressFamily::kV6
                                     : AddressFamily::kV4,
                       .target = *target};
  std::map<std::string, int> outcomes;
  RunTrials(
      std::vector<Trial>(static_cast<size_t>(times), trial), {},
      [&](const Record& record) { ++outcomes[EndingName(record.verdict)]; });
  const auto append = [](std::string* out, const auto& outcome) {
    absl::StrAppend(out, outcome.first, " ", outcome.second, " times");
  };
  return absl::StrCat(
      outcomes.size() > 1 ? "flaky" : "stable",
      " when run again: ", absl::StrJoin(outcomes, ", ", append));
}

// Returns the different messages of a cell under a heading; "" if there are
// none.
std::string Messages(absl::string_view heading,
                     const std::vector<Json>& records) {
  std::set<std::string> messages;
  for (const Json& one : records) {
    messages.insert(ShortMessage(one.value("message", "")));
  }
  messages.erase("");
  std::string text;
  for (const std::string& message : messages) {
    absl::StrAppend(&text, "  ", heading, ":\n    ",
                    absl::StrReplaceAll(message, {{"\n", "\n    "}}), "\n");
  }
  return text;
}

// Returns the likely cause of a changed outcome.
std::string Explain(const Cell& cell, const std::vector<Json>& before,
                    const std::vector<Json>& after,
                    const std::vector<std::string>& differences,
                    const Reruns& reruns) {
  if (before.front().value("requirement", "") !=
      after.front().value("requirement", "")) {
    return "the case has another requirement now";
  }
  const std::string old_version = before.front().value("version", "");
  const std::string new_version = after.front().value("version", "");
  // A trial that ended before hello has no version.
  if (!old_version.empty() && !new_version.empty() &&
      old_version != new_version) {
    return absl::StrCat("the implementation's version: ", old_version, " -> ",
                        new_version);
  }
  if (!differences.empty()) {
    return absl::StrCat("possibly the environment: ",
                        absl::StrJoin(differences, "; "));
  }
  const int times = absl::GetFlag(FLAGS_rerun);
  if (times == 0) return "no other recorded value has changed";
  return RunAgain(cell, reruns, times);
}

int Compare(const Run& before, const Run& after) {
  const std::vector<std::string> differences =
      Differences(before.environment, after.environment);
  for (const std::string& line : differences) {
    std::cout << "environment: " << line << "\n";
  }
  const Reruns reruns;
  std::set<Cell> cells;
  for (const auto& [cell, records] : before.records) cells.insert(cell);
  for (const auto& [cell, records] : after.records) cells.insert(cell);
  int changed = 0;
  for (const Cell& cell : cells) {
    const auto was = before.records.find(cell);
    const auto is = after.records.find(cell);
    if (was == before.records.end()) {
      std::cout << CellName(cell) << ": new, " << Outcomes(is->second) << "\n";
    } else if (is == after.records.end()) {
      std::cout << CellName(cell) << ": gone, was " << Outcomes(was->second)
                << "\n";
    } else if (Outcomes(was->second) == Outcomes(is->second)) {
      continue;
    } else {
      std::cout << CellName(cell) << ": " << Outcomes(was->second) << " -> "
                << Outcomes(is->second) << "; "
                << Explain(cell, was->second, is->second, differences, reruns)
                << std::endl
                << Messages("before", was->second)
                << Messages("after", is->second);
    }
    ++changed;
  }
  std::cout << cells.size() << " cells, " << changed << " changed\n";
  return changed == 0 ? kSame : kChanged;
}

int Main(int argc, char** argv) {
  std::vector<char*> flags;
  std::vector<std::string> files;
  for (char* const argument :
       absl::MakeConstSpan(argv, static_cast<size_t>(argc)).subspan(1)) {
    if (absl::StartsWith(argument, "--")) {
      flags.push_back(argument);
    } else {
      files.emplace_back(argument);
    }
  }
  if (const absl::Status parsed = ParseFlags(flags); !parsed.ok()) {
    return Fail(absl::StrCat(parsed.message(), " (--help shows the flags)"));
  }
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return kSame;
  }
  if (files.size() != 2) {
    return Fail("needs two files of records (--help shows the flags)");
  }
  if (absl::GetFlag(FLAGS_rerun) < 0)
    return Fail("--rerun: must be at least 0");
  if (absl::GetFlag(FLAGS_driver_stdio) &&
      absl::GetFlag(FLAGS_driver).empty()) {
    return Fail("--driver-stdio: needs --driver");
  }
  // File names in --driver are relative to the caller's folder.
  if (!absl::GetFlag(FLAGS_driver).empty() &&
      chdir(FromCallersFolder(".").c_str()) != 0) {
    return Fail("cannot change to the caller's working directory");
  }
  const absl::StatusOr<Run> before = ReadRun(files[0]);
  if (!before.ok()) return Fail(before.status().message());
  const absl::StatusOr<Run> after = ReadRun(files[1]);
  if (!after.ok()) return Fail(after.status().message());
  return Compare(*before, *after);
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  try {
    return net::conformance::Main(argc, argv);
  } catch (const std::exception& e) {
    return net::conformance::Fail(e.what());
  }
}
