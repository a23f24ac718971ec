#include "fakes/differential/timed/timed_differ.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/timed/fake_timed.h"
#include "fakes/differential/timed/generate_timed.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/print_timed.h"
#include "fakes/differential/timed/timed_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::differential {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

TimedStep On(Call call, int slot, int out = kNoSlot) {
  TimedStep step;
  step.call.call = call;
  step.call.slot = slot;
  step.call.out = out;
  return step;
}

TimedStep Wait(int milliseconds) {
  TimedStep step;
  step.kind = TimedStep::Kind::kWait;
  step.milliseconds = milliseconds;
  return step;
}

TimedStep Cut(Side side) {
  TimedStep step;
  step.kind = TimedStep::Kind::kCut;
  step.side = side;
  return step;
}

TimedStep Option(Call call, int slot, int level, int name, int value = 0) {
  TimedStep step = On(call, slot);
  step.call.level = level;
  step.call.name = name;
  step.call.value = value;
  return step;
}

TimedStep At(Call call, int slot, Host host, PortKind port) {
  TimedStep step = On(call, slot);
  step.call.address = {.host = host, .port = port};
  return step;
}

TimedStep Listen(int slot) {
  TimedStep step = On(Call::kListen, slot);
  step.call.number = 5;
  return step;
}

// A listener in slot 0, a client in 1, and its other end in 2.
TimedProgram Pair() {
  return {On(Call::kSocket, kNoSlot, 0),
          At(Call::kBind, 0, Host::kLocalV4, PortKind::kFixed),
          Listen(0),
          On(Call::kSocket, kNoSlot, 1),
          At(Call::kBind, 1, Host::kOtherV4, PortKind::kZero),
          At(Call::kConnect, 1, Host::kLocalV4, PortKind::kFixed),
          On(Call::kAccept4, 0, 2)};
}

// The keepalive of the server finds out that the client is dead.
TimedProgram Keepalive() {
  TimedProgram program = Pair();
  for (const int name : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
    program.push_back(Option(Call::kSetSockOpt, 2, IPPROTO_TCP, name, 1));
  }
  program.push_back(Option(Call::kSetSockOpt, 2, SOL_SOCKET, SO_KEEPALIVE, 1));
  program.push_back(Cut(Side::kClient));
  program.push_back(Wait(1900));
  program.push_back(Option(Call::kGetSockOpt, 2, SOL_SOCKET, SO_ERROR));
  return program;
}

LinuxTimed& Oracle() {
  static absl::StatusOr<std::unique_ptr<LinuxTimed>>& linux =
      *new auto(LinuxTimed::Make());
  if (!linux.ok()) ADD_FAILURE() << linux.status();
  return **linux;
}

// A FakeKernel on which SO_ERROR is another one after more than a second.
TimedPlan PlanWithAMistake(const TimedProgram& program) {
  TimedPlan plan = PlanOnFake(program);
  for (PlannedStep& step : plan) {
    if (step.at > absl::Seconds(1) && step.result == "ETIMEDOUT") {
      step.result = "ECONNRESET";
    }
  }
  return plan;
}

// ---- The plan ---------------------------------------------------------------

TEST(PlanOnFakeTest, AStepIsFarFromTheTimers) {
  const TimedPlan plan = PlanOnFake(Keepalive());
  ASSERT_THAT(plan, SizeIs(Keepalive().size() - 1));
  const PlannedStep& last = plan.back();
  EXPECT_EQ(last.result, "ETIMEDOUT");
  // The timers fire after 1 s and 2 s.
  EXPECT_GT(last.at, absl::Seconds(2) + kMostDelay);
}

TEST(PlanOnFakeTest, EndsWhenTimersComeTooClose) {
  TimedProgram program = Keepalive();
  // Those of the client fire at the same time.
  for (TimedStep step : Keepalive()) {
    if (step.call.call != Call::kSetSockOpt || step.call.slot != 2) continue;
    step.call.slot = 1;
    program.insert(program.end() - 3, step);
  }
  EXPECT_LT(PlanOnFake(program).size(), program.size() - 1);
}

