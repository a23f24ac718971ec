#include "conformance/engine/report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

// Tests of the output: reports, records and lists.

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

const Case kListen = {.id = "listen.plain",
                      .requirement = "Listening must work.",
                      .source = "listen(2)",
                      .run = nullptr};
const Case kAccept = {.id = "accept.plain",
                      .requirement = "Accepting should work.",
                      .source = "accept(2)",
                      .level = Level::kShould,
                      .families = AddressFamilies::kV6,
                      .needs = Need::kOwnNetwork | Need::kExec,
                      .run = nullptr};
const Case kKernelBind = {.id = "kernel.bind.plain",
                          .requirement = "Binding must work.",
                          .source = "bind(2)",
                          .run = nullptr};
const Target kTarget = {.name = "net_tcp"};

Record MakeRecord(const Case& test_case, AddressFamily family,
                  Verdict verdict) {
  return {
      .trial = {.test_case = &test_case, .family = family, .target = &kTarget},
      .verdict = std::move(verdict),
      .milliseconds = 12};
}

TEST(ReportTest, CountsOutcomesOfEachArea) {
  const std::vector<Record> records = {
      MakeRecord(kListen, AddressFamily::kV4, {}),
      MakeRecord(kListen, AddressFamily::kV6, {}),
      MakeRecord(kAccept, AddressFamily::kV6,
                 {.outcome = Outcome::kFail, .message = "a.cc:1: no"}),
  };
  const std::string report = FormatReport(records);
  EXPECT_THAT(report, ContainsRegex("net_tcp +pass +fail +trials\n"));
  EXPECT_THAT(report, ContainsRegex("listen +2 +- +2\n"));
  EXPECT_THAT(report, ContainsRegex("accept +- +1 +1\n"));
  EXPECT_THAT(report, ContainsRegex("total +2 +1 +3\n"));
}

TEST(ReportTest, SeveralColumnsAreOneTable) {
  const Target other = {.name = "other"};
  Record passed = MakeRecord(kAccept, AddressFamily::kV6, {});
  Record failed =
      MakeRecord(kAccept, AddressFamily::kV6, {.outcome = Outcome::kFail});
  Record expected =
      MakeRecord(kListen, AddressFamily::kV4,
                 {.outcome = Outcome::kExpectedFail, .message = "known"});
  failed.trial.target = &other;
  expected.trial.target = &other;
  const std::vector<Record> records = {passed, expected, failed};
  const std::string report = FormatReport(records);
  EXPECT_THAT(report, ContainsRegex("passed +net_tcp +other\n"));
  EXPECT_THAT(report, ContainsRegex("accept +1 +!0/1\n"));
  EXPECT_THAT(report, ContainsRegex("listen + +0/1\n"));
  EXPECT_THAT(report, ContainsRegex("total +1 +!0/2\n"));
  EXPECT_THAT(report, ContainsRegex("expected-fail +- +1\n"));
  EXPECT_THAT(report, Not(HasSubstr("source: listen(2)")));
  EXPECT_THAT(FormatReport(records, {.verbose = true}),
              HasSubstr("source: listen(2)"));
}

Verdict Leaking(Outcome outcome, Leak leak = Leak::kLeak) {
  return {.outcome = outcome,
          .message = outcome == Outcome::kPass ? "" : "a.cc:1: no",
          .leak = leak,
          .leaked = "left open: descriptor 7"};
}

TEST(ReportTest, CountsLeaksBesideOutcomes) {
  const std::string report = FormatReport({
      MakeRecord(kListen, AddressFamily::kV4, {}),
      MakeRecord(kListen, AddressFamily::kV6, Leaking(Outcome::kPass)),
      MakeRecord(kAccept, AddressFamily::kV6, Leaking(Outcome::kFail)),
  });
  EXPECT_THAT(report, ContainsRegex("net_tcp +pass +fail +trials +leak\n"));
  EXPECT_THAT(report, ContainsRegex("listen +2 +- +2 +1\n"));
  EXPECT_THAT(report, ContainsRegex("accept +- +1 +1 +1\n"));
  EXPECT_THAT(report, ContainsRegex("total +2 +1 +3 +2\n"));
  EXPECT_THAT(report, HasSubstr("PASS, LEAK  listen.plain v6 net_tcp"));
  EXPECT_THAT(report, HasSubstr("FAIL, LEAK  accept.plain v6 net_tcp"));
  EXPECT_THAT(
      report,
      HasSubstr("  leak:\n    left open: descriptor 7\n    a.cc:1: no"));
}

