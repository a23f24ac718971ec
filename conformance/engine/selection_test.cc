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
    {.id = "listen.plain", .axes = Axes::kV4AndV6, .run = nullptr},
    {.id = "listen.backlog.huge", .axes = Axes::kV4, .run = nullptr},
    {.id = "accept.plain", .axes = Axes::kV6, .run = nullptr}};
const std::vector<Case> kKernelTable = {
    {.id = "kernel.listen.plain", .axes = Axes::kV4, .run = nullptr}};

// Two columns with the same table, and one with another.
const Column kOne = {.name = "one", .cases = kTable};
const Column kTwo = {.name = "two", .cases = kTable};
const Column kKernel = {.name = "kernel", .cases = kKernelTable};

std::vector<std::string> IdsOf(const std::vector<const Case*>& cases) {
  std::vector<std::string> ids;
  for (const Case* one : cases) ids.emplace_back(one->id);
  return ids;
}

TEST(SelectCasesTest, NoGlobsSelectAllOfTheColumnsTablesOnce) {
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

TEST(SelectCasesTest, AGlobMustMatchInTheTablesOfTheColumns) {
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
  const std::vector<Column> columns = {kOne};
  EXPECT_EQ(*FindNamedCase(columns, "accept.plain"), &kTable[2]);
  EXPECT_EQ(FindNamedCase(columns, "acept.plain").status().message(),
            "there is no case 'acept.plain'; did you mean 'accept.plain'?");
}

TEST(FindCaseTest, LooksInAllTables) {
  const std::vector<Column> columns = {kOne, kKernel};
  EXPECT_EQ(FindCase(columns, "accept.plain"), &kTable[2]);
  EXPECT_EQ(FindCase(columns, "kernel.listen.plain"), &kKernelTable[0]);
  EXPECT_EQ(FindCase(columns, "accept.*"), nullptr);
}

TEST(SelectColumnsTest, NamesSelectAndUnknownOnesListWhatThereIs) {
  const std::vector<Column> columns = {{.name = "one"}, {.name = "two"}};
  const auto two = SelectColumns(columns, {"two"});
  ASSERT_TRUE(two.ok());
  EXPECT_THAT(*two, ElementsAre(&columns[1]));
  const auto all = SelectColumns(columns, {});
  ASSERT_TRUE(all.ok());
  EXPECT_THAT(*all, ElementsAre(&columns[0], &columns[1]));
  const auto none = SelectColumns(columns, {"three"});
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("one, two"));
  EXPECT_THAT(std::string(SelectColumns(columns, {"tow"}).status().message()),
              HasSubstr("did you mean 'two'?"));
}

TEST(MakeTrialsTest, EveryCaseOnEachOfItsAxesForEveryColumnOfItsTable) {
  const std::vector<const Column*> columns = {&kOne, &kTwo, &kKernel};
  const auto cases = SelectCases(columns, {});
  ASSERT_TRUE(cases.ok());
  std::vector<std::string> names;
  for (const Trial& trial : MakeTrials(*cases, columns)) {
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
