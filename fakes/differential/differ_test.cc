// Tests the search on Linux alone: it finds no difference if there is none;
// otherwise it finds the difference and shrinks the program.

#include "fakes/differential/differ.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <ostream>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/call.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/linux_worlds.h"
#include "fakes/differential/program.h"
#include "fakes/differential/worlds.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {

void PrintTo(const Step& step, std::ostream* os) { *os << step.call; }
void PrintTo(const Finding& finding, std::ostream* os) {
  *os << FindingText(finding);
}

namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A kernel that fails with ENOTCONN where Linux fails with EPIPE.
class WithoutEpipe final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

 protected:
  SysResult Intercept(Invocation&,
                      absl::FunctionRef<SysResult()> make) override {
    const SysResult result = make();
    return result.error() == EPIPE ? SysResult::Error(ENOTCONN) : result;
  }
};

class WrongWorld : public World {
 public:
  explicit WrongWorld(std::unique_ptr<World> right)
      : right_(std::move(right)), wrong_(right_->process(0)) {}

  Syscalls& process(int) override { return wrong_; }
  void SetOutOfDescriptors(int process, bool out) override {
    right_->SetOutOfDescriptors(process, out);
  }
  std::array<uint16_t, kFixedPorts> fixed_ports() const override {
    return right_->fixed_ports();
  }
  PortRange ephemeral_ports() const override {
    return right_->ephemeral_ports();
  }

 private:
  const std::unique_ptr<World> right_;
  WithoutEpipe wrong_;
};

class WrongWorldFactory : public WorldFactory {
 public:
  absl::StatusOr<std::unique_ptr<World>> Make() override {
    return Wrong(right_.Make());
  }
  absl::StatusOr<std::unique_ptr<World>> MakeDelivering() override {
    return Wrong(right_.MakeDelivering());
  }

 private:
  static absl::StatusOr<std::unique_ptr<World>> Wrong(
      absl::StatusOr<std::unique_ptr<World>> right) {
    if (!right.ok()) return right.status();
    return std::make_unique<WrongWorld>(*std::move(right));
  }

  LinuxWorldFactory right_;
};

// Linux that is never late.
class PunctualWorldFactory : public WorldFactory {
 public:
  absl::StatusOr<std::unique_ptr<World>> Make() override {
    return linux_.MakeDelivering();
  }

 private:
  LinuxWorldFactory linux_;
};

// Wrong until calls wait for what was sent.
class WrongAtFirstWorldFactory : public WrongWorldFactory {
 public:
  absl::StatusOr<std::unique_ptr<World>> MakeDelivering() override {
    return right_.MakeDelivering();
  }

 private:
  LinuxWorldFactory right_;
};

class FailingWorldFactory : public WorldFactory {
 public:
  absl::StatusOr<std::unique_ptr<World>> Make() override {
    return absl::UnavailableError("no world today");
  }
};

TEST(DifferTest, LinuxIsLikeLinux) {
  LinuxWorldFactory oracle;
  PunctualWorldFactory candidate;
  CampaignOptions options;
  options.seed = 1;
  options.programs = 1000;
  const absl::StatusOr<CampaignResult> outcome =
      Search(oracle, candidate, options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->programs, 1000);
  EXPECT_LE(outcome->unstable, 5);
  for (const Finding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
}

TEST(DifferTest, FindsADifferenceAndMakesItSmall) {
  LinuxWorldFactory oracle;
  WrongWorldFactory candidate;
  CampaignOptions options;
  options.seed = 1;
  options.programs = 1000;
  const absl::StatusOr<CampaignResult> outcome =
      Search(oracle, candidate, options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_THAT(outcome->findings, SizeIs(1));
  const Difference& difference = outcome->findings[0].difference;
  // The minimal program: a socket and a send on it.
  EXPECT_THAT(difference.program, SizeIs(2))
      << FindingText(outcome->findings[0]);
  EXPECT_EQ(difference.expected.back().text, "EPIPE");
  EXPECT_EQ(difference.seen.back().text, "ENOTCONN");
  EXPECT_THAT(FindingText(outcome->findings[0]), HasSubstr("IsErrno(EPIPE)"));
}

// send(2) on a new socket.
Program FailingSend() {
  Step socket;
  socket.call = Call::kSocket;
  socket.out = 0;
  Step send;
  send.call = Call::kSend;
  send.slot = 0;
  return {socket, send};
}

TEST(DifferTest, AnOracleThatWasLateIsCounted) {
  WrongAtFirstWorldFactory oracle;
  PunctualWorldFactory candidate;
  Differ differ(oracle, candidate);
  const auto difference = differ.Compare(FailingSend());
  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_FALSE(difference->has_value());
  EXPECT_EQ(differ.late(), 1);
  EXPECT_EQ(differ.unstable(), 0);
}

TEST(DifferTest, ACandidateThatChangesIsUnstable) {
  PunctualWorldFactory oracle;
  WrongAtFirstWorldFactory candidate;
  Differ differ(oracle, candidate);
  const auto difference = differ.Compare(FailingSend());
  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_FALSE(difference->has_value());
  EXPECT_EQ(differ.late(), 0);
  EXPECT_EQ(differ.unstable(), 1);
}

TEST(DifferTest, ReportsThatThereIsNoWorld) {
  LinuxWorldFactory oracle;
  FailingWorldFactory candidate;
  Differ differ(oracle, candidate);
  EXPECT_EQ(differ.Compare({Step()}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(DifferTest, CountsResultsOfLinux) {
  LinuxWorldFactory oracle;
  LinuxWorldFactory candidate;
  CampaignOptions options;
  options.seed = 1;
  options.programs = 3000;
  const absl::StatusOr<CampaignResult> outcome =
      Search(oracle, candidate, options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const RequiredRow& row : RequiredRows(outcome->histogram)) {
    EXPECT_GT(row.count, 0) << row.call << " " << row.error;
  }
}

}  // namespace
}  // namespace net::differential
