// Bazel divides this exploration among its shards.

#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/net_tcp_scenarios.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

TEST(Sharded, TriplesOfFaults) {
  ExploreOptions options;
  options.name = "ListenConnectAccept";
  options.max_faults = 3;
  options.declarations = NetTcpDeclarations();
  options.shard = ShardFromEnvironment();
  const ExploreResult result = ExploreFaults(options, [](Syscalls& sys) {
    return ListenConnectAccept(ip::kLocalV4, sys);
  });
  EXPECT_THAT(result, HasNoFindings());
  EXPECT_GT(result.counts.plans, result.counts.runs);
  RecordProperty("statement", result.Statement());
}

}  // namespace
}  // namespace net