TEST(ReportTest, AnUnexpectedLeakMarksItsCell) {
  const Target other = {.name = "other"};
  Record expected = MakeRecord(kListen, AddressFamily::kV4,
                               Leaking(Outcome::kPass, Leak::kExpectedLeak));
  Record leaks =
      MakeRecord(kAccept, AddressFamily::kV6, Leaking(Outcome::kPass));
  expected.trial.target = &other;
  leaks.trial.target = &other;
  const std::string report = FormatReport({
      MakeRecord(kListen, AddressFamily::kV4, {}),
      MakeRecord(kAccept, AddressFamily::kV6, {}),
      expected,
      leaks,
  });
  EXPECT_THAT(report, ContainsRegex("listen +1 +1\n"));
  EXPECT_THAT(report, ContainsRegex("accept +1 +!1\n"));
  EXPECT_THAT(report, ContainsRegex("    leak +- +1\n"));
  EXPECT_THAT(report, ContainsRegex("    expected-leak +- +1\n"));
  EXPECT_THAT(report, HasSubstr("PASS, LEAK  accept.plain v6 other"));
  EXPECT_THAT(report, Not(HasSubstr("PASS, EXPECTED-LEAK")));
}

TEST(ReportTest, JUnitAndMarkdownShowLeaks) {
  const std::vector<Record> records = {
      MakeRecord(kListen, AddressFamily::kV4, Leaking(Outcome::kPass)),
      MakeRecord(kListen, AddressFamily::kV6,
                 Leaking(Outcome::kPass, Leak::kExpectedLeak)),
      MakeRecord(kAccept, AddressFamily::kV4, Leaking(Outcome::kUnsupported)),
      MakeRecord(kAccept, AddressFamily::kV6, Leaking(Outcome::kFail))};
  const std::string xml = FormatJUnit(records);
  EXPECT_THAT(xml, HasSubstr("\"listen.plain v4\" time=\"0.012\">"
                             "<failure type=\"leak\">PASS, LEAK"));
  EXPECT_THAT(xml, HasSubstr("\"listen.plain v6\" time=\"0.012\"></testcase>"));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"leak\">UNSUPPORTED, LEAK"));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"fail\">FAIL, LEAK"));
  const std::string text = FormatMarkdown(records);
  EXPECT_THAT(
      text, AllOf(HasSubstr("| net_tcp | pass | fail | unsupported | trials | "
                            "leak | expected-leak |"),
                  HasSubstr("<summary>1 pass, expected-leak</summary>"),
                  HasSubstr("| 1 | left open: descriptor 7 | listen.plain v6"),
                  HasSubstr("<summary>pass, leak <code>listen.plain v4 "
                            "net_tcp</code>: Listening must work.</summary>"),
                  HasSubstr("```text\nleft open: descriptor 7\n")));
}

TEST(ReportTest, JUnitTellsFailuresFromErrorsAndFromSkips) {
  const std::string xml = FormatJUnit(
      {MakeRecord(kListen, AddressFamily::kV4, {}),
       MakeRecord(
           kListen, AddressFamily::kV6,
           {.outcome = Outcome::kUnsupported, .message = "a <b> & \"c\""}),
       MakeRecord(kAccept, AddressFamily::kV4,
                  {.outcome = Outcome::kFail, .message = "\x01 ]]>"}),
       MakeRecord(kAccept, AddressFamily::kV6, {.outcome = Outcome::kCrash})});
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"net_tcp\" tests=\"4\" "
                             "failures=\"1\" errors=\"1\">"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"net_tcp.listen\" "
                             "name=\"listen.plain v4\" time=\"0.012\">"
                             "</testcase>"));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"unsupported: a &lt;b&gt; "
                             "&amp; &quot;c&quot;\"/>"));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"fail\">"));
  EXPECT_THAT(xml, HasSubstr("? ]]&gt;"));
  EXPECT_THAT(xml, HasSubstr("<error type=\"crash\">"));
}

