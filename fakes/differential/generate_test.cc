#include "fakes/differential/generate.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <set>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/shrink.h"
#include "fakes/differential/situations.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

namespace net::differential {

void PrintTo(const Step& step, std::ostream* os) { *os << step.call; }

namespace {

constexpr size_t kMostSteps = 60;

bool IsSlot(int slot) { return slot >= 0 && slot <= kNoSlot; }

RC_GTEST_PROP(GenerateTest, ProgramsAreWellFormed, ()) {
  const Program program = *Programs();
  RC_ASSERT(!program.empty());
  RC_ASSERT(program.size() <= kMostSteps);
  for (const Step& step : program) {
    RC_ASSERT(IsSlot(step.slot));
    RC_ASSERT(IsSlot(step.out));
    RC_ASSERT(step.process >= 0 && step.process < kProcesses);
    for (const PollEntry& entry : step.polled) RC_ASSERT(IsSlot(entry.slot));
  }
}

// Otherwise, shrinking might not terminate.
RC_GTEST_PROP(GenerateTest, ShrinksAreOtherProgramsAndNoneIsLonger, ()) {
  const auto seed = *rc::gen::arbitrary<uint64_t>();
  const rc::Shrinkable<Program> program = ProgramOf(seed);
  const Program whole = program.value();
  auto smaller = program.shrinks();
  for (int i = 0; i < 200; ++i) {
    const auto next = smaller.next();
    if (!next) break;
    RC_ASSERT(next->value() != whole);
    RC_ASSERT(next->value().size() <= whole.size());
  }
}

TEST(GenerateTest, ShrinkingEnds) {
  rc::Shrinkable<Program> program = ProgramOf(1);
  for (int i = 0; i < 10000; ++i) {
    auto smaller = program.shrinks();
    const auto next = smaller.next();
    if (!next) return;
    program = *next;
  }
  FAIL() << program.value().size() << " steps are left";
}

// A field that cannot be simplified would make findings longer than necessary.
TEST(GenerateTest, EveryFieldOfAStepCanBecomePlain) {
  Step step;
  step.call = Call::kWrite;
  step.process = 1;
  step.address = {
      .host = Host::kAnyV6, .port = PortKind::kOfSlot, .index = 2, .length = 3};
  step.flags = MSG_MORE | MSG_PEEK;
  step.size = 1000;
  step.pieces = 3;
  step.length = 5;
  step.null = step.null_length = step.no_descriptors = step.repeated = true;
  for (auto simpler = SimplerSteps(step); !simpler.empty();
       simpler = SimplerSteps(step)) {
    step = simpler.front();
  }
  Step plain;
  plain.call = Call::kSend;
  plain.size = 1;
  plain.address.port = PortKind::kFixed;
  EXPECT_EQ(step, plain);
}

TEST(GenerateTest, ASeedIsAProgram) {
  EXPECT_EQ(ProgramOf(4711).value(), ProgramOf(4711).value());
  EXPECT_NE(ProgramOf(4711).value(), ProgramOf(4712).value());
}

// Those that 1,000 programs without the preference reach twice at most.
TEST(GenerateTest, SeldomSituationsComeMoreOften) {
  constexpr int kPrograms = 1000;
  constexpr int64_t kSeldom = 2;
  const SituationCounts usual = CountSituations(0, kPrograms, false);
  const auto seldom_of = [&](bool prefer_seldom) {
    int64_t seldom = 0;
    const SituationCounts counts =
        CountSituations(kPrograms, kPrograms, prefer_seldom);
    for (const auto& [situation, count] : counts.all()) {
      if (usual.Count(situation) <= kSeldom) seldom += count;
    }
    return seldom;
  };
  const int64_t without = seldom_of(false);
  EXPECT_GT(without, 0);
  // Without the preference, 1.0 times as often.
  EXPECT_GE(seldom_of(true), 3 * without);
}

// The preference lowers the count of a usual situation by a third at most.
TEST(GenerateTest, UsualSituationsStayUsual) {
  constexpr int kPrograms = 1000;
  constexpr int64_t kUsual = kPrograms;  // Once in each program.
  const SituationCounts usual = CountSituations(0, kPrograms, false);
  const SituationCounts preferring = CountSituations(0, kPrograms, true);
  for (const auto& [situation, count] : usual.all()) {
    if (count < kUsual) continue;
    EXPECT_GE(preferring.Count(situation), count / 3 * 2)
        << situation.call << " in state " << static_cast<int>(situation.state);
  }
}

TEST(GenerateTest, EveryCallIsThere) {
  std::set<Call> calls;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    for (const Step& step : ProgramOf(seed).value()) calls.insert(step.call);
  }
  for (const Call call :
       {Call::kSocket,      Call::kBind,       Call::kListen,
        Call::kAccept4,     Call::kConnect,    Call::kGetSockName,
        Call::kGetPeerName, Call::kSetSockOpt, Call::kGetSockOpt,
        Call::kShutdown,    Call::kSend,       Call::kRecv,
        Call::kSendMsg,     Call::kRecvMsg,    Call::kRead,
        Call::kWrite,       Call::kPoll,       Call::kClose,
        Call::kFcntl,       Call::kIoctl,      Call::kDup,
        Call::kDup3,        Call::kPipe2,      Call::kAccept,
        Call::kSendTo,      Call::kRecvFrom,   Call::kReadV,
        Call::kWriteV,      Call::kSendFile,   Call::kSplice}) {
    EXPECT_EQ(calls.count(call), 1U) << call;
  }
}

}  // namespace
}  // namespace net::differential
