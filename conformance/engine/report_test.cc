#include "conformance/engine/report.h"

#include <string>
#include <vector>

#include "conformance/case.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

// What people and programs get to read: the report, the records, the lists.

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
                      .axes = Axes::kV6,
                      .needs = Need::kOwnNetwork | Need::kExec,
                      .run = nullptr};
const Case kKernelBind = {.id = "kernel.bind.plain",
                          .requirement = "Binding must work.",
                          .source = "bind(2)",
                          .run = nullptr};
const Column kColumn = {.name = "net_tcp"};

Record MakeRecord(const Case& test_case, Axis axis, Verdict verdict) {
  return {.trial = {.test_case = &test_case, .axis = axis, .column = &kColumn},
          .verdict = std::move(verdict),
          .milliseconds = 12};
}

TEST(ReportTest, CountsOutcomesOfEachSubject) {
  const std::vector<Record> records = {
      MakeRecord(kListen, Axis::kV4, {}),
      MakeRecord(kListen, Axis::kV6, {}),
      MakeRecord(kAccept, Axis::kV6,
                 {.outcome = Outcome::kFail, .message = "a.cc:1: no"}),
  };
  const std::string report = FormatReport(records);
  EXPECT_THAT(report, ContainsRegex("net_tcp +pass +fail +trials\n"));
  EXPECT_THAT(report, ContainsRegex("listen +2 +- +2\n"));
  EXPECT_THAT(report, ContainsRegex("accept +- +1 +1\n"));
  EXPECT_THAT(report, ContainsRegex("total +2 +1 +3\n"));
}

TEST(ReportTest, SeveralColumnsAreOneTable) {
  const Column other = {.name = "other"};
  Record passed = MakeRecord(kAccept, Axis::kV6, {});
  Record failed = MakeRecord(kAccept, Axis::kV6, {.outcome = Outcome::kFail});
  Record expected =
      MakeRecord(kListen, Axis::kV4,
                 {.outcome = Outcome::kExpectedFail, .message = "known"});
  failed.trial.column = &other;
  expected.trial.column = &other;
  const std::vector<Record> records = {passed, expected, failed};
  const std::string report = FormatReport(records);
  EXPECT_THAT(report, ContainsRegex("passed +net_tcp +other\n"));
  EXPECT_THAT(report, ContainsRegex("accept +1 +!0/1\n"));
  EXPECT_THAT(report, ContainsRegex("listen + +0/1\n"));
  EXPECT_THAT(report, ContainsRegex("total +1 +!0/2\n"));
  EXPECT_THAT(report, ContainsRegex("expected-fail +- +1\n"));
  EXPECT_THAT(report, Not(HasSubstr("known")));
  EXPECT_THAT(FormatReport(records, /*verbose=*/true), HasSubstr("known"));
}

Verdict Leaking(Outcome outcome, Leak leak = Leak::kLeak) {
  return {.outcome = outcome,
          .message = outcome == Outcome::kPass ? "" : "a.cc:1: no",
          .leak = leak,
          .leaked = "left open: descriptor 7"};
}

