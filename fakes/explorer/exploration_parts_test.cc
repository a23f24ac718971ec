// An exploration in parts: by shards, and with a checkpoint.

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "fakes/call.h"
#include "fakes/explorer/checkpoint.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/fault_outcome.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/net_tcp_scenarios.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/scenario_kit.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

// Leaks if listen(2) fails (one fault), and reports the errno of the clean-up
// (two faults).
absl::Status HasTwoBugs(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return kit::ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  if (!bound.ok()) {
    const absl::Status closed = kit::CloseIt(sys, made.fd());
    return closed.ok() ? kit::ToStatus(bound, "bind") : closed;
  }
  const SysResult listening = kit::StartListening(sys, made.fd());
  if (!listening.ok()) return kit::ToStatus(listening, "listen");
  return kit::CloseIt(sys, made.fd());
}

absl::Status Cycle(Syscalls& sys) {
  return ListenConnectAccept(ip::kLocalV4, sys);
}

std::set<std::string> PlansOf(const ExploreResult& result) {
  std::set<std::string> plans;
  for (const ExploreFinding& finding : result.findings) {
    plans.insert(finding.plan.ToString());
  }
  return plans;
}

class ExplorationParts : public testing::Test {
 protected:
  ExplorationParts() {
    path_ = testing::TempDir() + "/checkpoint";
    ::unlink(path_.c_str());
  }

  std::string path_;
};

// Explores with at most `max_runs` in a part, and returns the last result.
ExploreResult ExploreInParts(ExploreOptions options, const Scenario& scenario,
                             int64_t max_runs, int* parts) {
  options.max_runs = max_runs;
  constexpr int kMostParts = 1000;
  for (*parts = 1; *parts < kMostParts; ++*parts) {
    ExploreResult result = ExploreFaults(options, scenario);
    if (result.complete) return result;
    EXPECT_THAT(result, testing::Not(HasNoFindings()));
    options.max_runs += max_runs;
  }
  return {};
}

TEST_F(ExplorationParts, ShardsTogetherAreTheWhole) {
  for (const bool prune : {true, false}) {
    ExploreOptions options;
    options.prune = prune;
    const ExploreResult whole = ExploreFaults(options, HasTwoBugs);
    EXPECT_EQ(whole.findings.size(), 2u) << whole;
    for (const int total : {2, 3, 7}) {
      SCOPED_TRACE(total);
      ExploreCounts sum;
      std::set<std::string> plans;
      options.shard.total = total;
      for (options.shard.index = 0; options.shard.index < total;
           ++options.shard.index) {
        const ExploreResult part = ExploreFaults(options, HasTwoBugs);
        sum.plans += part.counts.plans;
        sum.runs += part.counts.runs;
        plans.merge(PlansOf(part));
      }
      EXPECT_EQ(sum.plans, whole.counts.plans);
      EXPECT_EQ(sum.runs, whole.counts.runs);
      EXPECT_EQ(plans, PlansOf(whole));
    }
    options.shard = {};
  }
}

TEST_F(ExplorationParts, AStoppedExplorationContinues) {
  ExploreOptions options;
  options.declarations = NetTcpDeclarations();
  const ExploreResult whole = ExploreFaults(options, Cycle);
  options.checkpoint = path_;
  int parts = 0;
  const ExploreResult sum = ExploreInParts(options, Cycle, 200, &parts);
  EXPECT_GT(parts, 2);
  EXPECT_THAT(sum, HasNoFindings());
  EXPECT_EQ(sum.counts.plans, whole.counts.plans);
  EXPECT_EQ(sum.counts.runs, whole.counts.runs);
  EXPECT_EQ(sum.counts.pruned_same, whole.counts.pruned_same);
  EXPECT_EQ(sum.counts.pruned_recovered, whole.counts.pruned_recovered);
  EXPECT_EQ(sum.SiteTable(), whole.SiteTable());
  EXPECT_FALSE(std::ifstream(path_).is_open());  // It is complete.
}

TEST_F(ExplorationParts, FindingsOfEarlierPartsAreKept) {
  ExploreOptions options;
  options.checkpoint = path_;
  int parts = 0;
  const ExploreResult sum = ExploreInParts(options, HasTwoBugs, 20, &parts);
  EXPECT_GT(parts, 1);
  options.checkpoint = "";
  EXPECT_EQ(PlansOf(sum), PlansOf(ExploreFaults(options, HasTwoBugs)));
}

TEST_F(ExplorationParts, ACheckpointOfAnotherScenarioIsIgnored) {
  ExploreOptions options;
  options.checkpoint = path_;
  options.max_runs = 1;
  EXPECT_FALSE(ExploreFaults(options, Cycle).complete);
  options.max_runs = 1000000;
  EXPECT_EQ(ExploreFaults(options, HasTwoBugs).findings.size(), 2u);
}

TEST_F(ExplorationParts, ABadCheckpointIsIgnored) {
  std::ofstream(path_) << "something else\n";
  ExploreOptions options;
  options.checkpoint = path_;
  EXPECT_EQ(ExploreFaults(options, HasTwoBugs).findings.size(), 2u);
}

TEST_F(ExplorationParts, ACheckpointThatCannotBeWrittenIsAFinding) {
  ExploreOptions options;
  options.checkpoint = "/proc/no/such/directory";
  EXPECT_THAT(ExploreFaults(options, Cycle), testing::Not(HasNoFindings()));
}

TEST_F(ExplorationParts, TextOfACheckpoint) {
  Checkpoint checkpoint;
  checkpoint.fingerprint = 0xfedcba9876543210u;
  checkpoint.units = 3;
  checkpoint.counts = {
      .plans = 10, .runs = 4, .pruned_recovered = 1, .pruned_same = 5};
  checkpoint.plans = {"close=EIO; bind=EACCES"};
  checkpoint.sites = {{.call = Call::kAccept4,
                       .occurrence = 2,
                       .error = 24,
                       .outcome = FaultOutcome::kRetried}};
  const std::string text = CheckpointText(checkpoint);
  const std::optional<Checkpoint> parsed = ParseCheckpoint(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(CheckpointText(*parsed), text);
  EXPECT_FALSE(ParseCheckpoint("").has_value());
  EXPECT_FALSE(ParseCheckpoint(text + "site 1 2\n").has_value());
  EXPECT_FALSE(ParseCheckpoint(text + "site 9999 2 3 4\n").has_value());
  EXPECT_FALSE(ParseCheckpoint(text + "more\n").has_value());
}

}  // namespace
}  // namespace net
