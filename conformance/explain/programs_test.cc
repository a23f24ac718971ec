// Builds and runs the C programs of --explain.

#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/engine/files.h"
#include "conformance/engine/runner.h"
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

const Target& FindTarget(absl::string_view name) {
  static const auto& targets = *new std::vector<Target>(MakeTargets({}));
  return *std::find_if(targets.begin(), targets.end(),
                       [&](const Target& one) { return one.name == name; });
}

// Returns a trial of a target for each case whose id matches a glob: the one on
// IPv4 if it runs on both.
std::vector<Trial> TrialsOf(absl::string_view target,
                            absl::Span<const std::string> globs) {
  const Target* const selected = &FindTarget(target);
  const auto cases = SelectCases({selected}, globs);
  std::vector<Trial> trials;
  for (const Trial& trial : MakeTrials(*cases, {selected})) {
    const bool is_known =
        !trials.empty() && trials.back().test_case == trial.test_case;
    if (!is_known) trials.push_back(trial);
  }
  return trials;
}

std::string PathOf(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/", name);
}

void WriteTo(const std::string& path, absl::string_view text) {
  std::ofstream(path) << text;
}

// Runs a command of the shell. Returns its output, or, if the exit status is
// not `status`, the output after a line with the status. `name` is that of the
// file for the output.
std::string OutputOf(absl::string_view command, absl::string_view name,
                     int status) {
  const std::string log = PathOf(absl::StrCat(name, ".log"));
  const int ended =
      std::system(absl::StrCat("{ ", command, "; } >", log, " 2>&1").c_str());
  std::string text = ReadFile(log).value_or("");
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == status) return text;
  return absl::StrCat("ended with ", ended, "\n", text);
}

// Calls `act` with each number below `count`, in `threads` threads.
void InThreads(size_t threads, size_t count,
               const std::function<void(size_t)>& act) {
  std::atomic<size_t> next = 0;
  std::vector<std::thread> running;
  for (size_t i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (size_t one = next++; one < count; one = next++) act(one);
    });
  }
  for (std::thread& one : running) one.join();
}

// ---- One file of many programs ----------------------------------------------

// Returns the last name before the first of some characters.
absl::string_view NameBefore(absl::string_view line, absl::string_view ends) {
  line = absl::StripTrailingAsciiWhitespace(
      line.substr(0, line.find_first_of(ends)));
  size_t begin = line.size();
  while (begin > 0 &&
         (absl::ascii_isalnum(static_cast<unsigned char>(line[begin - 1])) ||
          line[begin - 1] == '_')) {
    --begin;
  }
  return line.substr(begin);
}

// Returns the names that a program defines outside of functions, apart from
// macros. Not "events", which is also a member of structs: its definition is
// the same in all programs.
std::set<std::string> NamesDefinedIn(absl::string_view program) {
  std::set<std::string> names;
  for (absl::string_view line : absl::StrSplit(program, '\n')) {
    absl::string_view name;
    if (absl::StartsWith(line, "static ") ||
        absl::StartsWith(line, "int main(")) {
      name = NameBefore(line, "([;=");
    } else if (absl::StartsWith(line, "struct ") && absl::EndsWith(line, "{")) {
      name = NameBefore(line, "{");
    } else if (absl::ConsumePrefix(&line, "BLOCKED(")) {
      name = NameBefore(line, ",");
      names.insert(absl::StrCat("run_", name));
    }
    if (!absl::StartsWith(name, "events")) names.emplace(name);
  }
  names.erase("");
  return names;
}

// A program in a file.
struct Program {
  std::string id;
  std::string path;
  std::string text;
};

// Returns a C program of programs: its argument is the place of the one to run.
// Each has names of its own, so one run of the compiler builds them all, and
// reads the headers once.
std::string Compose(absl::Span<const Program> programs) {
  std::string text = "#define _GNU_SOURCE\n";
  for (const absl::string_view line :
       absl::StrSplit(programs.front().text, '\n')) {
    if (absl::StartsWith(line, "#include")) absl::StrAppend(&text, line, "\n");
  }
  std::string cases;
  for (size_t i = 0; i < programs.size(); ++i) {
    const std::set<std::string> names = NamesDefinedIn(programs[i].text);
    for (const std::string& name : names) {
      absl::StrAppend(&text, "#define ", name, " p", i, "_", name, "\n");
    }
    absl::StrAppend(&text, "#include \"", programs[i].path, "\"\n");
    for (const std::string& name : names) {
      absl::StrAppend(&text, "#undef ", name, "\n");
    }
    absl::StrAppend(&cases, "    case ", i, ": return p", i, "_main();\n");
  }
  return absl::StrCat(text, "int main(int argc, char **argv) {\n",
                      "  switch (argc > 1 ? atoi(argv[1]) : -1) {\n", cases,
                      "  }\n  return 2;\n}\n");
}