TEST(ReportTest, JUnitNamesTheSuiteAfterTheImplementationAndItsVersion) {
  std::vector<Record> records = {
      // This trial ended before the version was known.
      MakeRecord(kListen, AddressFamily::kV4, {.outcome = Outcome::kCrash}),
      MakeRecord(kListen, AddressFamily::kV6, {})};
  records[1].version = "3.11";
  const std::string xml = FormatJUnit(records);
  EXPECT_THAT(xml,
              AllOf(HasSubstr("<testsuite name=\"net_tcp 3.11\" tests=\"2\""),
                    HasSubstr("<testcase classname=\"net_tcp 3.11.listen\" "
                              "name=\"listen.plain v4\""),
                    HasSubstr("classname=\"net_tcp 3.11.listen\" "
                              "name=\"listen.plain v6\"")));
}

// Many trials of one column, as in the first run of a new driver.
std::vector<Record> MakeMany(size_t count, const Verdict& verdict) {
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    records.push_back(MakeRecord(i % 2 == 0 ? kListen : kAccept,
                                 AddressFamily::kV4, verdict));
  }
  return records;
}

void Append(std::vector<Record>& records, std::vector<Record> more) {
  records.insert(records.end(), more.begin(), more.end());
}

int LinesOf(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

TEST(ReportTest, TheTableComesFirstThenReasonsThenFailures) {
  std::vector<Record> records = MakeMany(
      300,
      {.outcome = Outcome::kUnsupported, .message = "no option `reuseport`"});
  Append(records, MakeMany(20, {.outcome = Outcome::kUnsupported,
                                .message = "no option `backlog`"}));
  Append(records, MakeMany(2, {.outcome = Outcome::kPrecondition,
                               .message = "no IPv6"}));
  Append(records,
         {MakeRecord(kListen, AddressFamily::kV4,
                     {.outcome = Outcome::kFail, .message = "a.cc:1: no"})});
  const std::string report = FormatReport(records);
  EXPECT_THAT(report, ContainsRegex("total +- +1 +320 +2 +323\n"
                                    "\nunsupported: 320 trials\n"
                                    " +300  no option `reuseport`\n"
                                    " +listen.plain, accept.plain\n"
                                    " +20  no option `backlog`\n"
                                    " +listen.plain, accept.plain\n"
                                    "\nprecondition: 2 trials\n"
                                    " +2  no IPv6\n"
                                    " +listen.plain v4, accept.plain v4\n"
                                    "\nFAIL  listen.plain v4 net_tcp"));
  EXPECT_LT(LinesOf(report), 30);
}

TEST(ReportTest, FailuresThatAreAlikeAreOne) {
  const auto with_port = [](absl::string_view port) {
    return Verdict{.outcome = Outcome::kFail,
                   .message = absl::StrCat("a.cc:1234: port ", port)};
  };
  std::vector<Record> records = {
      MakeRecord(kListen, AddressFamily::kV4, with_port("40001")),
      MakeRecord(kListen, AddressFamily::kV6, with_port("40002")),
      MakeRecord(kAccept, AddressFamily::kV6, with_port("40003"))};
  std::string report = FormatReport(records);
  EXPECT_THAT(
      report,
      AllOf(HasSubstr("port 40001"),
            HasSubstr("the same in 2 more: listen.plain v6, accept.plain v6"),
            Not(HasSubstr("port 40002"))));
  // Failures at another line, or with another value, are different.
  records[1].verdict.message = "a.cc:1235: port 40001";
  records[2].verdict.message = "a.cc:1234: port 7";
  report = FormatReport(records);
  EXPECT_THAT(report, AllOf(HasSubstr("a.cc:1235"), HasSubstr("port 7"),
                            Not(HasSubstr("the same in"))));
}

TEST(ReportTest, ExpectationsWithOneReasonAreOneGroup) {
  const auto expected = [](int line) {
    return Verdict{
        .outcome = Outcome::kExpectedFail,
        .message = absl::StrCat("always waits (a/b.expectations:", line, ")")};
  };
  EXPECT_THAT(
      FormatReport({MakeRecord(kListen, AddressFamily::kV4, expected(1)),
                    MakeRecord(kAccept, AddressFamily::kV6, expected(2))}),
      HasSubstr("     2  always waits\n"));
}

TEST(ReportTest, OneLeakOfManyTrialsStandsThereOnce) {
  std::vector<Record> records;
  for (int i = 0; i < 100; ++i) {
    records.push_back(
        MakeRecord(kListen, AddressFamily::kV4, Leaking(Outcome::kPass)));
    records.back().verdict.leaked = absl::StrCat(
        "left open: descriptor ", i, ", listening on 127.0.0.1:", 40000 + i);
  }
  const std::string report = FormatReport(records);
  EXPECT_THAT(report, HasSubstr("the same in 99 more: listen.plain"));
  EXPECT_LT(LinesOf(report), 15);
}

// 500 different failures, each with a long session.
std::vector<Record> MakeManyFailures() {
  std::string session = absl::StrCat("\n", kSessionHeading);
  for (int i = 0; i < 40; ++i) absl::StrAppend(&session, "> ", i, "\n");
  std::vector<Record> records;
  for (int i = 0; i < 500; ++i) {
    records.push_back(
        MakeRecord(kListen, AddressFamily::kV4,
                   {.outcome = Outcome::kFail,
                    .message = absl::StrCat("a.cc:", i, ": no", session)}));
  }
  return records;
}

TEST(ReportTest, ManyFailuresAreCountedNotAllPrinted) {
  const std::string report = FormatReport(MakeManyFailures());
  EXPECT_LT(LinesOf(report), 500);
  EXPECT_THAT(report,
              HasSubstr("... and 400 other failures (--verbose prints each)"));
}

TEST(ReportTest, OfASessionTheEndIsShown) {
  const std::vector<Record> records = {MakeManyFailures().front()};
  const std::string brief = FormatRecordBriefly(records.front());
  EXPECT_THAT(brief, AllOf(HasSubstr("a.cc:0: no\n    the session:\n"
                                     "    ... (32 lines before)\n    > 32\n"),
                           HasSubstr("> 39\n"), Not(HasSubstr("> 31\n"))));
  EXPECT_THAT(FormatRecord(records.front()), HasSubstr("> 0\n"));
}

TEST(ReportTest, AFailureIsFollowedByItsSystemCalls) {
  const Record record =
      MakeRecord(kListen, AddressFamily::kV4,
                 {.outcome = Outcome::kFail,
                  .message = "a.cc:0: no",
                  .calls = "case: close(3) = 0\ncase: close(4) = 0"});
  const std::string expected =
      "    a.cc:0: no\n  the last system calls:\n    case: close(3) = 0\n"
      "    case: close(4) = 0\n";
  EXPECT_THAT(FormatRecord(record), HasSubstr(expected));
  EXPECT_THAT(FormatRecordBriefly(record), HasSubstr(expected));
  EXPECT_THAT(FormatMarkdown({record}),
              HasSubstr("the last system calls:\n\n```text\ncase: close(3)"));
  EXPECT_EQ(nlohmann::json::parse(RecordToJson(record)).at("calls"),
            record.verdict.calls);
}

TEST(ReportTest, FailuresThatDifferInSystemCallsAreOneGroup) {
  const auto failed = [](const char* calls) {
    return Verdict{
        .outcome = Outcome::kFail, .message = "a.cc:0: no", .calls = calls};
  };
  EXPECT_THAT(
      FormatReport(
          {MakeRecord(kListen, AddressFamily::kV4, failed("close(3)")),
           MakeRecord(kListen, AddressFamily::kV6, failed("close(4)"))}),
      HasSubstr("the same in 1 more"));
}

TEST(ReportTest, TheMatrixFitsTheTerminal) {
  std::vector<Target> targets;
  for (int i = 0; i < 12; ++i) {
    targets.push_back({.name = absl::StrCat("implementation", i)});
  }
  std::vector<Record> records;
  for (const Target& target : targets) {
    records.push_back(MakeRecord(kListen, AddressFamily::kV4, {}));
    records.back().trial.target = &target;
  }
  records.push_back(MakeRecord(kAccept, AddressFamily::kV6, {}));
  records.back().trial.target = &targets[11];
  for (const int width : {60, 80, 200}) {
    const std::string report = FormatReport(records, {.width = width});
    for (const absl::string_view line : absl::StrSplit(report, '\n')) {
      EXPECT_LE(line.size(), width);
    }
    for (const Target& target : targets) {
      EXPECT_THAT(report, HasSubstr(target.name));
    }
  }
  // A row is printed only in blocks where it has a value.
  EXPECT_THAT(FormatReport(records, {.width = 60}),
              ContainsRegex("passed +implementation0 +implementation1\n"
                            "  listen +1 +1\n  total"));
}

TEST(ReportTest, TheClosingLineHasCountsStatusAndCommand) {
  const std::vector<Record> records = {
      MakeRecord(kListen, AddressFamily::kV4, {}),
      MakeRecord(kListen, AddressFamily::kV6, {.outcome = Outcome::kFail})};
  EXPECT_EQ(FormatClosingLine(records, 1, "there are failures", "./run x"),
            "2 trials: 1 pass, 1 fail. Exit status 1: there are failures. "
            "Each trial in full: ./run x --verbose\n");
  EXPECT_EQ(FormatClosingLine({}, 0, "all is as expected", ""),
            "0 trials: none. Exit status 0: all is as expected.\n");
}

TEST(ReportTest, MarkdownHasTablesAndFailures) {
  const std::string text = FormatMarkdown(
      {MakeRecord(kListen, AddressFamily::kV4, {}),
       MakeRecord(kListen, AddressFamily::kV6,
                  {.outcome = Outcome::kUnsupported, .message = "a | <b>"}),
       MakeRecord(kAccept, AddressFamily::kV6,
                  {.outcome = Outcome::kFail, .message = "a | b\n```more"})});
  EXPECT_THAT(text,
              AllOf(HasSubstr("| net_tcp | pass | fail | unsupported | trials |"
                              "\n|---|---:|---:|---:|---:|\n"
                              "| listen | 1 | - | 1 | 2 |\n"),
                    HasSubstr("<summary>1 unsupported</summary>"),
                    HasSubstr("| 1 | a \\| &lt;b&gt; | listen.plain v6 |\n"),
                    HasSubstr("## Failures"),
                    HasSubstr("<summary>fail <code>accept.plain v6 net_tcp"
                              "</code>: Accepting should work.</summary>"),
                    HasSubstr("````text\na | b\n```more\n````\n")));
}

TEST(ReportTest, MarkdownHasItsProvenance) {
  EXPECT_THAT(FormatMarkdown({MakeRecord(kListen, AddressFamily::kV4, {})}, "",
                             "1 cases, Linux <6>"),
              HasSubstr("1 trials: 1 pass\n\n1 cases, Linux &lt;6&gt;\n\n|"));
}

TEST(ReportTest, MarkdownFitsAComment) {
  std::vector<Record> records = MakeManyFailures();
  for (int i = 0; i < 500; ++i) {
    records.push_back(MakeRecord(
        kAccept, AddressFamily::kV6,
        {.outcome = i % 2 == 0 ? Outcome::kUnsupported : Outcome::kVariation,
         .message = absl::StrCat(i, std::string(1000, '<'))}));
  }
  for (Record& record : records) {
    absl::StrAppend(&record.verdict.message, std::string(5000, '\xc3'));
  }
  const std::string text = FormatMarkdown(records, "./run --x", "1 cases");
  EXPECT_LE(text.size(), kMarkdownLimit);
  EXPECT_THAT(text, ContainsRegex("[0-9]+ of 500 failures are left out here; "
                                  "all of them: `./run --x --verbose`\n$"));
}

TEST(ReportTest, AreasOfTheKernelTableAreNamedSo) {
  const std::string report = FormatReport({
      MakeRecord(kKernelBind, AddressFamily::kV4, {}),
      MakeRecord(kKernelBind, AddressFamily::kV6, {}),
  });
  EXPECT_THAT(report, ContainsRegex("kernel.bind +2 +2\n"));
}

TEST(ReportTest, ExplainsWhatDidNotPassAndNothingElse) {
  const std::string report = FormatReport({
      MakeRecord(kListen, AddressFamily::kV4, {}),
      MakeRecord(
          kAccept, AddressFamily::kV6,
          {.outcome = Outcome::kFail, .message = "a.cc:1: no\nactual: 7"}),
  });
  EXPECT_THAT(report,
              AllOf(HasSubstr("FAIL  accept.plain v6 net_tcp (12 ms)"),
                    HasSubstr("(should): Accepting should work."),
                    HasSubstr("source: accept(2)"), HasSubstr("    actual: 7"),
                    Not(HasSubstr("Listening must work."))));
}

TEST(RecordTest, IsOneLineOfJsonWithTheFieldsPromised) {
  const std::string line = RecordToJson(
      MakeRecord(kAccept, AddressFamily::kV6,
                 {.outcome = Outcome::kTimeout, .message = "two\nlines \xff"}));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["case"], "accept.plain");
  EXPECT_EQ(json["axis"], "v6");
  EXPECT_EQ(json["implementation"], "net_tcp");
  EXPECT_EQ(json["outcome"], "timeout");
  EXPECT_EQ(json["level"], "should");
  EXPECT_EQ(json["ms"], 12);
  EXPECT_EQ(json["requirement"], "Accepting should work.");
  EXPECT_EQ(json["source"], "accept(2)");
  EXPECT_THAT(json["message"].get<std::string>(), HasSubstr("two\nlines"));
}

