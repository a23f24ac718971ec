#include <cstddef>
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
    case Kind::kBlocked:
      *os << "blocked";
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

// That it is blocked after it has begun is part of its beginning.
TEST(ParseScript, KeepsThatACallIsStillBlocked) {
  const auto script = ParseScript(absl::StrCat(
      BeginLine(1, 7, true), BlockedLine(7), BeginLine(2, 9, false),
      "end 2 close(4) = 0\n", BlockedLine(7), "end 1 close(3) = 0\n"));
  ASSERT_TRUE(script.ok()) << script.status();
  std::vector<Kind> kinds;
  for (const Script::Step& step : script->steps) kinds.push_back(step.kind);
  EXPECT_THAT(kinds, testing::ElementsAre(Kind::kBegin, Kind::kEnd,
                                          Kind::kBlocked, Kind::kEnd));
}

TEST(ParseScript, LeavesOutTheClock) {
  const auto script = ParseScript(
      LinesOf({"clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=2}) = 0"}));
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_TRUE(script->calls.empty());
  EXPECT_TRUE(script->reads_clock);
}

TEST(ParseScript, FindsThePointersThatAreBad) {
  const auto script = ParseScript(
      absl::StrCat(BeginLine(1, 7, true), UnreadableLine(1, 5),
                   "end 1 recvfrom(3, ?, 9, 0, ?, ?) = -1 EFAULT\n"));
  ASSERT_TRUE(script.ok()) << script.status();
  ASSERT_EQ(script->calls.size(), 1U);
  EXPECT_THAT(script->calls[0].bad_pointers, testing::ElementsAre(size_t{5}));
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

// Which of the two is reset is chance, and may be the same in two runs.
TEST(CProgram, IsNotMadeOfValuesThatDifferHereAndThere) {
  const auto run = [](int first, int second) {
    return LinesOf({"socket(AF_INET, SOCK_STREAM, 0) = 3",
                    "socket(AF_INET, SOCK_STREAM, 0) = 4",
                    absl::StrCat("getsockopt(3, SOL_SOCKET, SO_ERROR, ", first,
                                 ", [4]) = 0"),
                    absl::StrCat("getsockopt(4, SOL_SOCKET, SO_ERROR, ", second,
                                 ", [4]) = 0")});
  };
  EXPECT_EQ(ProgramOf(run(0, 104), run(104, 104)),
            "its calls or their results differ from run to run");
  EXPECT_THAT(ProgramOf(run(0, 104), run(0, 104)),
              HasSubstr("IS(ECONNRESET, value)"));
}

TEST(CProgram, KeepsTransfersApartWhoseFlagsDiffer) {
  const std::string lines = LinesOf(
      {"socket(AF_INET, SOCK_STREAM, 0) = 3", "recv(3, ?, 5000, 0) = 5000",
       "recv(3, ?, 5000, MSG_DONTWAIT) = -1 EAGAIN"});
  const std::string program = ProgramOf(lines, lines);
  EXPECT_THAT(program, HasSubstr("RECEIVES(5000, fd, 0);"));
  EXPECT_THAT(program, HasSubstr("FAILS(EAGAIN, recv(fd, buffer, 5000, "
                                 "MSG_DONTWAIT));"));
}

TEST(CProgram, UsesABadPointerWhereTheCaseDid) {
  const auto call = [](absl::string_view bad) {
    return absl::StrCat(LinesOf({std::string(kSocket)}), BeginLine(2, 1, false),
                        bad, LengthLine(2, 5, 28),
                        "end 2 recvfrom(3, ?, 9, 0, ?, ?) = -1 EFAULT\n");
  };
  const std::string address = call(UnreadableLine(2, 4));
  EXPECT_THAT(ProgramOf(address, address),
              HasSubstr("length = 28; FAILS(EFAULT, recvfrom(fd, buffer, 9, 0, "
                        "BAD_POINTER, &length)"));
  const std::string data = call(UnreadableLine(2, 1));
  EXPECT_THAT(ProgramOf(data, data),
              HasSubstr("length = 28; FAILS(EFAULT, recvfrom(fd, BAD_POINTER, "
                        "9, 0, (struct sockaddr *)&address, &length)"));
  EXPECT_EQ(ProgramOf(call(""), call("")),
            "it gives a call memory of which a part cannot be used");
}

TEST(CProgram, IsNotMadeOfMeasurements) {
  const std::string lines =
      LinesOf({"clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=2}) = 0"});
  EXPECT_THAT(ProgramOf(lines, lines), HasSubstr("it measures times"));
}

TEST(CProgram, IsNotMadeIfCallsMustBeMadeInTime) {
  const std::string wait = "poll([{-1, POLLIN}], 1, 20) = 0";
  const std::string socket(kSocket);
  const std::string last = LinesOf({socket, wait, "close(3) = 0"});
  EXPECT_THAT(ProgramOf(last, last), HasSubstr("RETURNS(0, poll("));
  const std::string goes_on = LinesOf({wait, socket});
  EXPECT_THAT(ProgramOf(goes_on, goes_on), HasSubstr("it lets time pass"));
}

TEST(CProgram, IsNotMadeOfACountOfWhatFillsBuffers) {
  const std::string socket(kSocket);
  const std::string count = "ioctl(3, SIOCOUTQ, [5]) = 0";
  const std::string some = LinesOf({socket, count});
  EXPECT_THAT(ProgramOf(some, some), HasSubstr("IS(5, value)"));
  const std::string all =
      LinesOf({socket, "send(3, ?, 65536, 0) = -1 EAGAIN", count});
  EXPECT_THAT(ProgramOf(all, all), HasSubstr("what it counts depends"));
}

TEST(CProgram, IsNotMadeOfBlockedCallsThatCompete) {
  const auto lines = [](absl::string_view result) {
    return absl::StrCat(
        BeginLine(1, 1, false), "end 1 ", kSocket, "\n", BeginLine(2, 2, false),
        BeginLine(3, 3, false), BeginLine(4, 1, false),
        "end 4 shutdown(3, SHUT_RD) = 0\nend 2 recv(3, \"\", 9, 0) = 0\n",
        "end 3 recv(3, ", result, "\n");
  };
  EXPECT_THAT(ProgramOf(lines("\"\", 9, 0) = 0"), lines("\"\", 9, 0) = 0")),
              HasSubstr("START(recv_2);"));
  const std::string other = lines("?, 9, 0) = -1 ECONNRESET");
  EXPECT_THAT(ProgramOf(other, other), HasSubstr("returns first is chance"));
}

TEST(CProgram, IsNotMadeOfASendThatBlocks) {
  const std::string lines = absl::StrCat(
      BeginLine(1, 1, false), "end 1 ", kSocket, "\n", BeginLine(2, 2, false),
      BeginLine(3, 1, false), "end 3 shutdown(3, SHUT_WR) = 0\n",
      "end 2 send(3, \"x\", 1, 0) = -1 EPIPE\n");
  EXPECT_THAT(ProgramOf(lines, lines), HasSubstr("its send(2) blocks"));
}

TEST(CProgram, IsNotMadeOfRunsThatDiffer) {
  const std::string socket(kSocket);
  EXPECT_EQ(ProgramOf(LinesOf({socket}), LinesOf({socket, "close(3) = 0"})),
            "its calls or their results differ from run to run");
  EXPECT_EQ(ProgramOf(LinesOf({socket, "listen(3, 1) = -1 EINVAL"}),
                      LinesOf({socket, "listen(3, 1) = -1 EADDRINUSE"})),
            "its calls or their results differ from run to run");
}

// ---- Bugs ------------------------------------------------------------------

constexpr absl::string_view kBugs =
    "# A comment.\n"
    "real\tWSL, 2018\tIt hung.\n"
    "! a.case\n"
    "  b.case\n"
    "own\t\tNo.\n"
    "  a.case\n"
    "! c.case\n";

// Returns the lines of --explain about the bugs that a case finds.
std::string WhatKills(absl::string_view id, absl::string_view source) {
  const auto all = ParseKilledMutants(kBugs);
  if (!all.ok()) return std::string(all.status().message());
  const Case test_case = {.id = id, .source = source};
  return FormatWhatItKills(*all, test_case);
}

TEST(KilledMutants, AreParsedAndFormatted) {
  const auto all = ParseKilledMutants(kBugs);
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 2U);
  EXPECT_THAT(all->front().killers,
              testing::ElementsAre(
                  KilledMutant::Killer{"a.case", /*by_requirement=*/true},
                  KilledMutant::Killer{"b.case", /*by_requirement=*/false}));
  EXPECT_EQ(absl::StrCat("# A comment.\n", FormatKilledMutants(*all)), kBugs);
}