// Builds and runs programs. Returns a line for each that does not find what it
// expects.
std::vector<std::string> FailuresOf(absl::Span<const Program> programs,
                                    absl::string_view name) {
  const size_t files = std::max(2U, std::thread::hardware_concurrency());
  const size_t in_file = (programs.size() + files - 1) / files;
  const auto binary_of = [&](size_t file) {
    return PathOf(absl::StrCat(name, file));
  };
  std::vector<std::string> failures(files + programs.size());
  InThreads(files, files, [&](size_t file) {
    const auto some =
        programs.subspan(std::min(file * in_file, programs.size()), in_file);
    if (some.empty()) return;
    const std::string binary = binary_of(file);
    WriteTo(binary + ".c", Compose(some));
    const std::string messages =
        OutputOf(absl::StrCat("cc -O0 -pthread -o ", binary, " ", binary, ".c"),
                 absl::StrCat(name, file), 0);
    if (absl::StartsWith(messages, "ended with ")) failures[file] = messages;
  });
  // Most of them wait.
  InThreads(static_cast<size_t>(DefaultJobs()), programs.size(), [&](size_t i) {
    const std::string& id = programs[i].id;
    const std::string output =
        OutputOf(absl::StrCat(binary_of(i / in_file), " ", i % in_file), id, 0);
    if (!absl::StrContains(output, "All results are as expected.")) {
      failures[files + i] = absl::StrCat(id, ": ", output);
    }
  });
  std::erase(failures, "");
  return failures;
}

// ---- Tests ------------------------------------------------------------------

// Returns whether no C program can show the trial, and its case is in order.
bool IsReason(const absl::Status& status) {
  return absl::IsUnimplemented(status) ||
         absl::StartsWith(status.message(), "precondition: ");
}

class Programs : public testing::TestWithParam<std::string> {};

TEST_P(Programs, OfAllCasesFindThisKernelAsExpected) {
  const std::vector<Trial> trials = TrialsOf(GetParam(), {});
  const std::vector<absl::StatusOr<std::string>> texts =
      ProgramsOf(trials, DefaultJobs());
  std::vector<Program> programs;
  std::map<std::string, int> reasons;
  std::vector<std::string> errors;
  for (size_t i = 0; i < trials.size(); ++i) {
    const std::string id(trials[i].test_case->id);
    if (texts[i].ok()) {
      programs.push_back(
          {.id = id, .path = PathOf(id + ".c"), .text = *texts[i]});
      WriteTo(programs.back().path, programs.back().text);
      continue;
    }
    const absl::string_view message = texts[i].status().message();
    ++reasons[std::string(message.substr(0, message.find('\n')))];
    if (!IsReason(texts[i].status())) {
      errors.push_back(absl::StrCat(id, ": ", message));
    }
  }
  std::cout << programs.size() << " programs of " << trials.size()
            << " cases\n";
  for (const auto& [reason, count] : reasons) {
    std::cout << count << " " << reason << "\n";
  }
  EXPECT_THAT(errors, IsEmpty());
  ASSERT_GT(programs.size(), trials.size() * 3 / 4);
  EXPECT_THAT(FailuresOf(programs, GetParam()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Targets, Programs, testing::Values("net_tcp", "linux"),
                         [](const auto& test) { return test.param; });

// Builds the program in a file and runs it, with more flags of the compiler.
// See OutputOf().
std::string BuildAndRun(const std::string& path, int status,
                        absl::string_view flags) {
  return OutputOf(absl::StrCat("cc -O0 -pthread ", flags, " -o ", path, ".out ",
                               path, " && ", path, ".out"),
                  "alone", status);
}

absl::StatusOr<std::string> ProgramOf(absl::string_view target,
                                      const std::string& id) {
  return ProgramsOf(TrialsOf(target, {id}), 1).front();
}

TEST(ProgramTest, SaysWhatDiffersOnAnotherKernel) {
  const auto program = ProgramOf("net_tcp", "connect.refused.nothing_listens");
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

TEST(ProgramTest, ShowsTheRequirementAndNamesTheSockets) {
  const auto program = ProgramOf("net_tcp", "connect.refused.nothing_listens");
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_THAT(*program, HasSubstr("Requirement (must): Connect to an unused"));
  EXPECT_THAT(*program, HasSubstr("Source: connect(2), ECONNREFUSED"));
  EXPECT_THAT(*program,
              HasSubstr("FAILS(ECONNREFUSED, connect(client, V4(\"127.0.0.1\", "
                        "4711)));\n"));
}

TEST(ProgramTest, PassesTheBadPointersOfTheCase) {
  const auto program = ProgramOf("linux", "kernel.recvfrom.bad_length");
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_THAT(*program,
              HasSubstr("FAILS(EFAULT, recvfrom(server, buffer, 1, 0, (struct "
                        "sockaddr *)&address, NULL));\n"));
}

TEST(ProgramTest, IsNotMadeForInjectedFaultsWhosePlansAreShown) {
  const auto program = ProgramOf("net_tcp", "faults.listen.bind");
  ASSERT_FALSE(program.ok());
  EXPECT_THAT(program.status().message(), HasSubstr("it injects faults"));
  EXPECT_THAT(program.status().message(),
              HasSubstr("//fakes:trap -- --plan='bind=EADDRINUSE"));
}

TEST(ProgramTest, IsNotMadeForACaseThatMeasuresTime) {
  EXPECT_THAT(
      ProgramOf("linux", "kernel.poll.wait.not_early").status().message(),
      HasSubstr("it measures times"));
}

// Which of two listeners gets a connection depends on the connection's port.
TEST(ProgramTest, IsNotMadeForResultsThatDependOnChance) {
  EXPECT_THAT(ProgramOf("linux", "kernel.listen.reuseport.queue_is_lost")
                  .status()
                  .message(),
              HasSubstr("differ from run to run"));
}

}  // namespace
}  // namespace net::conformance
