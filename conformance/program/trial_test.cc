#include "conformance/program/trial_test.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/claims.h"
#include "conformance/engine/expectations.h"
#include "conformance/engine/files.h"
#include "conformance/engine/grid.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "gtest/gtest.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(std::vector<std::string>, cases, {}, "");
ABSL_FLAG(std::string, expectations, "", "");
ABSL_FLAG(absl::Duration, timeout, absl::Seconds(60), "");
ABSL_FLAG(bool, verbose, false, "");

namespace net::conformance {
namespace {

// The state that the tests of a process share.
struct TestRun {
  Expectations expectations;
  IdleSubjects subjects;        // one driver serves several tests
  std::vector<Record> records;  // of the trials run in this process
  std::vector<Trial> all;       // all trials, run or not
};

// Returns a command that repeats the current test.
std::string CommandToRepeat() {
  const testing::TestInfo& test =
      *testing::UnitTest::GetInstance()->current_test_info();
  const std::string filter =
      absl::StrCat(test.test_suite_name(), ".", test.name());
  const char* target = std::getenv("TEST_TARGET");
  if (target == nullptr) return absl::StrCat("--gtest_filter=", filter);
  return absl::StrCat("bazel test ", target, " --test_filter=", filter,
                      " --test_output=errors");
}

class TrialTest : public testing::Test {
 public:
  TrialTest(const Trial& trial, TestRun& test_run)
      : trial_(trial), test_run_(test_run) {}

  void TestBody() override {
    Trial trial = trial_;
    trial.may_hang = test_run_.expectations.MayHang(trial);
    RunTrials(
        {trial}, {.timeout = absl::GetFlag(FLAGS_timeout)},
        [this](Record record) {
          test_run_.expectations.Apply(record);
          test_run_.records.push_back(std::move(record));
        },
        test_run_.subjects);
    const Record& record = test_run_.records.back();
    const bool verbose = absl::GetFlag(FLAGS_verbose);
    // A leak fails the test, whatever the case's own outcome.
    if (!IsExpected(record.verdict)) {
      FAIL() << (verbose ? FormatRecord(record)
                         : absl::StrCat(FormatRecordBriefly(record),
                                        "  again: ", CommandToRepeat()));
    }
    const Outcome outcome = record.verdict.outcome;
    if (outcome == Outcome::kUnsupported || outcome == Outcome::kPrecondition) {
      GTEST_SKIP() << (verbose ? FormatRecord(record)
                               : absl::StrCat(OutcomeName(outcome), ": ",
                                              record.verdict.message));
    }
  }

 private:
  const Trial trial_;
  TestRun& test_run_;
};

class ExpectationsTest : public testing::Test {
 public:
  explicit ExpectationsTest(const TestRun& test_run) : test_run_(test_run) {}

  void TestBody() override {
    Expectations expectations = test_run_.expectations;
    for (const Trial& trial : test_run_.all) {
      const bool was_run =
          std::any_of(test_run_.records.begin(), test_run_.records.end(),
                      [&](const Record& one) {
                        return one.trial.test_case == trial.test_case &&
                               one.trial.family == trial.family;
                      });
      if (was_run) continue;
      // A trial that was not run is like one that shows nothing.
      Record unknown{.trial = trial,
                     .verdict = {.outcome = Outcome::kPrecondition}};
      expectations.Apply(unknown);
    }
    EXPECT_EQ(absl::StrJoin(expectations.Problems(), "\n"), "");
  }

 private:
  const TestRun& test_run_;
};

class ClaimsTest : public testing::Test {
 public:
  explicit ClaimsTest(const TestRun& test_run) : test_run_(test_run) {}

  void TestBody() override {
    EXPECT_EQ(absl::StrJoin(FalseClaims(test_run_.records), "\n"), "");
  }

 private:
  const TestRun& test_run_;
};

// Prints failures and, at the end, the reasons of skipped tests with counts.
// GoogleTest's own printer prints three lines for each test, and the names of
// all skipped tests.
class BriefPrinter final : public testing::EmptyTestEventListener {
 public:
  BriefPrinter(std::unique_ptr<testing::TestEventListener> printer,
               const TestRun& test_run)
      : printer_(std::move(printer)), test_run_(test_run) {}

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) printer_->OnTestPartResult(result);
  }

