// The results of programs whose threads block: each that Linux gives, the
// FakeKernel gives under one of its schedules.

#include <cstdint>
#include <iostream>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/threads/fake_threads.h"
#include "fakes/differential/threads/linux_threads.h"
#include "fakes/differential/threads/thread_campaign.h"
#include "gtest/gtest.h"

namespace net::differential {
namespace {

// 1000 programs take 4 s on an idle machine, and thirty times as long with
// AddressSanitizer, which looks for other mistakes and needs fewer.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NET_TEST_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef NET_TEST_ADDRESS_SANITIZER
constexpr int64_t kPrograms = 200;
#else
constexpr int64_t kPrograms = 1000;
#endif

// The deadline only limits a run that would fail anyway.
CampaignOptions AllPrograms(uint64_t seed) {
  CampaignOptions options;
  options.seed = seed;
  options.programs = kPrograms;
  options.deadline = absl::Now() + absl::Minutes(10);
  options.findings = 3;
  options.shrinking = absl::Seconds(10);
  return options;
}

// .ci/fuzz runs new programs. A test that decides whether work may land must
// run the same programs each time.
TEST(ThreadedProgramsTest, TheSameProgramsEveryTime) {
  LinuxThreads oracle;
  FakeThreads candidate;
  const absl::StatusOr<ThreadCampaignResult> outcome =
      SearchThreads(oracle, candidate, AllPrograms(20260101));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const ThreadedFinding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
  if (outcome->findings.empty()) {
    EXPECT_EQ(outcome->programs, kPrograms)
        << "The deadline ended the run early.";
  }
  std::cout << outcome->blocked << " of " << outcome->programs
            << " programs blocked for good, " << outcome->schedules
            << " schedules\n";
  // A third of the programs block for good, and all others end.
  EXPECT_GT(outcome->blocked, outcome->programs / 5);
  EXPECT_LT(outcome->blocked, outcome->programs * 4 / 5);
  // Linux's calls are not atomic: some results need an interruption in the
  // middle of a call, and those must be rare.
  EXPECT_LE(outcome->unstable, 1 + outcome->programs / 100);
  EXPECT_EQ(outcome->unexhausted, 0);
}

}  // namespace
}  // namespace net::differential
