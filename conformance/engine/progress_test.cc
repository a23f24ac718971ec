#include "conformance/engine/progress.h"

#include <chrono>
#include <sstream>

#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

const Case kCase = {.id = "listen.plain", .run = nullptr};
const Target kTarget = {.name = "net_tcp"};

Record MakeRecord(Outcome outcome) {
  return {.trial = {.test_case = &kCase, .target = &kTarget},
          .verdict = {.outcome = outcome}};
}

class ProgressTest : public testing::Test {
 protected:
  Progress Make(bool is_terminal) {
    return {3, is_terminal, out_, [this] { return now_; }};
  }

  std::ostringstream out_;
  std::chrono::steady_clock::time_point now_;
};

TEST_F(ProgressTest, AShortRunPrintsNothing) {
  Progress progress = Make(/*is_terminal=*/false);
  now_ += std::chrono::seconds(9);
  progress.Tick();
  progress.Count(MakeRecord(Outcome::kPass));
  progress.Clear();
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ProgressTest, ALineEveryTenSecondsEvenIfNoTrialEnds) {
  Progress progress = Make(/*is_terminal=*/false);
  progress.Count(MakeRecord(Outcome::kPass));
  progress.Count(MakeRecord(Outcome::kFail));
  now_ += std::chrono::seconds(10);
  progress.Tick();
  progress.Tick();
  now_ += std::chrono::seconds(9);
  progress.Tick();
  EXPECT_EQ(out_.str(), "[2/3 trials, 1 unexpected, 10 s]\n");
  now_ += std::chrono::seconds(1);
  progress.Count(MakeRecord(Outcome::kPass));
  EXPECT_EQ(out_.str(),
            "[2/3 trials, 1 unexpected, 10 s]\n"
            "[3/3 trials, 1 unexpected, 20 s]\n");
}

TEST_F(ProgressTest, ATerminalHasOneLineThatChanges) {
  Progress progress = Make(/*is_terminal=*/true);
  progress.Count(MakeRecord(Outcome::kFail));
  now_ += std::chrono::seconds(100);
  progress.Tick();
  progress.Clear();
  EXPECT_EQ(out_.str(),
            "\r\033[K[1/3, 1 unexpected] listen.plain v4 net_tcp\r\033[K");
}

}  // namespace
}  // namespace net::conformance