TEST(ReportTest, CountsLeaksBesideOutcomes) {
  const std::string report = FormatReport({
      MakeRecord(kListen, Axis::kV4, {}),
      MakeRecord(kListen, Axis::kV6, Leaking(Outcome::kPass)),
      MakeRecord(kAccept, Axis::kV6, Leaking(Outcome::kFail)),
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
  const Column other = {.name = "other"};
  Record expected = MakeRecord(kListen, Axis::kV4,
                               Leaking(Outcome::kPass, Leak::kExpectedLeak));
  Record leaks = MakeRecord(kAccept, Axis::kV6, Leaking(Outcome::kPass));
  expected.trial.column = &other;
  leaks.trial.column = &other;
  const std::string report = FormatReport({
      MakeRecord(kListen, Axis::kV4, {}),
      MakeRecord(kAccept, Axis::kV6, {}),
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
      MakeRecord(kListen, Axis::kV4, Leaking(Outcome::kPass)),
      MakeRecord(kListen, Axis::kV6,
                 Leaking(Outcome::kPass, Leak::kExpectedLeak)),
      MakeRecord(kAccept, Axis::kV4, Leaking(Outcome::kUnsupported)),
      MakeRecord(kAccept, Axis::kV6, Leaking(Outcome::kFail))};
  const std::string xml = FormatJUnit(records);
  EXPECT_THAT(xml, HasSubstr("\"listen.plain v4\" time=\"0.012\">"
                             "<failure type=\"leak\">PASS, LEAK"));
  EXPECT_THAT(xml, HasSubstr("\"listen.plain v6\" time=\"0.012\"></testcase>"));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"leak\">UNSUPPORTED, LEAK"));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"fail\">FAIL, LEAK"));
  const std::string text = FormatMarkdown(records);
  EXPECT_THAT(text, HasSubstr("| `listen.plain` v4 | net_tcp | pass, leak | "
                              "Listening must work. | left open: descriptor 7 "
                              "|\n"));
}

TEST(ReportTest, JUnitTellsFailuresFromErrorsAndFromSkips) {
  const std::string xml = FormatJUnit(
      {MakeRecord(kListen, Axis::kV4, {}),
       MakeRecord(
           kListen, Axis::kV6,
           {.outcome = Outcome::kUnsupported, .message = "a <b> & \"c\""}),
       MakeRecord(kAccept, Axis::kV4,
                  {.outcome = Outcome::kFail, .message = "\x01 ]]>"}),
       MakeRecord(kAccept, Axis::kV6, {.outcome = Outcome::kCrash})});
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"net_tcp\" tests=\"4\">"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"net_tcp.listen\" "
                             "name=\"listen.plain v4\" time=\"0.012\">"
                             "</testcase>"));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"unsupported: a &lt;b&gt; "
                             "&amp; &quot;c&quot;\"/>"));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"fail\">"));
  EXPECT_THAT(xml, HasSubstr("? ]]&gt;"));
  EXPECT_THAT(xml, HasSubstr("<error type=\"crash\">"));
}

TEST(ReportTest, MarkdownListsWhatDidNotPass) {
  const std::string text = FormatMarkdown(
      {MakeRecord(kListen, Axis::kV4, {}),
       MakeRecord(kAccept, Axis::kV6,
                  {.outcome = Outcome::kFail, .message = "a | b\nmore"})});
  EXPECT_THAT(text, HasSubstr("| `accept.plain` v6 | net_tcp | fail | "
                              "Accepting should work. | a \\| b |\n"));
  EXPECT_THAT(text, Not(HasSubstr("| `listen.plain`")));
}

TEST(ReportTest, SubjectsOfTheKernelTableAreNamedSo) {
  const std::string report = FormatReport({
      MakeRecord(kKernelBind, Axis::kV4, {}),
      MakeRecord(kKernelBind, Axis::kV6, {}),
  });
  EXPECT_THAT(report, ContainsRegex("kernel.bind +2 +2\n"));
}

TEST(ReportTest, ExplainsWhatDidNotPassAndNothingElse) {
  const std::string report = FormatReport({
      MakeRecord(kListen, Axis::kV4, {}),
      MakeRecord(
          kAccept, Axis::kV6,
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
      MakeRecord(kAccept, Axis::kV6,
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
  const auto leaks = nlohmann::json::parse(
      RecordToJson(MakeRecord(kAccept, Axis::kV6, Leaking(Outcome::kPass))));
  EXPECT_EQ(leaks["outcome"], "pass");
  EXPECT_EQ(leaks["leak"], "leak");
  EXPECT_EQ(leaks["leaked"], "left open: descriptor 7");
  const auto none =
      nlohmann::json::parse(RecordToJson(MakeRecord(kAccept, Axis::kV6, {})));
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
