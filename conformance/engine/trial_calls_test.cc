#include <sys/socket.h>

#include <cstdlib>
#include <string>

#include "absl/time/time.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/targets/run_on_linux.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

// The system calls that the record of a trial shows.

namespace net::conformance {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::StartsWith;

void CompareLocalAddr(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  EXPECT_EQ(at.port, 0);
}

TEST(TrialCallsTest, AFailureShowsTheLastSystemCalls) {
  const Verdict verdict = VerdictOf(&CompareLocalAddr);
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.calls,
              ContainsRegex("test: listen\\([0-9]+, [0-9]+\\) = 0\n"
                            "(test: .*\n)*"
                            "case: getsockname\\([0-9]+, \\{AF_INET, 127"));
  EXPECT_THAT(verdict.calls, EndsWith(") = 0")) << "close(2)";
}

TEST(TrialCallsTest, APassShowsNoSystemCalls) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  });
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.calls, "");
}

TEST(TrialCallsTest, ALeakShowsTheLastSystemCalls) {
  const Verdict verdict = VerdictOf([](Context& c) {
    EXPECT_TRUE(c.sys().Socket(AF_INET, SOCK_STREAM, 0).ok());
  });
  EXPECT_EQ(verdict.leak, Leak::kLeak);
  EXPECT_THAT(verdict.calls,
              StartsWith("case: socket(AF_INET, SOCK_STREAM, 0) = "));
}

TEST(TrialCallsTest, ACrashShowsTheLastSystemCalls) {
  const Verdict verdict = VerdictOf([](Context& c) {
    EXPECT_FALSE(c.sys().Close(-1).ok());
    std::abort();
  });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_EQ(verdict.calls, "case: close(-1) = -1 EBADF");
}

TEST(TrialCallsTest, ATimeoutShowsTheCallThatDoesNotReturn) {
  const Verdict verdict = VerdictOf(
      [](Context& c) {
        ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
        static_cast<void>(listener.Accept());
      },
      {.timeout = absl::Seconds(5)});
  EXPECT_EQ(verdict.outcome, Outcome::kTimeout);
  EXPECT_THAT(verdict.calls,
              ContainsRegex("test: accept4\\(.*\\) <unfinished ...>$"));
}

TEST(TrialCallsTest, AnInjectedErrorIsAmongTheSystemCalls) {
  Case test_case = MakeCase([](Context& c) {
    ASSERT_OK_AND_ASSIGN(Faults * faults, c.InjectFaults());
    faults->Arm(ParseFaultPlan("socket=EMFILE").value());
    EXPECT_TRUE(c.Listen().ok());
  });
  test_case.needs = Need::kFaults;
  const Verdict verdict = RunOne(test_case, NetTcpOnLinux()).verdict;
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.calls, EndsWith(") = -1 EMFILE"));
}

}  // namespace
}  // namespace net::conformance