TEST(FormatWhatItKills, ShowsWhatUsersNoticedAndAllNames) {
  EXPECT_EQ(WhatKills("a.case", "listen(2)"),
            "  why it matters: it finds bugs that others had\n"
            "    WSL, 2018: It hung.\n"
            "  mutants:     real, own\n");
}

TEST(FormatWhatItKills, ShowsWhoReliesOnACaseThatFindsNoRealBug) {
  EXPECT_EQ(WhatKills("c.case", "listen(2), EINVAL"),
            "  why it matters: programs are written by this text\n"
            "  mutants:     own\n");
  EXPECT_THAT(WhatKills("c.case", "RFC 9293, section 3.5"),
              HasSubstr("the other end of a connection relies on it\n"));
  EXPECT_THAT(WhatKills("c.case", "socket(7); contract: flags"),
              HasSubstr("net::tcp promises it to its users"));
  EXPECT_THAT(WhatKills("c.case", "measured on Linux 6.18"),
              HasSubstr("no text requires it"));
  EXPECT_THAT(WhatKills("c.case", "fs/eventpoll.c, ep_insert"),
              HasSubstr("no text requires it"));
}

TEST(FormatWhatItKills, ShowsThatACaseFindsNothing) {
  EXPECT_THAT(WhatKills("d.case", "listen(2)"),
              HasSubstr("  mutants:     it finds none of the 2 bugs of "
                        "conformance/mutants\n"));
}

TEST(ParseKilledMutants, FailsOnOtherLines) {
  EXPECT_FALSE(ParseKilledMutants("a.case\treal\n").ok());
  EXPECT_FALSE(ParseKilledMutants("! a.case\n").ok());
}

}  // namespace
}  // namespace net::conformance
