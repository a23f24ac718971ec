// The case table as GoogleTest tests, one for each case and axis: net_tcp's
// cases under `bazel test`, with its filters, shards, repetitions and reports.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "conformance/case.h"
#include "conformance/cases/cases.h"
#include "conformance/columns.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

class TrialTest : public testing::Test {
 public:
  explicit TrialTest(Trial trial) : trial_(std::move(trial)) {}

  void TestBody() override {
    RunTrials({trial_}, RunnerOptions(), [](const Record& record) {
      switch (record.verdict.outcome) {
        case Outcome::kPass:
        case Outcome::kVariation:
        case Outcome::kExpectedFail:
          SUCCEED() << FormatRecord(record);
          return;
        case Outcome::kUnsupported:
        case Outcome::kPrecondition:
          GTEST_SKIP() << FormatRecord(record);
        default:
          FAIL() << FormatRecord(record);
      }
    });
  }

 private:
  const Trial trial_;
};

// The case `listen.backlog.default` on v4 is the test
// `listen.backlog_default/v4`.
void RegisterTrial(const Trial& trial) {
  const std::string id(trial.test_case->id);
  const size_t dot = id.find('.');
  const std::string suite = id.substr(0, dot);
  const std::string name =
      absl::StrCat(absl::StrReplaceAll(id.substr(dot + 1), {{".", "_"}}), "/",
                   AxisName(trial.axis));
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__,
                        __LINE__, [trial] { return new TrialTest(trial); });
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto columns = net::conformance::MakeColumns({});
  for (const auto& one : net::conformance::AllCases()) {
    for (const auto axis : net::conformance::AxesOf(one.axes)) {
      net::conformance::RegisterTrial(
          {.test_case = &one, .axis = axis, .column = &columns.front()});
    }
  }
  return RUN_ALL_TESTS();
}