  void OnTestEnd(const testing::TestInfo& test) override {
    if (!test.result()->Failed()) return;
    printer_->OnTestEnd(test);
    failed_.push_back(absl::StrCat(test.test_suite_name(), ".", test.name()));
  }

  void OnTestIterationEnd(const testing::UnitTest& tests,
                          int iteration) override {
    static_cast<void>(iteration);
    std::cout << FormatReasons(test_run_.records, TerminalWidth()) << "\n";
    for (const std::string& name : failed_) {
      std::cout << "failed: " << name << "\n";
    }
    std::cout << CountsText(test_run_.records) << ". "
              << tests.failed_test_count() << " of "
              << tests.test_to_run_count()
              << " tests failed (--verbose prints each)" << std::endl;
  }

 private:
  const std::unique_ptr<testing::TestEventListener> printer_;
  const TestRun& test_run_;
  std::vector<std::string> failed_;
};

void PrintBriefly(const TestRun& test_run) {
  testing::TestEventListeners& listeners =
      testing::UnitTest::GetInstance()->listeners();
  std::unique_ptr<testing::TestEventListener> printer(
      listeners.Release(listeners.default_result_printer()));
  // The default printer may have been replaced already.
  if (printer == nullptr) return;
  listeners.Append(new BriefPrinter(std::move(printer), test_run));
}

template <typename Make>
void Register(const std::string& suite, const std::string& name, Make make) {
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__,
                        __LINE__, std::move(make));
}

void RegisterTrial(const Trial& trial, TestRun& test_run) {
  const std::string id(trial.test_case->id);
  const size_t dot = id.find('.');
  Register(id.substr(0, dot),
           absl::StrCat(absl::StrReplaceAll(id.substr(dot + 1), {{".", "_"}}),
                        "/", AddressFamilyName(trial.family)),
           [&trial, &test_run]() -> testing::Test* {
             return new TrialTest(trial, test_run);
           });
}

absl::StatusOr<Expectations> ReadExpectations(const std::string& path,
                                              const std::string& version) {
  if (path.empty()) return Expectations();
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return Expectations::Parse(*text, path, Surroundings::Here(version));
}

int Fail(const absl::Status& status) {
  std::cerr << status.message() << "\n";
  return 1;
}

}  // namespace

int RunAsTests(int argc, char** argv, absl::FunctionRef<Target()> target) {
  testing::InitGoogleTest(&argc, argv);
  const absl::Status parsed = ParseFlags(
      absl::MakeConstSpan(argv, static_cast<size_t>(argc)).subspan(1));
  if (!parsed.ok()) return Fail(parsed);
  const Target judged = target();
  if (judged.greet != nullptr && !testing::GTEST_FLAG(list_tests)) {
    const auto greeting = judged.greet();
    if (!greeting.ok()) return Fail(greeting.status());
  }
  const auto cases = SelectCases({&judged}, absl::GetFlag(FLAGS_cases));
  if (!cases.ok()) return Fail(cases.status());
  auto expectations =
      ReadExpectations(absl::GetFlag(FLAGS_expectations), judged.version);
  if (!expectations.ok()) return Fail(expectations.status());

  const auto all = SelectCases({&judged}, {});
  TestRun test_run{.expectations = *std::move(expectations),
                   .all = MakeTrials(*all, {&judged})};
  const std::vector<Trial> trials = MakeTrials(*cases, {&judged});
  for (const Trial& trial : trials) RegisterTrial(trial, test_run);
  Register("expectations", "are_needed", [&test_run]() -> testing::Test* {
    return new ExpectationsTest(test_run);
  });
  Register("claims", "are_true", [&test_run]() -> testing::Test* {
    return new ClaimsTest(test_run);
  });
  if (!absl::GetFlag(FLAGS_verbose)) PrintBriefly(test_run);
  return RUN_ALL_TESTS();
}

}  // namespace net::conformance
