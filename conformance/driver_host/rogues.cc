#include "conformance/driver_host/rogues.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

// Sends each command to which rogue.py can give a wrong answer.
void Talks(Context& c) {
  uint16_t port = 0;
  uint16_t again = 0;
  ASSERT_OK_AND_ASSIGN(const Sock listener,
                       c.ListenWithList({.ports = {&port, &again}}));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect({c.Loopback(), port}));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_THAT(client.SendAll("hello"), IsOk());
  EXPECT_THAT(server.RecvExactly(5), IsOkAndHolds("hello"));
}
constexpr Case kTalks = {.id = "driver.talks",
                         .requirement = "It must talk.",
                         .source = "the test",
                         .needs = Need::kOptionLists,
                         .run = &Talks};

}  // namespace

void PrintTo(const RogueDriver& driver, std::ostream* os) {
  *os << driver.fault;
}

void ExpectVerdict(const Verdict& verdict, const RogueDriver& driver) {
  EXPECT_EQ(verdict.outcome, driver.outcome) << verdict.message;
  for (const std::string& words : driver.words) {
    EXPECT_THAT(verdict.message, testing::HasSubstr(words));
  }
}

Target MakeTarget(const std::string& command) {
  return {.name = "rogue", .start_subject = [command] {
            return StartDriver({.line = command});
          }};
}

std::string Rogue(absl::string_view fault) {
  return absl::StrCat("python3 ",
                      *FindRunfile("conformance/driver_host/testdata/rogue.py"),
                      " '", fault, "'");
}

std::vector<Record> RecordsOf(const std::vector<Trial>& trials,
                              const RunnerOptions& options) {
  std::vector<Record> records;
  RunTrials(trials, options,
            [&](const Record& record) { records.push_back(record); });
  EXPECT_EQ(records.size(), trials.size());
  return records;
}

Verdict VerdictBesideOthers(const std::string& command,
                            absl::Duration timeout) {
  const Target target = MakeTarget(command);
  const Target honest = MakeTarget(Rogue("none"));
  Verdict verdict;
  for (const Record& record :
       RecordsOf({{.test_case = &kTalks, .target = &target},
                  {.test_case = &kTalks, .target = &honest}},
                 {.jobs = 2, .timeout = timeout})) {
    if (record.trial.target == &target) {
      verdict = record.verdict;
    } else {
      EXPECT_EQ(record.verdict.outcome, Outcome::kPass)
          << record.verdict.message;
    }
  }
  return verdict;
}

}  // namespace net::conformance
