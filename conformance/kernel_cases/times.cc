#include "conformance/kernel_cases/times.h"

#include <ctime>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "conformance/suite/context.h"
#include "conformance/suite/precondition.h"
#include "gmock/gmock.h"
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

void Undisturbed(Context& c, absl::FunctionRef<void()> act) {
  constexpr int kMostCalls = 1000;
  constexpr double kLongest = 4;
  for (int i = 0; i < kMostCalls; ++i) {
    const double start = Now(c);
    act();
    if (Now(c) - start < kLongest) return;
  }
  NotePrecondition(absl::StrCat("the machine is too busy: of ", kMostCalls,
                                " measurements, none took less than ", kLongest,
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
