#include "conformance/engine/expectations.h"

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/suite/case.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Case kDefault = {.id = "listen.backlog.default", .run = nullptr};
constexpr Case kZero = {.id = "listen.backlog.zero", .run = nullptr};
constexpr Case kAccept = {.id = "accept.order", .run = nullptr};

Expectations Parse(absl::string_view text, const Surroundings& here = {}) {
  absl::StatusOr<Expectations> parsed =
      Expectations::Parse(text, "x.expectations", here);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *std::move(parsed);
}

Record MakeRecord(const Case& one, Outcome outcome, std::string error = "",
                  AddressFamily family = AddressFamily::kV4) {
  return {.trial = {.test_case = &one, .family = family},
          .verdict = {.outcome = outcome, .message = "m", .error = error}};
}

Verdict Judge(Expectations& expectations, Record record) {
  expectations.Apply(record);
  return record.verdict;
}

TEST(ExpectationsTest, AFailureThatIsListedIsExpected) {
  Expectations known = Parse("accept.order  fail  # why it is so\n");
  const Verdict verdict = Judge(known, MakeRecord(kAccept, Outcome::kFail));
  EXPECT_EQ(verdict.outcome, Outcome::kExpectedFail);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("why it is so"), HasSubstr("x.expectations:1")));
  EXPECT_THAT(known.Problems(), IsEmpty());
}

TEST(ExpectationsTest, OneThatIsNotIsNot) {
  Expectations known = Parse("accept.*  fail  # why\n");
  EXPECT_EQ(Judge(known, MakeRecord(kZero, Outcome::kFail)).outcome,
            Outcome::kFail);
}

TEST(ExpectationsTest, APassAgainstALineIsUnexpected) {
  Expectations known = Parse("# head\n\nlisten.*  fail  # why\n");
  EXPECT_EQ(Judge(known, MakeRecord(kZero, Outcome::kFail)).outcome,
            Outcome::kExpectedFail);
  const Verdict too_wide = Judge(known, MakeRecord(kDefault, Outcome::kPass));
  EXPECT_EQ(too_wide.outcome, Outcome::kUnexpectedPass);
  EXPECT_THAT(too_wide.message, HasSubstr("x.expectations:3"));
}

TEST(ExpectationsTest, AnotherEndingOrErrorIsUnexpected) {
  Expectations known = Parse("accept.order  fail error=EACCES  # why\n");
  EXPECT_EQ(Judge(known, MakeRecord(kAccept, Outcome::kFail, "EACCES")).outcome,
            Outcome::kExpectedFail);
  const Verdict other =
      Judge(known, MakeRecord(kAccept, Outcome::kFail, "EPERM"));
  EXPECT_EQ(other.outcome, Outcome::kFail);
  EXPECT_THAT(other.message, AllOf(HasSubstr("EACCES"), HasSubstr("EPERM")));
  EXPECT_EQ(Judge(known, MakeRecord(kAccept, Outcome::kTimeout)).outcome,
            Outcome::kTimeout);
}

TEST(ExpectationsTest, FlakyIsEitherWay) {
  Expectations known = Parse("accept.order  flaky  # why\n");
  EXPECT_EQ(Judge(known, MakeRecord(kAccept, Outcome::kPass)).outcome,
            Outcome::kPass);
  EXPECT_EQ(Judge(known, MakeRecord(kAccept, Outcome::kTimeout)).outcome,
            Outcome::kExpectedFail);
  EXPECT_THAT(known.Problems(), IsEmpty());
}

TEST(ExpectationsTest, ATimeoutMayHangAndSoMayWhatIsFlaky) {
  const Expectations known = Parse(
      "accept.order  timeout axis=v6  # why\n"
      "accept.order  flaky axis=v4  # why\n"
      "listen.*  fail  # why\n");
  EXPECT_TRUE(
      known.MayHang({.test_case = &kAccept, .family = AddressFamily::kV6}));
  EXPECT_TRUE(
      known.MayHang({.test_case = &kAccept, .family = AddressFamily::kV4}));
  EXPECT_FALSE(known.MayHang({.test_case = &kZero}));
}

TEST(ExpectationsTest, ALineMayBeAboutOneAddressFamily) {
  Expectations known = Parse("accept.order  fail axis=v6  # why\n");
  EXPECT_EQ(
      Judge(known, MakeRecord(kAccept, Outcome::kFail, "", AddressFamily::kV6))
          .outcome,
      Outcome::kExpectedFail);
  EXPECT_EQ(Judge(known, MakeRecord(kAccept, Outcome::kFail)).outcome,
            Outcome::kFail);
}

