#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/trial.h"
#include "conformance/explain/c_program.h"
#include "conformance/explain/killed_mutants.h"
#include "conformance/explain/script.h"
#include "conformance/suite/case.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {

using Kind = Script::Step::Kind;

void PrintTo(Kind kind, std::ostream* os) {
  switch (kind) {
    case Kind::kBegin:
      *os << "begin";
      return;
    case Kind::kEnd:
      *os << "end";
      return;
    case Kind::kInterrupt:
      *os << "interrupt";
      return;
    case Kind::kOperation:
      *os << "operation";
      return;
  }
}

namespace {

using testing::HasSubstr;
using testing::Not;

// Returns the lines of calls of one thread that do not block.
std::string LinesOf(const std::vector<std::string>& calls) {
  std::string lines;
  int number = 0;
  for (const std::string& call : calls) {
    ++number;
    absl::StrAppend(&lines, BeginLine(number, 1, false), "end ", number, " ",
                    call, "\n");
  }
  return lines;
}

// Returns the program of two runs.
std::string ProgramOf(const std::string& one, const std::string& other) {
  const Case test_case = {
      .id = "a.case", .requirement = "It must work. */", .source = "a test"};
  const auto first = ParseScript(one);
  const auto second = ParseScript(other);
  if (!first.ok()) return std::string(first.status().message());
  if (!second.ok()) return std::string(second.status().message());
  const auto program = CProgram({.test_case = &test_case}, *first, *second);
  return program.ok() ? *program : std::string(program.status().message());
}

constexpr absl::string_view kSocket = "socket(AF_INET, SOCK_STREAM, 0) = 3";

TEST(ParseScript, FindsTheCallThatIsBlocked) {
  const auto script =
      ParseScript(absl::StrCat(BeginLine(1, 7, true), BeginLine(2, 9, false),
                               "end 2 close(4) = 0\n", "end 1 close(3) = 0\n"));
  ASSERT_TRUE(script.ok()) << script.status();
  ASSERT_EQ(script->calls.size(), 2U);
  EXPECT_TRUE(script->calls[0].is_blocked);
  EXPECT_TRUE(script->calls[0].is_of_subject);
  EXPECT_FALSE(script->calls[1].is_blocked);
  ASSERT_EQ(script->steps.size(), 3U);
  EXPECT_EQ(script->steps[0].kind, Kind::kBegin);
  EXPECT_EQ(script->steps[1].call, 1U);
  EXPECT_EQ(script->steps[2].call, 0U);
}

TEST(ParseScript, GivesASignalToTheCallOfItsThread) {
  const auto script = ParseScript(absl::StrCat(
      BeginLine(1, 7, true), InterruptLine(7), "end 1 close(3) = 0\n"));
  ASSERT_TRUE(script.ok()) << script.status();
  ASSERT_EQ(script->steps.size(), 3U);
  EXPECT_EQ(script->steps[1].kind, Kind::kInterrupt);
  EXPECT_TRUE(script->calls[0].is_blocked);
}

TEST(ParseScript, LeavesOutTheClock) {
  const auto script = ParseScript(
      LinesOf({"clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=2}) = 0"}));
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_TRUE(script->calls.empty());
}

TEST(ParseScript, FailsWithoutTheEndOfACall) {
  EXPECT_EQ(ParseScript(BeginLine(1, 7, true)).status().message(),
            "one of its calls never returns");
}

TEST(CProgram, HasVariablesForDescriptorsAndPorts) {
  const std::string lines =
      LinesOf({std::string(kSocket), "listen(3, 1) = 0",
               "getsockname(3, {AF_INET, 127.0.0.1:40001}, [16]) = 0",
               "socket(AF_INET, SOCK_STREAM, 0) = 4",
               "connect(4, {AF_INET, 127.0.0.1:40001}, 16) = -1 ECONNREFUSED"});
  const std::string program = ProgramOf(lines, lines);
  EXPECT_THAT(program, HasSubstr("  int listener = SUCCEEDS(socket(AF_INET, "
                                 "SOCK_STREAM, 0));\n"));
  EXPECT_THAT(program, HasSubstr("  int port = PORT(&address);\n"));
  EXPECT_THAT(program, HasSubstr("  FAILS(ECONNREFUSED, connect(client, "
                                 "V4(\"127.0.0.1\", port)));\n"));
  EXPECT_THAT(program, HasSubstr("It must work. * /\n"));
}

TEST(CProgram, ComparesNoValueThatDiffersBetweenTheRuns) {
  const std::string socket(kSocket);
  const std::string program =
      ProgramOf(LinesOf({socket, "send(3, \"ab\", 2, 0) = 1",
                         "getsockopt(3, SOL_SOCKET, SO_SNDBUF, 1, [4]) = 0"}),
                LinesOf({socket, "send(3, \"ab\", 2, 0) = 2",
                         "getsockopt(3, SOL_SOCKET, SO_SNDBUF, 2, [4]) = 0"}));
  EXPECT_THAT(program, HasSubstr("  SUCCEEDS(send(fd, \"ab\", 2, 0));\n"));
  EXPECT_THAT(program, HasSubstr("SO_SNDBUF, &value, &length));\n"));
  EXPECT_THAT(program, Not(HasSubstr("IS(1, value)")));
}

TEST(CProgram, IsNotMadeOfRunsThatDiffer) {
  const std::string socket(kSocket);
  EXPECT_EQ(ProgramOf(LinesOf({socket}), LinesOf({socket, "close(3) = 0"})),
            "its calls differ from run to run");
  EXPECT_EQ(ProgramOf(LinesOf({socket, "listen(3, 1) = -1 EINVAL"}),
                      LinesOf({socket, "listen(3, 1) = -1 EADDRINUSE"})),
            "its calls differ from run to run");
}

TEST(FormatKilledMutants, ShowsWhatUsersNoticedAndAllNames) {
  const auto all = ParseKilledMutants(
      "# A comment.\na.case\treal\tWSL, 2018\tIt hung.\na.case\town\t\tNo.\n"
      "b.case\tother\t\tNo.\n");
  ASSERT_TRUE(all.ok()) << all.status();
  const std::string text = FormatKilledMutants(*all, "a.case");
  EXPECT_THAT(text, HasSubstr("    WSL, 2018: It hung.\n"));
  EXPECT_THAT(text, HasSubstr("mutants:     real, own\n"));
  EXPECT_EQ(FormatKilledMutants(*all, "c.case"), "");
}

TEST(ParseKilledMutants, FailsOnALineWithOtherFields) {
  EXPECT_FALSE(ParseKilledMutants("a.case\treal\n").ok());
}

}  // namespace
}  // namespace net::conformance
