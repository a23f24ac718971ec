#ifndef FAKES_TRAP_SYSCALL_TRAP_TEST_BASE_H_
#define FAKES_TRAP_SYSCALL_TRAP_TEST_BASE_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/probe.h"
#include "fakes/trap/run_trapped.h"
#include "fakes/trap/syscall_trap.h"
#include "fakes/trap/trap_test_sockets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {

// For messages of tests.
inline void PrintTo(const SyscallTrap& trap, std::ostream* os) {
  *os << "the trap of process " << trap.pid();
}

}  // namespace net

namespace net::trap {

// Tests of plans in another process. Skipped where seccomp(2) is forbidden.
class SyscallTrapTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const absl::Status status = CheckSeccomp(); !status.ok()) {
      GTEST_SKIP() << status;
    }
  }

  // Runs a body with a plan, all of whose rules must apply.
  static TrapReport Run(absl::string_view plan,
                        absl::FunctionRef<std::string()> body) {
    const auto parsed = ParseFaultPlan(plan);
    EXPECT_THAT(parsed, IsOk());
    if (!parsed.ok()) return {};
    const auto report = RunTrapped(*parsed, body);
    EXPECT_THAT(report, IsOk());
    if (!report.ok()) return {};
    EXPECT_EQ(report->wait_status, 0);
    EXPECT_THAT(report->unmatched, testing::IsEmpty());
    return *report;
  }

  // Runs a body whose calls of one kind the trap makes in its place, without a
  // plan. Returns the body's result. Sets `trace` unless it is null.
  static std::string RunInPlace(SyscallId call,
                                absl::FunctionRef<std::string()> body,
                                std::vector<std::string>* trace = nullptr) {
    TrapOptions options = {.keep_trace = true, .knows_results = true};
    options.calls.insert(call);
    const auto trap = SyscallTrap::StartBody(
        options, {}, [&](int report) { WriteAll(report, body()); });
    EXPECT_THAT(trap, IsOk());
    if (!trap.ok()) return "";
    EXPECT_THAT((*trap)->Wait(), IsOk());
    EXPECT_GT((*trap)->Count(call), 0);
    if (trace != nullptr) *trace = (*trap)->Trace();
    return (*trap)->Report();
  }
};

}  // namespace net::trap

#endif  // FAKES_TRAP_SYSCALL_TRAP_TEST_BASE_H_