TEST(ExpectationsTest, ALineMayHaveConditions) {
  const auto outcome_with = [](absl::string_view conditions) {
    Expectations known =
        Parse(absl::StrCat("accept.order  fail ", conditions, "  # why\n"),
              {.kernel_major = 6,
               .kernel_minor = 1,
               .root = true,
               .version = "1.44.2"});
    return Judge(known, MakeRecord(kAccept, Outcome::kFail)).outcome;
  };
  EXPECT_EQ(outcome_with("if=root"), Outcome::kExpectedFail);
  EXPECT_EQ(outcome_with("if=unprivileged"), Outcome::kFail);
  EXPECT_EQ(outcome_with("if=kernel>=6.1"), Outcome::kExpectedFail);
  EXPECT_EQ(outcome_with("if=kernel>=6.10"), Outcome::kFail);
  EXPECT_EQ(outcome_with("if=kernel<6.10"), Outcome::kExpectedFail);
  EXPECT_EQ(outcome_with("if=root if=kernel<6.1"), Outcome::kFail);
  EXPECT_EQ(outcome_with("if=version>=1.44"), Outcome::kExpectedFail);
  EXPECT_EQ(outcome_with("if=version>=1.45"), Outcome::kFail);
  EXPECT_EQ(outcome_with("if=version<2.0"), Outcome::kExpectedFail);
  EXPECT_EQ(outcome_with("if=linux"), Outcome::kExpectedFail);
  EXPECT_EQ(outcome_with("if=fake_kernel"), Outcome::kFail);
}

TEST(ExpectationsTest, TargetsOnTwoKernelsMayShareAFile) {
  const absl::string_view text =
      "accept.order  timeout if=linux  # it blocks\n"
      "accept.order  fail if=fake_kernel  # it blocks in virtual time\n";
  Expectations on_linux = Parse(text);
  Expectations on_fake = Parse(text, {.fake_kernel = true});
  EXPECT_EQ(Judge(on_linux, MakeRecord(kAccept, Outcome::kTimeout)).outcome,
            Outcome::kExpectedFail);
  EXPECT_EQ(Judge(on_fake, MakeRecord(kAccept, Outcome::kFail)).outcome,
            Outcome::kExpectedFail);
  EXPECT_THAT(on_linux.Problems(), IsEmpty());
  EXPECT_THAT(on_fake.Problems(), IsEmpty());
  EXPECT_FALSE(on_fake.MayHang({.test_case = &kAccept}));
}

TEST(ExpectationsTest, ALineWhoseConditionsFailIsNotStale) {
  EXPECT_THAT(Parse("accept.order  fail if=root  # why\n").Problems(),
              IsEmpty());
}

TEST(ExpectationsTest, StaleLinesAreProblemsWithTheirNumbers) {
  Expectations known = Parse(
      "# head\n"
      "accept.order  fail  # why\n"
      "listen.*  crash  # why\n"
      "nothing.*  fail  # why\n");
  static_cast<void>(Judge(known, MakeRecord(kAccept, Outcome::kUnsupported)));
  static_cast<void>(Judge(known, MakeRecord(kZero, Outcome::kPass)));
  EXPECT_THAT(
      known.Problems(),
      ElementsAre(
          AllOf(HasSubstr("x.expectations:2:"), HasSubstr("unsupported")),
          AllOf(HasSubstr("x.expectations:3:"), HasSubstr("pass")),
          AllOf(HasSubstr("x.expectations:4:"), HasSubstr("no case"))));
}

TEST(ExpectationsTest, APreconditionProvesNothing) {
  Expectations known = Parse("accept.order  fail  # why\n");
  EXPECT_EQ(Judge(known, MakeRecord(kAccept, Outcome::kPrecondition)).outcome,
            Outcome::kPrecondition);
  EXPECT_THAT(known.Problems(), IsEmpty());
}

Record MakeLeak(const Case& one, Outcome outcome,
                AddressFamily family = AddressFamily::kV4) {
  Record record = MakeRecord(one, outcome, "", family);
  record.verdict.leak = Leak::kLeak;
  record.verdict.leaked = "left open: descriptor 7";
  return record;
}

TEST(ExpectationsTest, ALeakThatIsListedIsExpected) {
  Expectations known = Parse("accept.order  leak  # why it is so\n");
  const Verdict verdict = Judge(known, MakeLeak(kAccept, Outcome::kPass));
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.leak, Leak::kExpectedLeak);
  EXPECT_THAT(verdict.leaked,
              AllOf(HasSubstr("why it is so"), HasSubstr("x.expectations:1"),
                    HasSubstr("descriptor 7")));
  EXPECT_TRUE(IsExpected(verdict));
  EXPECT_THAT(known.Problems(), IsEmpty());
}

