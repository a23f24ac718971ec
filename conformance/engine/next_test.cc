#include "conformance/engine/next.h"

#include <string>
#include <vector>

#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::HasSubstr;

const Target kTarget = {.name = "mine"};

Record Failure(const Case& test_case, const std::string& calls = "a\nb\n") {
  return {.trial = {.test_case = &test_case, .target = &kTarget},
          .verdict = {.outcome = Outcome::kFail, .calls = calls}};
}

const Case kMust = {.id = "b.must", .requirement = "It must."};
const Case kEarlier = {.id = "a.must", .requirement = "It must, too."};
const Case kNeedy = {.id = "a.needy", .needs = Need::kOwnNetwork};
const Case kShould = {.id = "a.should", .level = Level::kShould};

const Case* CheapestOf(const std::vector<Record>& records) {
  const Record* const cheapest = CheapestFailure(records);
  return cheapest == nullptr ? nullptr : cheapest->trial.test_case;
}

TEST(CheapestFailure, IsAMustBeforeAShould) {
  EXPECT_EQ(CheapestOf({Failure(kShould, "a\n"), Failure(kMust)}), &kMust);
}

TEST(CheapestFailure, NeedsNothingBeforeItNeedsFewCalls) {
  EXPECT_EQ(CheapestOf({Failure(kNeedy, "a\n"), Failure(kMust)}), &kMust);
  EXPECT_EQ(CheapestOf({Failure(kShould, "a\n"), Failure(kNeedy)}), &kNeedy);
}

TEST(CheapestFailure, HasTheFewestCalls) {
  EXPECT_EQ(CheapestOf({Failure(kEarlier), Failure(kMust, "a\n")}), &kMust);
  EXPECT_EQ(CheapestOf({Failure(kEarlier, ""), Failure(kMust)}), &kMust);
}

TEST(CheapestFailure, IsTheFirstByItsId) {
  EXPECT_EQ(CheapestOf({Failure(kMust), Failure(kEarlier)}), &kEarlier);
}

TEST(CheapestFailure, IsNoneIfAllIsAsExpected) {
  Record passed = Failure(kMust);
  passed.verdict.outcome = Outcome::kPass;
  EXPECT_EQ(CheapestOf({passed}), nullptr);
  EXPECT_EQ(FormatNext({passed}, "run"), "next: nothing fails\n");
}

TEST(FormatNext, NamesTheCaseTheReasonAndTheCommands) {
  const std::string text =
      FormatNext({Failure(kMust), Failure(kShould)}, "run --driver=mine");
  EXPECT_THAT(text, HasSubstr("next: b.must v4 mine\n"));
  EXPECT_THAT(text, HasSubstr("requirement (must): It must.\n"));
  EXPECT_THAT(text, HasSubstr("of 2 failures, a `must` that needs nothing, and "
                              "the fewest system calls until it ended: 2\n"));
  EXPECT_THAT(text, HasSubstr(": run --driver=mine --cases=b.must\n"));
  EXPECT_THAT(text, HasSubstr(": run --driver=mine --explain=b.must\n"));
}

}  // namespace
}  // namespace net::conformance
