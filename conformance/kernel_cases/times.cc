#include "conformance/kernel_cases/times.h"

#include <ctime>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "conformance/suite/context.h"
#include "conformance/suite/precondition.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {

double Now(Context& c) {
  timespec now = {};
  EXPECT_THAT(c.sys().ClockGetTime(CLOCK_MONOTONIC, &now), IsOk());
  return static_cast<double>(now.tv_sec) * 1e3 +
         static_cast<double>(now.tv_nsec) / 1e6;
}

namespace {

// Reports the failures and preconditions that were collected.
void Report(const testing::TestPartResultArray& collected) {
  for (int i = 0; i < collected.size(); ++i) {
    const testing::TestPartResult& part = collected.GetTestPartResult(i);
    if (part.skipped()) NotePrecondition(part.message());
    if (!part.failed()) continue;
    ADD_FAILURE_AT(part.file_name(), part.line_number()) << part.message();
  }
}

}  // namespace

void Undisturbed(Context& c, double longest, absl::FunctionRef<void()> act) {
  constexpr int kMostCalls = 1000;
  using Reporter = testing::ScopedFakeTestPartResultReporter;
  for (int i = 0; i < kMostCalls; ++i) {
    testing::TestPartResultArray collected;
    const double start = Now(c);
    {
      const Reporter reporter(Reporter::INTERCEPT_ALL_THREADS, &collected);
      act();
    }
    if (Now(c) - start < longest) return Report(collected);
  }
  NotePrecondition(absl::StrCat("the machine is too busy: of ", kMostCalls,
                                " measurements, none took less than ", longest,
                                " ms"));
}

void ExpectAbout(double value, absl::FunctionRef<double()> measure, int most) {
  const auto is_about =
      testing::AllOf(testing::Ge(value * 0.85), testing::Le(value * 1.15));
  double taken = measure();
  for (int i = 1; i < most && !testing::Matches(is_about)(taken); ++i) {
    taken = measure();
  }
  EXPECT_THAT(taken, is_about);
}

}  // namespace net::conformance