TEST(ExpectationsTest, ALeakAndAFailureAreExpectedApart) {
  Expectations both = Parse(
      "accept.order  fail  # why it fails\n"
      "accept.order  leak  # why it leaks\n");
  const Verdict verdict = Judge(both, MakeLeak(kAccept, Outcome::kFail));
  EXPECT_EQ(verdict.outcome, Outcome::kExpectedFail);
  EXPECT_EQ(verdict.leak, Leak::kExpectedLeak);
  EXPECT_THAT(verdict.message, HasSubstr("why it fails"));
  EXPECT_THAT(verdict.leaked, HasSubstr("why it leaks"));
  EXPECT_THAT(both.Problems(), IsEmpty());

  Expectations leak = Parse("accept.order  leak  # why\n");
  EXPECT_EQ(Judge(leak, MakeLeak(kAccept, Outcome::kFail)).outcome,
            Outcome::kFail);
  Expectations fail = Parse("accept.order  fail  # why\n");
  const Verdict leaks = Judge(fail, MakeLeak(kAccept, Outcome::kFail));
  EXPECT_EQ(leaks.outcome, Outcome::kExpectedFail);
  EXPECT_EQ(leaks.leak, Leak::kLeak);
  EXPECT_FALSE(IsExpected(leaks));
}

TEST(ExpectationsTest, NoLeakAgainstALineIsUnexpected) {
  Expectations known = Parse("accept.order  leak  # why\n");
  const Verdict verdict = Judge(known, MakeRecord(kAccept, Outcome::kPass));
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.leak, Leak::kUnexpectedNoLeak);
  EXPECT_THAT(verdict.leaked, HasSubstr("x.expectations:1"));
  EXPECT_FALSE(IsExpected(verdict));
}

TEST(ExpectationsTest, FlakyLeaksAreEitherWay) {
  Expectations known = Parse("accept.order  flaky-leak  # why\n");
  EXPECT_EQ(Judge(known, MakeRecord(kAccept, Outcome::kPass)).leak,
            Leak::kNone);
  EXPECT_EQ(Judge(known, MakeLeak(kAccept, Outcome::kPass)).leak,
            Leak::kExpectedLeak);
  EXPECT_FALSE(known.MayHang({.test_case = &kAccept}));
  EXPECT_THAT(known.Problems(), IsEmpty());
}

TEST(ExpectationsTest, ALeakMayBeOfOneAddressFamilyAndHaveConditions) {
  Expectations known = Parse(
      "accept.order  leak axis=v6  # why\n"
      "listen.backlog.zero  leak if=root  # why\n");
  EXPECT_EQ(Judge(known, MakeLeak(kAccept, Outcome::kPass)).leak, Leak::kLeak);
  EXPECT_EQ(
      Judge(known, MakeLeak(kAccept, Outcome::kPass, AddressFamily::kV6)).leak,
      Leak::kExpectedLeak);
  EXPECT_EQ(Judge(known, MakeLeak(kZero, Outcome::kPass)).leak, Leak::kLeak);
  EXPECT_THAT(known.Problems(), IsEmpty());
}

TEST(ExpectationsTest, ATrialThatEndedEarlyProvesNothingOfALeak) {
  for (const Outcome outcome :
       {Outcome::kTimeout, Outcome::kCrash, Outcome::kPrecondition}) {
    Expectations known = Parse("accept.order  leak  # why\n");
    const Verdict verdict = Judge(known, MakeRecord(kAccept, outcome));
    EXPECT_EQ(verdict.outcome, outcome);
    EXPECT_EQ(verdict.leak, Leak::kNone);
    EXPECT_THAT(known.Problems(), IsEmpty());
  }
}

TEST(ExpectationsTest, StaleLinesAboutLeaksAreProblems) {
  Expectations known = Parse(
      "accept.order  leak  # why\n"
      "listen.*  leak  # why\n"
      "nothing.*  leak  # why\n");
  static_cast<void>(Judge(known, MakeRecord(kAccept, Outcome::kUnsupported)));
  static_cast<void>(Judge(known, MakeRecord(kZero, Outcome::kFail)));
  EXPECT_THAT(
      known.Problems(),
      ElementsAre(
          AllOf(HasSubstr("x.expectations:1:"), HasSubstr("unsupported")),
          AllOf(HasSubstr("x.expectations:2:"), HasSubstr("do not leak")),
          AllOf(HasSubstr("x.expectations:3:"), HasSubstr("no case"))));
}

