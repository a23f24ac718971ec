// What the runner makes of drivers that misbehave: each has its outcome and its
// words, and the next case runs.

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/case.h"
#include "conformance/case_matchers.h"
#include "conformance/context.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void Listens(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
}
constexpr Case kListens = {.id = "driver.listens",
                           .requirement = "It must listen.",
                           .source = "the test",
                           .run = &Listens};
void DoesNothing(Context& c) { static_cast<void>(c); }
constexpr Case kDoesNothing = {.id = "driver.does_nothing",
                               .requirement = "It must do nothing.",
                               .source = "the test",
                               .run = &DoesNothing};

Column MakeColumn(const std::string& command) {
  return {.name = "rogue", .start_subject = [command] {
            return StartDriver({.line = command});
          }};
}

std::string Rogue(absl::string_view fault) {
  return absl::StrCat("python3 ",
                      *FindRunfile("conformance/driver_host/testdata/rogue.py"),
                      " ", fault);
}

// The verdict on a driver with that fault in a case that listens. The case
// after it must pass: no run is lost.
Verdict VerdictOn(const std::string& command) {
  const Column column = MakeColumn(command);
  std::vector<Record> records;
  RunTrials({{.test_case = &kListens, .column = &column},
             {.test_case = &kDoesNothing, .column = &column}},
            {.timeout = absl::Seconds(10)},
            [&](const Record& record) { records.push_back(record); });
  EXPECT_EQ(records.size(), 2);
  EXPECT_EQ(records.back().verdict.outcome, Outcome::kPass)
      << records.back().verdict.message;
  return records.front().verdict;
}

TEST(RogueTest, ADriverWithoutFaultPasses) {
  const Verdict verdict = VerdictOn(Rogue("none"));
  EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
}

TEST(RogueTest, ADriverThatDies) {
  const Verdict verdict = VerdictOn(Rogue("dies"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("the driver ended"), HasSubstr("SIGSEGV"),
                    HasSubstr("> {\"address\":\"127.0.0.1\"")));
}

TEST(RogueTest, ADriverThatExits) {
  const Verdict verdict = VerdictOn(Rogue("exits"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, AllOf(HasSubstr("exited with status 3"),
                                     HasSubstr("something is missing")));
}

TEST(RogueTest, ADriverThatHangs) {
  const Column column = MakeColumn(Rogue("hangs"));
  std::vector<Record> records;
  RunTrials({{.test_case = &kListens, .column = &column},
             {.test_case = &kDoesNothing, .column = &column}},
            {.timeout = absl::Seconds(2)},
            [&](const Record& record) { records.push_back(record); });
  EXPECT_EQ(records[0].verdict.outcome, Outcome::kTimeout);
  EXPECT_THAT(records[0].verdict.message,
              AllOf(HasSubstr("python3: sleeps"), HasSubstr("syscall ")));
  EXPECT_EQ(records[1].verdict.outcome, Outcome::kPass);
}

TEST(RogueTest, ADriverThatEndsInTheMiddleOfAFrame) {
  const Verdict verdict = VerdictOn(Rogue("half"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("in the middle of a frame"));
}

TEST(RogueTest, ADriverThatPrintsOnTheChannel) {
  const Verdict verdict = VerdictOn(Rogue("prints"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, AllOf(HasSubstr("broke the protocol"),
                                     HasSubstr("Hello, world!")));
}

TEST(RogueTest, ADriverThatFloodsItsOutputLosesTheBeginningOfIt) {
  const Verdict verdict = VerdictOn(Rogue("floods"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("the last line"));
  EXPECT_LT(verdict.message.size(), 16384);
}

TEST(RogueTest, ADriverThatAnswersTwice) {
  const Verdict verdict = VerdictOn(Rogue("twice"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message,
              HasSubstr("it answered 3, which is no command that waits"));
}

TEST(RogueTest, ADriverThatRepeatsAnAnswerAfterTheCase) {
  const Verdict verdict = VerdictOn(Rogue("repeats"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message,
              HasSubstr("it answered 3, which is no command that waits"));
}

TEST(RogueTest, ADriverWithAHugeFrame) {
  const Verdict verdict = VerdictOn(Rogue("huge"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("a frame of 99999999 bytes"));
}

TEST(RogueTest, ADriverThatAnswersOkAndError) {
  const Verdict verdict = VerdictOn(Rogue("both"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("exactly one of"));
}

TEST(RogueTest, ADriverThatIsAtFaultItself) {
  const Verdict verdict = VerdictOn(Rogue("internal"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("KeyError: 7"));
}

TEST(RogueTest, ADriverThatLiesAboutItsPort) {
  const Verdict verdict = VerdictOn(Rogue("lies"));
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, AllOf(HasSubstr("reports port"),
                                     HasSubstr("but its socket listens on")));
}

TEST(RogueTest, ADriverThatLeaks) {
  const Verdict verdict = VerdictOn(Rogue("leaks"));
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.leak, Leak::kLeak);
  EXPECT_THAT(verdict.leaked, AllOf(HasSubstr("left open: descriptor"),
                                    HasSubstr("listening of the driver")));
}

TEST(RogueTest, ADriverThatSaysThatSocketsWereOpen) {
  const Verdict verdict = VerdictOn(Rogue("none"));
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  const Column column = MakeColumn(Rogue("forgets"));
  RunTrials(
      {{.test_case = &kListens, .column = &column}}, {},
      [](const Record& record) {
        EXPECT_EQ(record.verdict.outcome, Outcome::kPass);
        EXPECT_EQ(record.verdict.leak, Leak::kLeak);
        EXPECT_THAT(
            record.verdict.leaked,
            HasSubstr(
                "left open in the driver: socket 99, made by no command"));
      });
}

TEST(RogueTest, ADriverThatClaimsEverythingUnsupported) {
  const Verdict verdict = VerdictOn(Rogue("unsupported"));
  EXPECT_EQ(verdict.outcome, Outcome::kUnsupported);
  EXPECT_EQ(verdict.claimed, std::vector<std::string>{"listen"});
}

TEST(RogueTest, ACommandThatCannotBeRun) {
  const Column column = MakeColumn("/nonexistent/driver");
  RunTrials({{.test_case = &kListens, .column = &column}}, {},
            [](const Record& record) {
              EXPECT_EQ(record.verdict.outcome, Outcome::kCrash);
              EXPECT_THAT(record.verdict.message,
                          AllOf(HasSubstr("exited with status 127"),
                                HasSubstr("/nonexistent/driver"),
                                HasSubstr("not found")));
            });
}

}  // namespace
}  // namespace net::conformance
