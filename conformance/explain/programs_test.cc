// Builds and runs the C programs of --explain.

#include <sys/wait.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/files.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/explain/c_program.h"
#include "conformance/targets/targets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kJobs = 8;

const Target& NetTcp() {
  static const auto& targets = *new std::vector<Target>(MakeTargets({}));
  return targets.front();
}

// Returns a trial for each case whose id matches a glob: the one on IPv4 if it
// runs on both.
std::vector<Trial> TrialsOf(absl::Span<const std::string> globs) {
  const auto cases = SelectCases({&NetTcp()}, globs);
  std::vector<Trial> trials;
  for (const Trial& trial : MakeTrials(*cases, {&NetTcp()})) {
    const bool is_known =
        !trials.empty() && trials.back().test_case == trial.test_case;
    if (!is_known) trials.push_back(trial);
  }
  return trials;
}

std::string PathOf(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/", name);
}

// Builds a program in a file and runs it, with more flags of the compiler.
// Returns its output, or, if the exit status is not `status`, the output after
// a line with the status.
std::string BuildAndRun(const std::string& path, int status,
                        absl::string_view flags = "") {
  const std::string command =
      absl::StrCat("{ cc -O0 -pthread ", flags, " -o ", path, ".out ", path,
                   " && ", path, ".out; } >", path, ".log 2>&1");
  const int ended = std::system(command.c_str());
  std::string log = ReadFile(absl::StrCat(path, ".log")).value_or("");
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == status) return log;
  return absl::StrCat("ended with ", ended, "\n", log);
}

void WriteTo(const std::string& path, absl::string_view text) {
  std::ofstream(path) << text;
}

// Prints how many cases have no program, by reason.
void PrintReasons(absl::Span<const absl::StatusOr<std::string>> programs) {
  std::map<std::string, int> counts;
  for (const absl::StatusOr<std::string>& program : programs) {
    if (program.ok()) {
      ++counts["has a program"];
      continue;
    }
    const absl::string_view message = program.status().message();
    ++counts[std::string(message.substr(0, message.find('\n')))];
  }
  for (const auto& [reason, count] : counts) {
    std::cout << count << " " << reason << "\n";
  }
}

TEST(Programs, OfAllCasesOfNetTcpFindThisKernelAsExpected) {
  const std::vector<Trial> trials = TrialsOf({});
  const std::vector<absl::StatusOr<std::string>> programs =
      ProgramsOf(trials, kJobs);
  PrintReasons(programs);
  std::vector<std::string> failures(trials.size());
  const auto build_some = [&](size_t first, size_t step) {
    for (size_t i = first; i < trials.size(); i += step) {
      if (!programs[i].ok()) continue;
      const std::string path =
          PathOf(absl::StrCat(trials[i].test_case->id, ".c"));
      WriteTo(path, *programs[i]);
      const std::string log = BuildAndRun(path, 0);
      if (!absl::StrContains(log, "All results are as expected.")) {
        failures[i] = absl::StrCat(trials[i].test_case->id, ": ", log);
      }
    }
  };
  // Most of the time is the compiler's.
  const size_t threads = std::max(2U, std::thread::hardware_concurrency());
  std::vector<std::thread> running;
  for (size_t i = 0; i < threads; ++i) {
    running.emplace_back(build_some, i, threads);
  }
  for (std::thread& one : running) one.join();
  std::erase(failures, "");
  EXPECT_THAT(failures, IsEmpty());

  const auto built = std::count_if(programs.begin(), programs.end(),
                                   [](const auto& one) { return one.ok(); });
  EXPECT_GT(built, static_cast<ptrdiff_t>(trials.size() * 3 / 4));
}

TEST(Programs, SayWhatDiffersOnAnotherKernel) {
  const std::vector<Trial> trials =
      TrialsOf({"connect.refused.nothing_listens"});
  const auto program = ProgramsOf(trials, 1).front();
  ASSERT_TRUE(program.ok()) << program.status();
  const std::string path = PathOf("differs.c");
  // A kernel that never refuses, and one that has another errno.
  WriteTo(PathOf("accepts.h"), R"c(
    #define _GNU_SOURCE
    #include <sys/socket.h>
    #define connect(fd, ...) (0)
  )c");
  WriteTo(PathOf("times_out.h"), R"c(
    #define _GNU_SOURCE
    #include <errno.h>
    #include <sys/socket.h>
    #define connect(fd, ...) (errno = ETIMEDOUT, -1)
  )c");
  WriteTo(path, *program);
  EXPECT_THAT(
      BuildAndRun(path, 1, absl::StrCat("-include ", PathOf("accepts.h"))),
      testing::ContainsRegex("line [0-9]+: connect\\(client, .*: expected "
                             "ECONNREFUSED, got success\n$"));
  EXPECT_THAT(
      BuildAndRun(path, 1, absl::StrCat("-include ", PathOf("times_out.h"))),
      HasSubstr(": expected ECONNREFUSED, got ETIMEDOUT\n"));
}

TEST(Programs, ShowTheRequirementAndNameTheSockets) {
  const auto program =
      ProgramsOf(TrialsOf({"connect.refused.nothing_listens"}), 1).front();
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_THAT(*program, HasSubstr("Requirement (must): Connect to an unused"));
  EXPECT_THAT(*program, HasSubstr("Source: connect(2), ECONNREFUSED"));
  EXPECT_THAT(*program,
              HasSubstr("FAILS(ECONNREFUSED, connect(client, V4(\"127.0.0.1\", "
                        "4711)));\n"));
}

TEST(Programs, AreNotMadeForInjectedFaultsWhosePlansAreShown) {
  const auto program = ProgramsOf(TrialsOf({"faults.listen.bind"}), 1).front();
  ASSERT_FALSE(program.ok());
  EXPECT_THAT(program.status().message(), HasSubstr("it injects faults"));
  EXPECT_THAT(program.status().message(),
              HasSubstr("//fakes:trap -- --plan='bind=EADDRINUSE"));
}

}  // namespace
}  // namespace net::conformance
