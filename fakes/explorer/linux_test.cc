// Every single fault has the same consequences on Linux as on the FakeKernel:
// the same calls with the same results, apart from the numbers of descriptors
// and ports.

#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/explorer/net_tcp_scenarios.h"
#include "fakes/explorer/placed_fault.h"
#include "fakes/faults/fault_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

// If a call blocks, this signal ends the child.
constexpr unsigned int kSecondsToLive = 120;

// Returns the calls and results of a run, and what it returned. Descriptors are
// numbered in the order in which they were made.
std::string Normalised(const ExploredRun& run) {
  std::map<int, int> numbers;
  std::vector<std::string> lines;
  for (const MonitoredCall& call : run.calls) {
    std::string line(CallName(call.call));
    if (call.fd >= 0) absl::StrAppend(&line, " d", numbers[call.fd]);
    if (!call.result.ok()) {
      absl::StrAppend(&line, " ", ErrnoSymbol(call.result.error()));
    } else if (call.makes_descriptor) {
      const int number = static_cast<int>(numbers.size()) + 1;
      numbers.erase(call.result.fd());
      numbers[call.result.fd()] = number;
      absl::StrAppend(&line, " = d", number);
    } else {
      absl::StrAppend(&line, " = ", call.result.value());
    }
    lines.push_back(line);
  }
  const int error = ErrnoOf(run.status);
  lines.push_back(run.status.ok() ? "OK"
                  : error != 0    ? ErrnoSymbol(error)
                                  : std::string(run.status.message()));
  return absl::StrJoin(lines, "\n  ");
}

bool WantsDescriptorZero(const FaultPlan& plan) {
  return plan.rules.front().action.kind == ActionKind::kDescriptorZero;
}

// Runs each plan on both kernels. Returns the differences, and the number of
// plans.
std::string Compare(const ip::Addr& addr) {
  const auto scenario = [&addr](Syscalls& sys) { return Echo(addr, sys); };
  ExploreOptions options;
  options.declarations = NetTcpDeclarations();
  const RunOptions run_options = RunOptionsOf(options);
  const ExploredRun plain = RunOnFakeKernel(scenario, {}, run_options);
  std::string differences;
  int compared = 0;
  for (const FaultPlan& plan :
       SinglePlans(plain.calls, FaultChoices(options.declarations))) {
    // In this process, 0 is not free.
    if (WantsDescriptorZero(plan)) continue;
    const ExploredRun fake = RunOnFakeKernel(scenario, plan, run_options);
    const ExploredRun linux_run =
        RunOnKernel(scenario, plan, run_options.limits, DefaultSyscalls());
    ++compared;
    if (Normalised(fake) == Normalised(linux_run)) continue;
    absl::StrAppend(&differences, plan.ToString(), "\nFakeKernel:\n  ",
                    Normalised(fake), "\nLinux:\n  ", Normalised(linux_run),
                    "\n\n");
  }
  return absl::StrCat(differences, compared, " plans");
}

class OnLinux : public testing::TestWithParam<ip::Addr> {};

TEST_P(OnLinux, SinglesHaveTheSameTraces) {
  const absl::Status own_network = sandbox::CheckOwnNetwork();
  if (!own_network.ok()) GTEST_SKIP() << own_network.message();
  const absl::StatusOr<std::string> report = sandbox::RunInChild([&] {
    ::alarm(kSecondsToLive);
    const absl::Status entered = sandbox::EnterOwnNetwork();
    return entered.ok() ? Compare(GetParam()) : std::string(entered.message());
  });
  ASSERT_TRUE(report.ok()) << report.status();
  // Only the number of plans is left, and it is large.
  EXPECT_THAT(*report, testing::MatchesRegex("[0-9]+ plans"));
  RecordProperty("compared", *report);
}

INSTANTIATE_TEST_SUITE_P(Families, OnLinux,
                         testing::Values(ip::kLocalV4, ip::kLocalV6),
                         [](const auto& tested) {
                           return std::string(
                               tested.param.family() == AF_INET ? "v4" : "v6");
                         });

}  // namespace
}  // namespace net
