// The texts of a result.

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/scenario_kit.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

absl::Status Correct(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return kit::ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  const absl::Status closed = kit::CloseIt(sys, made.fd());
  return bound.ok() ? closed : kit::ToStatus(bound, "bind");
}

// Leaks if bind(2) fails.
absl::Status Leaky(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return kit::ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  if (!bound.ok()) return kit::ToStatus(bound, "bind");
  return kit::CloseIt(sys, made.fd());
}

TEST(ResultText, StatementWithoutFindings) {
  const ExploreResult result = ExploreFaults({.name = "Correct"}, Correct);
  EXPECT_THAT(result, HasNoFindings());
  EXPECT_THAT(
      result.Statement(),
      MatchesRegex("no set of <= 2 faults of the table makes Correct leak, "
                   "hang or swallow; [0-9]+ plans, [0-9]+ % pruned: [0-9]+ % "
                   "because the calls after the first fault are those after "
                   "another errno.*"));
}

TEST(ResultText, StatementOfAPart) {
  const ExploreOptions options = {
      .name = "Correct", .shard = {.index = 1, .total = 4}, .max_runs = 0};
  EXPECT_THAT(ExploreFaults(options, Correct).Statement(),
              StartsWith("shard 2 of 4: not complete: "));
}

TEST(ResultText, SitesByOutcome) {
  const ExploreOptions options = {
      .declarations = {Translates(Call::kBind, EACCES, EPERM),
                       Ignores(Call::kClose, EIO, "a test")}};
  const std::string table = ExploreFaults(options, Correct).SiteTable();
  EXPECT_THAT(table, HasSubstr("socket#1"));
  EXPECT_THAT(table, HasSubstr("EMFILE"));
  EXPECT_THAT(table, HasSubstr("close after an error"));
  EXPECT_THAT(table, HasSubstr("FINDING: EACCES"));
  EXPECT_THAT(table, HasSubstr("unreachable: setsockopt getsockopt listen"));
}

// The test that a finding is printed as. It must be the source of the test
// below, which compiles.
constexpr char kSource[] = R"(TEST(Leaky, LeakBindEaddrinuse) {
  const net::ExploreOptions options = {.declarations = {net::Ignores(net::Call::kClose, EIO, "a test")}};
  EXPECT_THAT(net::RunFaultPlan("bind=EADDRINUSE", options, Leaky),
              net::HasNoFindings());
}
)";

TEST(ResultText, FindingAsATestAndAsACommand) {
  const ExploreOptions options = {
      .name = "Leaky",
      .declarations = {net::Ignores(net::Call::kClose, EIO, "a test")}};
  const ExploreResult result = ExploreFaults(options, Leaky);
  ASSERT_EQ(result.findings.size(), 1u) << result;
  EXPECT_EQ(result.TestSource(result.findings[0]), kSource);
  EXPECT_EQ(TrapCommand(result.findings[0].plan),
            "bazel run //fakes:trap -- --plan='bind=EADDRINUSE' -- PROGRAM");
  EXPECT_THAT(result.ToString(),
              HasSubstr("1. leak: nothing closes the descriptor of socket\n"
                        "   plan: bind=EADDRINUSE\n"));
}

TEST(ResultText, TheTestThatIsPrintedShowsTheFinding) {
  const net::ExploreOptions options = {
      .declarations = {net::Ignores(net::Call::kClose, EIO, "a test")}};
  EXPECT_THAT(net::RunFaultPlan("bind=EADDRINUSE", options, Leaky),
              Not(net::HasNoFindings()));
  EXPECT_THAT(net::RunFaultPlan("bind=EADDRINUSE", options, Correct),
              net::HasNoFindings());
}

TEST(ResultText, APlanThatAppliesToNothingIsAFinding) {
  const ExploreResult result = RunFaultPlan("listen=EADDRINUSE", {}, Correct);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_THAT(result.findings[0].text, HasSubstr("applies to no call"));
}

TEST(ResultText, APlanWithAMistakeIsAFinding) {
  const ExploreResult result = RunFaultPlan("bind=EFOO", {}, Correct);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].kind, FindingKind::kBroken);
}

}  // namespace
}  // namespace net
