#include "conformance/engine/selection.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/case.h"
#include "conformance/engine/trial.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Case> Table() {
  return {{.id = "listen.plain", .axes = Axes::kV4AndV6},
          {.id = "listen.backlog.huge", .axes = Axes::kV4},
          {.id = "accept.plain", .axes = Axes::kV6}};
}

std::vector<std::string> IdsOf(const std::vector<const Case*>& cases) {
  std::vector<std::string> ids;
  for (const Case* one : cases) ids.emplace_back(one->id);
  return ids;
}

TEST(SelectCasesTest, NoGlobsSelectAll) {
  const std::vector<Case> table = Table();
  const auto selected = SelectCases(table, {});
  ASSERT_TRUE(selected.ok());
  EXPECT_THAT(
      IdsOf(*selected),
      ElementsAre("listen.plain", "listen.backlog.huge", "accept.plain"));
}

TEST(SelectCasesTest, GlobsMatchWholeIdsAndKeepTheOrderOfTheTable) {
  const std::vector<Case> table = Table();
  const auto selected = SelectCases(table, {"accept.*", "*.huge", "listen.b*"});
  ASSERT_TRUE(selected.ok());
  EXPECT_THAT(IdsOf(*selected),
              ElementsAre("listen.backlog.huge", "accept.plain"));
}

TEST(SelectCasesTest, AGlobWithoutAMatchIsAnErrorThatNamesIt) {
  const std::vector<Case> table = Table();
  const auto selected = SelectCases(table, {"listen.*", "lisen.*"});
  ASSERT_FALSE(selected.ok());
  EXPECT_THAT(std::string(selected.status().message()), HasSubstr("'lisen.*'"));
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
}

TEST(MakeTrialsTest, EveryCaseOnEachOfItsAxesForEveryColumn) {
  const std::vector<Case> table = Table();
  const std::vector<Column> columns = {{.name = "one"}, {.name = "two"}};
  const auto cases = SelectCases(table, {});
  const auto selected = SelectColumns(columns, {});
  ASSERT_TRUE(cases.ok() && selected.ok());
  std::vector<std::string> names;
  for (const Trial& trial : MakeTrials(*cases, *selected)) {
    names.push_back(TrialName(trial));
  }
  EXPECT_THAT(names,
              ElementsAre("listen.plain v4 one", "listen.plain v6 one",
                          "listen.backlog.huge v4 one", "accept.plain v6 one",
                          "listen.plain v4 two", "listen.plain v6 two",
                          "listen.backlog.huge v4 two", "accept.plain v6 two"));
}

}  // namespace
}  // namespace net::conformance
