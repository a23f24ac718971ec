// Tests of drivers that leak: the reports, the commands that they name, and
// that no other trial is affected.

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/cases.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Makes the target of testdata/leaky.py with these arguments. Counts the
// drivers that it starts.
struct LeakyTarget {
  explicit LeakyTarget(absl::string_view arguments) {
    const std::string command = absl::StrCat(
        "python3 ", *FindRunfile("conformance/driver_host/testdata/leaky.py"),
        " ", arguments);
    target = {
        .name = "leaky", .cases = AllCases(), .start_subject = [this, command] {
          ++started;
          return StartDriver({.line = command});
        }};
  }
  LeakyTarget(const LeakyTarget&) = delete;
  LeakyTarget& operator=(const LeakyTarget&) = delete;
  ~LeakyTarget() = default;

  Target target;
  int started = 0;
};

// Runs the cases one at a time.
std::vector<Verdict> RunCases(const LeakyTarget& leaky,
                              const std::vector<const Case*>& cases) {
  std::vector<Trial> trials;
  for (const Case* one : cases) {
    trials.push_back({.test_case = one, .target = &leaky.target});
  }
  std::vector<Verdict> verdicts;
  RunTrials(trials, {},
            [&](const Record& record) { verdicts.push_back(record.verdict); });
  return verdicts;
}

Case MakeCase(void (*run)(Context&)) {
  return {.id = "driver.test",
          .requirement = "Nothing must leak.",
          .source = "the test",
          .run = run};
}

Verdict VerdictOn(absl::string_view arguments, void (*run)(Context&)) {
  const LeakyTarget leaky(arguments);
  const Case test_case = MakeCase(run);
  return RunCases(leaky, {&test_case}).front();
}

// Returns the lines about descriptors that were left open or wrongly closed.
std::vector<std::string> Leaks(const Verdict& verdict) {
  return absl::StrSplit(verdict.leaked, '\n', absl::SkipEmpty());
}

void FailToConnect(Context& c, const ConnectOptions& options = {}) {
  ASSERT_OK_AND_ASSIGN(const loopback::RefusedPort refused,
                       loopback::RefusedPort::Reserve(c.sys(), c.family()));
  EXPECT_THAT(c.Connect(refused.endpoint(), options), Fails(ECONNREFUSED));
}

const Case* FindInTable(absl::string_view id) {
  static const Target* const target = new Target{.cases = AllCases()};
  return FindCase({target, 1}, id);
}

TEST(LeakTest, ALeakIsBesideTheVerdictOfTheCase) {
  const Verdict passed = VerdictOn("", [](Context& c) { FailToConnect(c); });
  EXPECT_EQ(passed.outcome, Outcome::kPass) << passed.message;
  EXPECT_EQ(passed.leak, Leak::kLeak);
  const Verdict failed = VerdictOn("", [](Context& c) {
    FailToConnect(c);
    FAIL() << "of the case";
  });
  EXPECT_EQ(failed.outcome, Outcome::kFail);
  EXPECT_THAT(failed.message, HasSubstr("of the case"));
  EXPECT_EQ(failed.leak, Leak::kLeak);
}

TEST(LeakTest, ALeakHasItsDescriptorAddressAndCommand) {
  const Verdict verdict = VerdictOn("", [](Context& c) { FailToConnect(c); });
  EXPECT_THAT(
      Leaks(verdict),
      ElementsAre(AllOf(StartsWith("left open: descriptor "),
                        HasSubstr("socket 0.0.0.0:0 of the driver"),
                        HasSubstr("first seen after {\"address\":\"127.0.0.1\","
                                  "\"command\":\"connect\""))));
}

// The leaked socket gets the descriptor number that the listener had.
TEST(LeakTest, ACommandIsNotBlamedForANumberThatItsSocketHadBefore) {
  const Verdict verdict = VerdictOn("", [](Context& c) {
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
    ASSERT_THAT(listener.Close(), IsOk());
    FailToConnect(c);
  });
  EXPECT_THAT(Leaks(verdict),
              ElementsAre(AllOf(HasSubstr("\"command\":\"connect\""),
                                Not(HasSubstr("\"command\":\"listen\"")))));
}

TEST(LeakTest, ASocketThatWasNotClosedIsNamedWithItsCommand) {
  const Verdict verdict = VerdictOn("", [](Context& c) {
    EXPECT_THAT(c.implementation().Listen({c.Loopback(), 0}, {}), IsOk());
  });
  EXPECT_THAT(
      Leaks(verdict),
      ElementsAre(AllOf(HasSubstr("left open: descriptor "),
                        HasSubstr("listening of the driver, made by {"),
                        HasSubstr("\"command\":\"listen\"")),
                  AllOf(HasSubstr("left open in the driver: socket 1"),
                        HasSubstr("(descriptor "), HasSubstr("made by {"))));
}