// The server receives with a timeout, while TCP_USER_TIMEOUT ends the
// connection 700 ms after the send.
TimedProgram ReceiveBeforeTheEnd(int timeout_ms) {
  TimedProgram program = Pair();
  program.push_back(
      Option(Call::kSetSockOpt, 2, IPPROTO_TCP, TCP_USER_TIMEOUT, 300));
  program.push_back(Cut(Side::kServer));
  program.push_back(On(Call::kSend, 2));
  program.back().call.size = 5000;
  program.push_back(Option(Call::kSetSockOpt, 2, SOL_SOCKET, SO_RCVTIMEO));
  program.back().call.second_value = timeout_ms * 1000;
  program.push_back(On(Call::kFcntl, 2));
  program.back().call.name = F_SETFL;
  program.push_back(On(Call::kRecv, 2));
  program.back().call.size = 1;
  return program;
}

TEST(PlanOnFakeTest, EndsWithACallWhoseTimeoutIsCloseToATimer) {
  for (const int timeout_ms : {660, 700, 740}) {
    const TimedProgram program = ReceiveBeforeTheEnd(timeout_ms);
    EXPECT_THAT(PlanOnFake(program), SizeIs(program.size() - 1)) << timeout_ms;
  }
  EXPECT_EQ(PlanOnFake(ReceiveBeforeTheEnd(300)).back().result, "EAGAIN");
  EXPECT_EQ(PlanOnFake(ReceiveBeforeTheEnd(950)).back().result, "ETIMEDOUT");
}

TEST(PlanOnFakeTest, EndsWithACallThatBlocksForGood) {
  TimedProgram program = Pair();
  program.push_back(On(Call::kFcntl, 1));
  program.back().call.name = F_SETFL;
  program.push_back(On(Call::kRecv, 1));
  program.back().call.size = 1;
  EXPECT_THAT(PlanOnFake(program), SizeIs(program.size() - 1));
}

// ---- Linux ------------------------------------------------------------------

TEST(TimedDifferTest, EqualResultsAreNoDifference) {
  TimedDiffer differ(Oracle(), &PlanOnFake);
  const absl::StatusOr<std::optional<TimedDifference>> outcome =
      differ.CompareAlone(Keepalive());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->has_value())
      << PrintTimedDifference("Found", **outcome);
}

TEST(TimedDifferTest, FindsAndShrinksADifference) {
  TimedDiffer differ(Oracle(), &PlanWithAMistake);
  TimedProgram program = Keepalive();
  // Steps that the difference does not need.
  program.push_back(On(Call::kListen, 0));
  program.insert(program.begin() + 7,
                 Option(Call::kSetSockOpt, 1, IPPROTO_TCP, TCP_NODELAY, 1));
  const absl::StatusOr<std::optional<TimedDifference>> outcome =
      differ.CompareAlone(program);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  // A machine that is busy all the time compares nothing.
  if (!outcome->has_value()) return;
  const absl::StatusOr<TimedDifference> small =
      differ.Shrink(**outcome, absl::Now() + absl::Seconds(20));
  ASSERT_TRUE(small.ok()) << small.status();
  EXPECT_LT(small->program.size(), program.size());
  EXPECT_THAT(PrintTimedDifference("Found", *small),
              AllOf(HasSubstr("kernel.Cut("), HasSubstr("kernel.Advance("),
                    HasSubstr("// Linux: ETIMEDOUT\n"
                              "  // FakeKernel: ECONNRESET")));
}

// ---- The generator ----------------------------------------------------------

TEST(TimedProgramOfTest, EqualSeedsGiveEqualPrograms) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(TimedProgramOf(seed), TimedProgramOf(seed));
  }
}

TEST(TimedProgramOfTest, ProgramsWaitCutAndRestore) {
  TimedProgram all;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const TimedProgram one = TimedProgramOf(seed);
    all.insert(all.end(), one.begin(), one.end());
  }
  for (const TimedStep::Kind kind :
       {TimedStep::Kind::kCall, TimedStep::Kind::kWait, TimedStep::Kind::kCut,
        TimedStep::Kind::kRestore}) {
    EXPECT_THAT(all, Contains(testing::Field(&TimedStep::kind, kind)));
  }
}

TEST(TimedProgramOfTest, MostStepsAreInThePlan) {
  size_t steps = 0;
  size_t planned = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const TimedProgram program = TimedProgramOf(seed);
    steps += static_cast<size_t>(std::count_if(
        program.begin(), program.end(), [](const TimedStep& step) {
          return step.kind != TimedStep::Kind::kWait;
        }));
    planned += PlanOnFake(program).size();
  }
  EXPECT_GT(planned * 4, steps * 3);
}

}  // namespace
}  // namespace net::differential
