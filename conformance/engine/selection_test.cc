#include "conformance/engine/selection.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::vector<Case> kTable = {
    {.id = "listen.plain",
     .families = AddressFamilies::kV4AndV6,
     .run = nullptr},
    {.id = "listen.backlog.huge",
     .families = AddressFamilies::kV4,
     .run = nullptr},
    {.id = "accept.plain", .families = AddressFamilies::kV6, .run = nullptr}};
const std::vector<Case> kKernelTable = {{.id = "kernel.listen.plain",
                                         .families = AddressFamilies::kV4,
                                         .run = nullptr}};

// Two targets with the same table, and one with another.
const Target kOne = {.name = "one", .cases = kTable};
const Target kTwo = {.name = "two", .cases = kTable};
const Target kKernel = {.name = "kernel", .cases = kKernelTable};

std::vector<std::string> IdsOf(const std::vector<const Case*>& cases) {
  std::vector<std::string> ids;
  for (const Case* one : cases) ids.emplace_back(one->id);
  return ids;
}

TEST(SelectCasesTest, NoGlobsSelectAllOfTheTargetsTablesOnce) {
  const auto selected = SelectCases({&kOne, &kTwo, &kKernel}, {});
  ASSERT_TRUE(selected.ok());
  EXPECT_THAT(IdsOf(*selected),
              ElementsAre("listen.plain", "listen.backlog.huge", "accept.plain",
                          "kernel.listen.plain"));
}

TEST(SelectCasesTest, GlobsMatchWholeIdsAndKeepTheOrderOfTheTable) {
  const auto selected =
      SelectCases({&kOne}, {"accept.*", "*.huge", "listen.b*"});
  ASSERT_TRUE(selected.ok());
  EXPECT_THAT(IdsOf(*selected),
              ElementsAre("listen.backlog.huge", "accept.plain"));
}

TEST(SelectCasesTest, AGlobMayMatchInSeveralTables) {
  const auto selected = SelectCases({&kKernel, &kOne}, {"*listen.plain"});
  ASSERT_TRUE(selected.ok());
  EXPECT_THAT(IdsOf(*selected),
              ElementsAre("kernel.listen.plain", "listen.plain"));
}

TEST(SelectCasesTest, AGlobWithoutAMatchIsAnErrorThatNamesIt) {
  const auto selected = SelectCases({&kOne}, {"listen.*", "lisen.*"});
  ASSERT_FALSE(selected.ok());
  EXPECT_THAT(std::string(selected.status().message()), HasSubstr("'lisen.*'"));
}

TEST(SelectCasesTest, AGlobMustMatchInTheTablesOfTheTargets) {
  const auto selected = SelectCases({&kKernel}, {"accept.*"});
  ASSERT_FALSE(selected.ok());
  EXPECT_THAT(std::string(selected.status().message()),
              HasSubstr("no case of kernel matches 'accept.*'"));
}

TEST(SelectCasesTest, AMisspeltGlobGetsTheNearest) {
  const auto message = [](const std::string& glob) {
    return std::string(SelectCases({&kOne}, {glob}).status().message());
  };
  EXPECT_THAT(message("lisen.*"), HasSubstr("did you mean 'listen.*'?"));
  EXPECT_THAT(message("listen.backlog.hgue"),
              HasSubstr("did you mean 'listen.backlog.huge'?"));
  EXPECT_THAT(message("nonsense"), Not(HasSubstr("did you mean")));
}

TEST(FindNamedCaseTest, AMisspeltIdGetsTheNearest) {
  const std::vector<Target> targets = {kOne};
  EXPECT_EQ(*FindNamedCase(targets, "accept.plain"), &kTable[2]);
  EXPECT_EQ(FindNamedCase(targets, "acept.plain").status().message(),
            "there is no case 'acept.plain'; did you mean 'accept.plain'?");
}

TEST(FindCaseTest, LooksInAllTables) {
  const std::vector<Target> targets = {kOne, kKernel};
  EXPECT_EQ(FindCase(targets, "accept.plain"), &kTable[2]);
  EXPECT_EQ(FindCase(targets, "kernel.listen.plain"), &kKernelTable[0]);
  EXPECT_EQ(FindCase(targets, "accept.*"), nullptr);
}

TEST(SelectTargetsTest, NamesSelectAndUnknownOnesListWhatThereIs) {
  const std::vector<Target> targets = {{.name = "one"}, {.name = "two"}};
  const auto two = SelectTargets(targets, {"two"});
  ASSERT_TRUE(two.ok());
  EXPECT_THAT(*two, ElementsAre(&targets[1]));
  const auto all = SelectTargets(targets, {});
  ASSERT_TRUE(all.ok());
  EXPECT_THAT(*all, ElementsAre(&targets[0], &targets[1]));
  const auto none = SelectTargets(targets, {"three"});
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("one, two"));
  EXPECT_THAT(std::string(SelectTargets(targets, {"tow"}).status().message()),
              HasSubstr("did you mean 'two'?"));
}

TEST(MakeTrialsTest,
     EveryCaseOnEachOfItsAddressFamiliesForEveryTargetOfItsTable) {
  const std::vector<const Target*> targets = {&kOne, &kTwo, &kKernel};
  const auto cases = SelectCases(targets, {});
  ASSERT_TRUE(cases.ok());
  std::vector<std::string> names;
  for (const Trial& trial : MakeTrials(*cases, targets)) {
    names.push_back(TrialName(trial));
  }
  EXPECT_THAT(names,
              ElementsAre("listen.plain v4 one", "listen.plain v6 one",
                          "listen.backlog.huge v4 one", "accept.plain v6 one",
                          "listen.plain v4 two", "listen.plain v6 two",
                          "listen.backlog.huge v4 two", "accept.plain v6 two",
                          "kernel.listen.plain v4 kernel"));
}

}  // namespace
}  // namespace net::conformance
