#include "conformance/coverage/coverage.h"

#include <set>
#include <string>
#include <vector>

#include "conformance/coverage/cells.h"
#include "conformance/coverage/observation_log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Two accounts of which the cases `wide` and `narrow` reach a part.
std::vector<FilledAccount> SomeAccounts() {
  const std::vector<Account> accounts = {{'a', "colours", {"red", "blue"}},
                                         {'b', "sizes", {"small", "large"}}};
  const ObservedRun run = {
      .trials = 2,
      .observations =
          {{.trial = 0, .account = 'a', .cell = "red"},
           {.trial = 0, .account = 'a', .cell = "uncounted"},
           {.trial = 0, .account = 'b', .cell = "small"},
           {.trial = 1, .account = 'a', .cell = "red", .detail = "allowed"}},
      .cases = {"wide", "narrow"},
      .failures = {}};
  return FillAccounts(accounts, run);
}

TEST(Accounts, HaveCellsWithDifferentNames) {
  for (const Account& account : MakeAccounts()) {
    const std::set<std::string> names(account.cells.begin(),
                                      account.cells.end());
    EXPECT_EQ(names.size(), account.cells.size()) << account.letter;
    EXPECT_FALSE(names.empty()) << account.letter;
  }
}

TEST(FillAccounts, NamesTheMostSpecificCaseFirst) {
  const std::vector<FilledAccount> accounts = SomeAccounts();
  EXPECT_THAT(accounts[0].cells[0].cases, ElementsAre("narrow", "wide"));
  EXPECT_THAT(accounts[0].cells[0].details, ElementsAre("allowed"));
  EXPECT_THAT(accounts[0].cells[1].cases, ElementsAre());
}

TEST(AddReasons, ExplainsTheEmptyCellsThatMatch) {
  std::vector<FilledAccount> accounts = SomeAccounts();
  EXPECT_EQ(CountUnexplained(accounts), 2U);
  ASSERT_TRUE(AddReasons("# a comment\n\na b*  # no paint\n", accounts).ok());
  EXPECT_EQ(accounts[0].cells[1].reason, "no paint");
  EXPECT_EQ(accounts[0].cells[0].reason, "");
  EXPECT_EQ(CountUnexplained(accounts), 1U);
}

TEST(AddReasons, FindsMistakes) {
  const auto mistake_in = [](absl::string_view line) {
    std::vector<FilledAccount> accounts = SomeAccounts();
    return std::string(AddReasons(line, accounts).message());
  };
  EXPECT_THAT(mistake_in("a blue"), HasSubstr("has no reason"));
  EXPECT_THAT(mistake_in("blue  # no paint"), HasSubstr("must begin with"));
  EXPECT_THAT(mistake_in("z blue  # no paint"), HasSubstr("no such account"));
  EXPECT_THAT(mistake_in("a red  # no paint"),
              HasSubstr("matches no empty cell"));
  EXPECT_THAT(mistake_in("a blue  # no paint\na b*  # again"),
              HasSubstr("'a b*  # again': matches no empty cell"));
}

TEST(IdleCases, FindNoBugAndAreInNoCellAlone) {
  const std::vector<Account> accounts = {{'a', "colours", {"red", "blue"}}};
  const ObservedRun run = {
      .trials = 4,
      .observations = {{.trial = 0, .account = 'a', .cell = "red"},
                       {.trial = 1, .account = 'a', .cell = "red"},
                       {.trial = 2, .account = 'a', .cell = "blue"}},
      .cases = {"killer", "both", "alone", "none", "none"},
      .failures = {}};
  EXPECT_THAT(IdleCases(FillAccounts(accounts, run), run, {"killer"}),
              ElementsAre("both", "none"));
}

TEST(RemoveJustified, NeedsAReasonAndACase) {
  std::vector<std::string> cases = {"data.recv", "data.send", "listen.twice"};
  EXPECT_TRUE(RemoveJustified("# a comment\n\ndata.*  # slow\n", cases).ok());
  EXPECT_THAT(cases, ElementsAre("listen.twice"));
  EXPECT_THAT(std::string(RemoveJustified("listen.*", cases).message()),
              HasSubstr("has no reason"));
  EXPECT_THAT(std::string(RemoveJustified("data.*  # slow", cases).message()),
              HasSubstr("matches no idle case"));
}

TEST(FormatAccounts, CountsAndListsUnexplainedCells) {
  std::vector<FilledAccount> accounts = SomeAccounts();
  ASSERT_TRUE(AddReasons("a blue  # no paint", accounts).ok());
  const std::string text = FormatAccounts(accounts, /*verbose=*/false);
  EXPECT_THAT(text, testing::ContainsRegex("a  colours +2 +1 +1 +0\n"));
  EXPECT_THAT(text, testing::ContainsRegex("b  sizes +2 +1 +0 +1\n"));
  EXPECT_THAT(text, AllOf(HasSubstr("Empty without a reason:\nb  large\n"),
                          Not(HasSubstr("blue"))));
}

TEST(FormatAccounts, ListsAllCellsIfVerbose) {
  std::vector<FilledAccount> accounts = SomeAccounts();
  ASSERT_TRUE(AddReasons("a blue  # no paint", accounts).ok());
  EXPECT_THAT(FormatAccounts(accounts, /*verbose=*/true),
              HasSubstr("\n\na  red: narrow (allowed), and 1 more\n"
                        "a  blue: empty: no paint\n"
                        "b  small: wide\n"
                        "b  large: EMPTY\n"));
}

TEST(FormatAccountsJson, HasAllCellsAndCases) {
  const auto json = nlohmann::json::parse(FormatAccountsJson(SomeAccounts()));
  EXPECT_EQ(json[0]["account"], "a");
  EXPECT_EQ(json[0]["cells"][0]["cell"], "red");
  EXPECT_EQ(json[0]["cells"][0]["cases"], (nlohmann::json{"narrow", "wide"}));
  EXPECT_EQ(json[1]["cells"][1]["cases"], nlohmann::json::array());
}

TEST(ObservationLog, HoldsEachObservationOfATrialOnce) {
  ObservationLog log;
  TrialObservations first(log, 0);
  TrialObservations second(log, 1);
  first.Add('a', "red");
  first.Add('a', "red");
  second.Add('d', "red", "allowed");
  const std::vector<Observation> all = log.Read();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].trial, 0U);
  EXPECT_EQ(all[1].trial, 1U);
  EXPECT_EQ(all[1].account, 'd');
  EXPECT_EQ(all[1].cell, "red");
  EXPECT_EQ(all[1].detail, "allowed");
}

}  // namespace
}  // namespace net::conformance
