#include "syscalls/sandbox/capabilities.h"

#include <linux/capability.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

constexpr uint64_t kBindService = uint64_t{1} << CAP_NET_BIND_SERVICE;

// Returns a set of capabilities: "CapEff", "CapPrm", "CapBnd".
uint64_t ReadSet(const char* name) {
  uint64_t set = 0;
  EXPECT_TRUE(
      absl::SimpleHexAtoi(FieldOf("/proc/thread-self/status", name), &set));
  return set;
}

// Runs `body` in a child with all capabilities over its own network. Its failed
// expectations fail the test.
void AsRoot(absl::FunctionRef<void()> body) {
  if (absl::Status possible = CheckOwnNetwork(); !possible.ok()) {
    GTEST_SKIP() << possible.message();
  }
  EXPECT_THAT(RunInChild([body] {
                EXPECT_THAT(EnterOwnNetwork(), IsOk());
                EXPECT_NE(ReadSet("CapEff") & kBindService, 0);
                body();
                if (testing::Test::HasFailure()) _exit(1);
                return std::string();
              }),
              IsOk());
}

TEST(CapabilitiesTest, OneIsDroppedAndRestored) {
  AsRoot([] {
    const uint64_t before = ReadSet("CapEff");
    EXPECT_THAT(DropCapability(CAP_NET_BIND_SERVICE), IsOk());
    EXPECT_EQ(ReadSet("CapEff"), before & ~kBindService);
    EXPECT_THAT(RestoreCapabilities(), IsOk());
    EXPECT_EQ(ReadSet("CapEff"), before);
  });
}

TEST(CapabilitiesTest, OneOfTheUpperHalfIsDropped) {
  AsRoot([] {
    const uint64_t before = ReadSet("CapEff");
    EXPECT_THAT(DropCapability(CAP_SYSLOG), IsOk());
    EXPECT_EQ(ReadSet("CapEff"), before & ~(uint64_t{1} << CAP_SYSLOG));
  });
}

TEST(CapabilitiesTest, AllAreDroppedAndRestored) {
  AsRoot([] {
    const uint64_t permitted = ReadSet("CapPrm");
    EXPECT_THAT(DropCapabilities(), IsOk());
    EXPECT_EQ(ReadSet("CapEff"), 0);
    EXPECT_EQ(ReadSet("CapPrm"), permitted);
    EXPECT_THAT(RestoreCapabilities(), IsOk());
    EXPECT_EQ(ReadSet("CapEff"), permitted);
  });
}

TEST(CapabilitiesTest, WhatExecMustNotGetLeavesTheBoundingSet) {
  AsRoot([] {
    const uint64_t before = ReadSet("CapBnd");
    EXPECT_THAT(DropCapabilityForExec(CAP_NET_BIND_SERVICE), IsOk());
    EXPECT_EQ(ReadSet("CapBnd"), before & ~kBindService);
  });
}

}  // namespace
}  // namespace net::sandbox