TEST(ExpectationsTest, FixWritesLeaksBesideFailures) {
  const Expectations known = Parse(
      "listen.*  fail  # the library's backlog\n"
      "listen.*  leak  # the library's sockets\n");
  const std::vector<Record> records = {
      MakeRecord(kDefault, Outcome::kFail), MakeLeak(kZero, Outcome::kFail),
      MakeLeak(kAccept, Outcome::kFail),
      MakeLeak(kAccept, Outcome::kFail, AddressFamily::kV6)};
  EXPECT_EQ(known.Fix(records),
            "listen.*  fail  # the library's backlog\n"
            "listen.backlog.zero  leak axis=v4  # the library's sockets\n"
            "accept.order  fail  # ?\n"
            "accept.order  leak  # ?\n");
}

TEST(ExpectationsTest, TheReasonThatFixGivesIsNone) {
  Expectations known = Parse("accept.order  fail  # ?\n");
  static_cast<void>(Judge(known, MakeRecord(kAccept, Outcome::kFail)));
  EXPECT_THAT(known.Problems(), ElementsAre(HasSubstr("needs a reason")));
}

TEST(ExpectationsTest, MistakesNameTheirLine) {
  const auto error_of = [](absl::string_view line) {
    return std::string(Expectations::Parse(absl::StrCat("\n", line), "x", {})
                           .status()
                           .message());
  };
  EXPECT_EQ(error_of("accept.order fail"), "x:2: a reason is missing: `# why`");
  EXPECT_EQ(error_of("accept.order  # why"),
            "x:2: expected a glob of cases and an ending");
  EXPECT_EQ(error_of("accept.order fials # why"),
            "x:2: 'fials' is not one of fail, timeout, crash, flaky, leak and "
            "flaky-leak");
  EXPECT_EQ(error_of("accept.order leak error=EINVAL # why"),
            "x:2: a leak has no error=");
  EXPECT_EQ(error_of("accept.order fail axis=v5 # why"),
            "x:2: 'axis=v5' is not axis=, error= or if=");
  EXPECT_EQ(error_of("accept.order fail if=kernel>=new # why"),
            "x:2: 'kernel>=new' is not axis=, error= or if=");
  EXPECT_EQ(error_of("accept.order fail if=kernel>=6.1.2 # why"),
            "x:2: 'kernel>=6.1.2' is not axis=, error= or if=");
  EXPECT_EQ(
      error_of("accept.order fail if=version<2.0 # why"),
      "x:2: 'version<2.0' is not axis=, error= or if=: the version is not "
      "known before the run");
}

TEST(ExpectationsTest, FixKeepsWhatIsRightAndNamesWhatIsNew) {
  const Expectations known = Parse(
      "# Head.\n"
      "listen.*  fail  # the library's backlog\n"
      "accept.gone  fail  # removed\n"
      "accept.flaky  flaky  # now and then\n");
  const std::vector<Record> records = {
      MakeRecord(kDefault, Outcome::kFail),
      MakeRecord(kDefault, Outcome::kFail, "", AddressFamily::kV6),
      MakeRecord(kZero, Outcome::kPass),
      MakeRecord(kAccept, Outcome::kTimeout, "", AddressFamily::kV6)};
  EXPECT_EQ(known.Fix(records),
            "# Head.\n"
            "listen.backlog.default  fail  # the library's backlog\n"
            "accept.flaky  flaky  # now and then\n"
            "accept.order  timeout axis=v6  # ?\n");
}

TEST(ExpectationsTest, FixWritesTheErrorThatWasSeen) {
  EXPECT_EQ(Expectations().Fix({MakeRecord(kZero, Outcome::kFail, "EACCES")}),
            "listen.backlog.zero  fail error=EACCES axis=v4  # ?\n");
}

TEST(ExpectationsTest, FixOfWhatIsRightChangesNothing) {
  const std::string text = "# Head.\nlisten.*  fail  # why\n";
  EXPECT_EQ(Parse(text).Fix({MakeRecord(kZero, Outcome::kFail),
                             MakeRecord(kDefault, Outcome::kFail)}),
            text);
}

TEST(ExpectationsTest, FixLeavesWhatCouldNotBeSeen) {
  const std::string text = "listen.*  fail  # why\n";
  EXPECT_EQ(Parse(text).Fix({MakeRecord(kZero, Outcome::kPrecondition)}), text);
}

TEST(SurroundingsTest, AreThoseOfThisMachine) {
  const Surroundings here = Surroundings::Here("1.2.3");
  EXPECT_GE(here.kernel_major, 4);
  EXPECT_EQ(here.version, "1.2.3");
  EXPECT_EQ(here.root, geteuid() == 0);
  EXPECT_FALSE(here.fake_kernel);
  EXPECT_TRUE(Surroundings::Here("", /*fake_kernel=*/true).fake_kernel);
}

}  // namespace
}  // namespace net::conformance