// The driver's descriptors and the runner's duplicates are in two processes.
// With many leaks, some numbers are equal.
TEST(LeakTest, ADescriptorOfTheDriverIsNoDuplicateOfTheSameNumber) {
  const Verdict verdict = VerdictOn("", [](Context& c) {
    ASSERT_OK_AND_ASSIGN(const loopback::RefusedPort refused,
                         loopback::RefusedPort::Reserve(c.sys(), c.family()));
    for (int i = 0; i < 100; ++i) {
      EXPECT_FALSE(c.Connect(refused.endpoint(), {.no_cloexec = true}).ok());
    }
    ASSERT_OK_AND_ASSIGN(const Sock closed, c.Listen());
    ASSERT_OK_AND_ASSIGN(const Sock kept, c.Listen({.no_cloexec = true}));
    ASSERT_OK_AND_ASSIGN(const Witness closed_witness, closed.Inspect());
    ASSERT_OK_AND_ASSIGN(const Witness kept_witness, kept.Inspect());
    const auto open = c.env().DescriptorsAfterExec();
    EXPECT_FALSE(HasOwnFd(open, closed_witness.fd()));
    EXPECT_TRUE(HasOwnFd(open, kept_witness.fd()));
  });
  EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
}

// Behind a driver this starts a second driver. The ledger covers both.
TEST(LeakTest, TheLedgerIsThatOfAllProcessesOfTheTrial) {
  const Verdict before = VerdictOn("", [](Context& c) {
    FailToConnect(c);
    c.env().DropPrivilegedPorts();
    EXPECT_THAT(c.Listen(), IsOk());
  });
  EXPECT_THAT(Leaks(before), ElementsAre(HasSubstr("left open: descriptor ")));
  const Verdict after = VerdictOn("", [](Context& c) {
    c.env().DropPrivilegedPorts();
    FailToConnect(c);
  });
  EXPECT_THAT(Leaks(after), ElementsAre(HasSubstr("left open: descriptor ")));
}

TEST(LeakTest, WhatADriverHadOpenBeforeTheTrialIsNoLeak) {
  const LeakyTarget leaky("early");
  const Case drops = MakeCase([](Context& c) {
    c.env().DropPrivilegedPorts();
    EXPECT_THAT(c.Listen(), IsOk());
  });
  const Case listens =
      MakeCase([](Context& c) { EXPECT_THAT(c.Listen(), IsOk()); });
  for (const Verdict& verdict : RunCases(leaky, {&drops, &listens, &drops})) {
    EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
    EXPECT_THAT(Leaks(verdict), IsEmpty());
  }
  EXPECT_EQ(leaky.started, 1);
}

TEST(LeakTest, ADriverThatLeakedServesNoOtherTrial) {
  const LeakyTarget leaky("");
  const Case leaks = MakeCase([](Context& c) { FailToConnect(c); });
  const Case listens =
      MakeCase([](Context& c) { EXPECT_THAT(c.Listen(), IsOk()); });
  RunCases(leaky, {&listens, &listens, &leaks});
  EXPECT_EQ(leaky.started, 1);
  RunCases(leaky, {&leaks, &leaks, &listens, &listens});
  EXPECT_EQ(leaky.started, 4);
}

// The ledger is read before `reset`.
TEST(LeakTest, NorDoesOneThatIsNotAsItWasAtFirst) {
  const LeakyTarget leaky("at_reset");
  const Case listens =
      MakeCase([](Context& c) { EXPECT_THAT(c.Listen(), IsOk()); });
  for (const Verdict& verdict : RunCases(leaky, {&listens, &listens})) {
    EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
    EXPECT_EQ(verdict.leak, Leak::kNone);
  }
  EXPECT_EQ(leaky.started, 2);
}

// Cases that once failed or leaked after other cases with the same driver.
TEST(LeakTest, ACaseEndsAsIfItWereTheFirst) {
  for (const absl::string_view second : {"listen.privileged.port_zero_is_not",
                                         "descriptors.exec.each_its_own"}) {
    const Case* judged = FindInTable(second);
    ASSERT_NE(judged, nullptr) << second;
    const LeakyTarget leaky("");
    const Verdict alone = RunCases(leaky, {judged}).front();
    for (const absl::string_view first :
         {"connect.failure.closes_its_descriptor",
          "descriptors.exec.nothing_else"}) {
      SCOPED_TRACE(absl::StrCat(second, " after ", first));
      const Case* before = FindInTable(first);
      ASSERT_NE(before, nullptr) << first;
      const Verdict after = RunCases(leaky, {before, judged}).back();
      EXPECT_EQ(after.outcome, alone.outcome) << after.message;
      EXPECT_EQ(after.leak, alone.leak) << after.leaked;
      EXPECT_EQ(Leaks(after).size(), Leaks(alone).size()) << after.leaked;
    }
  }
}

}  // namespace
}  // namespace net::conformance
