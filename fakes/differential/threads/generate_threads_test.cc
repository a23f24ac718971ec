#include "fakes/differential/threads/generate_threads.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <set>
#include <vector>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/threaded_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::differential {

void PrintTo(const Step& step, std::ostream* os) { *os << step.call; }
void PrintTo(const ThreadedProgram& program, std::ostream* os) {
  *os << program.threads.size() << " threads, " << program.thread_calls()
      << " calls";
}

namespace {

using ::testing::UnorderedElementsAre;

constexpr uint64_t kSeeds = 500;

bool IsSlot(int slot) { return slot >= 0 && slot <= kNoSlot; }

void ExpectWellFormed(const ThreadedProgram& program) {
  EXPECT_GE(program.threads.size(), 2U);
  EXPECT_LE(program.threads.size(), kMostThreads);
  EXPECT_LE(program.thread_calls(), 8U);
  std::set<int> filled;
  for (const Step& step : program.setup) {
    for (const int slot : {step.out, step.to}) {
      if (slot == kNoSlot) continue;
      EXPECT_TRUE(filled.insert(slot).second);
    }
  }
  for (const Program& thread : program.threads) {
    EXPECT_FALSE(thread.empty());
    for (const Step& step : thread) {
      EXPECT_TRUE(IsSlot(step.slot));
      EXPECT_TRUE(IsSlot(step.out));
      EXPECT_TRUE(IsSlot(step.to));
      // No other thread fills it.
      if (step.call != Call::kDup3 && step.out != kNoSlot) {
        EXPECT_TRUE(filled.insert(step.out).second);
      }
    }
  }
}

TEST(GenerateThreadsTest, ProgramsAreWellFormed) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    ExpectWellFormed(ThreadedProgramOf(seed));
  }
}

TEST(GenerateThreadsTest, ASeedIsAProgram) {
  EXPECT_EQ(ThreadedProgramOf(4711), ThreadedProgramOf(4711));
  EXPECT_NE(ThreadedProgramOf(4711), ThreadedProgramOf(4712));
}

TEST(GenerateThreadsTest, EveryCallIsInAThread) {
  std::set<Call> calls;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const Program& thread : ThreadedProgramOf(seed).threads) {
      for (const Step& step : thread) calls.insert(step.call);
    }
  }
  EXPECT_THAT(calls,
              UnorderedElementsAre(
                  Call::kSocket, Call::kListen, Call::kAccept4, Call::kConnect,
                  Call::kGetSockName, Call::kGetPeerName, Call::kSetSockOpt,
                  Call::kGetSockOpt, Call::kShutdown, Call::kSend, Call::kRecv,
                  Call::kSendMsg, Call::kRecvMsg, Call::kRead, Call::kWrite,
                  Call::kReadV, Call::kWriteV, Call::kSendFile, Call::kSplice,
                  Call::kPoll, Call::kClose, Call::kFcntl, Call::kIoctl,
                  Call::kDup, Call::kDup3));
}

// Otherwise, shrinking might not terminate.
TEST(GenerateThreadsTest, ShrinkingEnds) {
  ThreadedProgram program = ThreadedProgramOf(1);
  for (int i = 0; i < 10'000; ++i) {
    const std::vector<ThreadedProgram> smaller = SmallerPrograms(program);
    if (smaller.empty()) return;
    for (const ThreadedProgram& one : smaller) ASSERT_NE(one, program);
    program = smaller.back();
  }
  FAIL() << "a program shrinks without end";
}

TEST(GenerateThreadsTest, EachThreadBeginsOnce) {
  const ThreadedProgram program = ThreadedProgramOf(3);
  std::set<std::vector<size_t>> orders;
  for (int run = 0; run < 20; ++run) {
    const ThreadStart start = ThreadStartOf(program, 5, run);
    EXPECT_EQ(start.one_by_one, run % 2 == 0);
    EXPECT_EQ(start.order, ThreadStartOf(program, 5, run).order);
    orders.insert(start.order);
    std::vector<size_t> sorted = start.order;
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], i);
    EXPECT_EQ(sorted.size(), program.threads.size());
  }
  EXPECT_GT(orders.size(), 1U);
}

}  // namespace
}  // namespace net::differential
