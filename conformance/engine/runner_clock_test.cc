#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>

#include "absl/time/time.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/suite/case.h"
#include "conformance/suite/context.h"
#include "conformance/targets/run_on_linux.h"
#include "gtest/gtest.h"

// A separate program, because its clock_gettime() replaces libc's.

namespace {

// Each call that reads the time of day sets it forward by this much.
constexpr time_t kStep = 1000;
std::atomic<time_t> set_forward = 0;

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto answer = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (answer == 0 && clock == CLOCK_REALTIME) {
    time->tv_sec += set_forward.fetch_add(kStep);
  }
  return answer;
}

namespace net::conformance {
namespace {

TEST(RunnerClockTest, ATimeOfDayThatIsSetEndsNoTrial) {
  const Record record = RunOne(MakeCase([](Context&) {}), NetTcpOnLinux(),
                               {.timeout = absl::Seconds(kStep / 2)});
  EXPECT_EQ(record.verdict.outcome, Outcome::kPass) << record.verdict.message;
  EXPECT_LT(record.milliseconds, int64_t{1000} * kStep / 2);
}

}  // namespace
}  // namespace net::conformance