TEST(RecordTest, ALeakIsAFieldBesideTheOutcome) {
  const auto leaks = nlohmann::json::parse(RecordToJson(
      MakeRecord(kAccept, AddressFamily::kV6, Leaking(Outcome::kPass))));
  EXPECT_EQ(leaks["outcome"], "pass");
  EXPECT_EQ(leaks["leak"], "leak");
  EXPECT_EQ(leaks["leaked"], "left open: descriptor 7");
  const auto none = nlohmann::json::parse(
      RecordToJson(MakeRecord(kAccept, AddressFamily::kV6, {})));
  EXPECT_EQ(none["leak"], "");
}

TEST(RecordTest, TheEnvironmentSaysWhatOutcomesDependOn) {
  const std::string line = EnvironmentToJson();
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const auto environment = nlohmann::json::parse(line)["environment"];
  EXPECT_FALSE(environment["kernel"].get<std::string>().empty());
  EXPECT_TRUE(environment["sysctls"].contains("net.core.somaxconn"));
}

TEST(OutcomeTest, NamesAreReadBack) {
  for (const Outcome outcome : kAllOutcomes) {
    EXPECT_EQ(OutcomeFromName(OutcomeName(outcome)), outcome);
  }
  EXPECT_EQ(OutcomeFromName("passed"), std::nullopt);
}

TEST(ListTest, TextAndJsonTellTheSame) {
  const std::vector<const Case*> cases = {&kListen, &kAccept};
  EXPECT_THAT(FormatCaseList(cases),
              ContainsRegex("accept.plain +v6 +should +Accepting should work"));
  const auto json = nlohmann::json::parse(FormatCaseListJson(cases));
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["axes"], nlohmann::json({"v4", "v6"}));
  EXPECT_EQ(json[1]["needs"], nlohmann::json({"own network", "exec"}));
  EXPECT_THAT(FormatCase(kAccept), HasSubstr("own network, exec"));
}

}  // namespace
}  // namespace net::conformance
