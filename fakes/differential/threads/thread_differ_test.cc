#include "fakes/differential/threads/thread_differ.h"

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/threads/fake_threads.h"
#include "fakes/differential/threads/generate_threads.h"
#include "fakes/differential/threads/print_threads.h"
#include "fakes/differential/threads/test_programs.h"
#include "fakes/differential/threads/threaded_kernels.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/schedule/schedule.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::differential {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A FakeKernel as oracle. It answers wrongly, by one word, `wrong` times.
class Oracle : public ThreadedKernel {
 public:
  explicit Oracle(int wrong) : wrong_(wrong) {}

  absl::StatusOr<ThreadedAnswer> Run(const ThreadedProgram& program,
                                     const ThreadStart& start) override {
    ++runs_;
    SeededSchedule policy(static_cast<uint64_t>(runs_), /*at_each_call=*/true);
    ThreadedAnswer answer = FakeThreads().Run(program, start, policy).answer;
    if (wrong_ > 0) {
      --wrong_;
      for (auto& results : answer.threads) {
        if (!results.empty()) results.front() += " wrong";
      }
    }
    return answer;
  }

  int runs() const { return runs_; }

 private:
  int wrong_;
  int runs_ = 0;
};

constexpr int kAlways = 1 << 30;

ThreadStart StartOf(const ThreadedProgram& program) {
  return ThreadStartOf(program, /*seed=*/1, /*run=*/0);
}

std::optional<ThreadedDifference> Compare(ThreadDiffer& differ,
                                          const ThreadedProgram& program,
                                          const ThreadStart& start) {
  absl::StatusOr<std::optional<ThreadedDifference>> difference =
      differ.Compare(program, start);
  EXPECT_TRUE(difference.ok()) << difference.status();
  return difference.ok() ? *std::move(difference) : std::nullopt;
}

std::optional<ThreadedDifference> Compare(ThreadDiffer& differ,
                                          const ThreadedProgram& program) {
  return Compare(differ, program, StartOf(program));
}

// Programs have several answers. Whatever order the oracle has taken, one of
// the schedules has it, too.
TEST(ThreadDifferTest, EachAnswerOfTheCandidateIsRight) {
  Oracle oracle(0);
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const ThreadedProgram program = ThreadedProgramOf(seed);
    for (const int run : {0, 1}) {
      const ThreadStart start = ThreadStartOf(program, seed, run);
      EXPECT_FALSE(Compare(differ, program, start).has_value()) << seed;
    }
  }
  EXPECT_EQ(differ.unexhausted(), 0);
  EXPECT_EQ(differ.unstable(), 0);
  // More than one schedule is needed now and then.
  EXPECT_GT(differ.schedules(), 250);
}

TEST(ThreadDifferTest, ADifferenceIsReproducedOften) {
  Oracle oracle(kAlways);
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate);
  const std::optional<ThreadedDifference> found =
      Compare(differ, AcceptAndConnect());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(oracle.runs(), 1 + ThreadDiffer::kConfirmationsOneByOne);
  EXPECT_TRUE(found->is_exhausted);
  EXPECT_TRUE(found->repeats);
  EXPECT_EQ(found->seen.size(), 1U);
  EXPECT_GT(found->schedules, 1);
}

TEST(ThreadDifferTest, OneKnownAnswerMakesAProgramUnstable) {
  for (const bool one_by_one : {true, false}) {
    const int confirmations = one_by_one ? ThreadDiffer::kConfirmationsOneByOne
                                         : ThreadDiffer::kConfirmationsAtOnce;
    for (const int wrong : {1, 2, confirmations}) {
      Oracle oracle(wrong);
      FakeThreads candidate;
      ThreadDiffer differ(oracle, candidate);
      const ThreadedProgram program = AcceptAndConnect();
      ThreadStart start = StartOf(program);
      start.one_by_one = one_by_one;
      EXPECT_FALSE(Compare(differ, program, start).has_value());
      EXPECT_EQ(differ.unstable(), 1);
      EXPECT_EQ(oracle.runs(), wrong + 1);
    }
  }
}

// Threads that begin at the same time are preempted in the middle of calls more
// often.
TEST(ThreadDifferTest, WithAllThreadsAtOnceADifferenceNeedsMoreRuns) {
  Oracle oracle(kAlways);
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate);
  const ThreadedProgram program = AcceptAndConnect();
  ThreadStart start = StartOf(program);
  start.one_by_one = false;
  EXPECT_TRUE(Compare(differ, program, start).has_value());
  EXPECT_EQ(oracle.runs(), 1 + ThreadDiffer::kConfirmationsAtOnce);
  static_assert(ThreadDiffer::kConfirmationsAtOnce >
                ThreadDiffer::kConfirmationsOneByOne);
}

TEST(ThreadDifferTest, ADifferenceBecomesSmall) {
  Oracle oracle(kAlways);
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate);
  std::optional<ThreadedDifference> found =
      Compare(differ, ThreadedProgramOf(1));
  ASSERT_TRUE(found.has_value());
  const absl::StatusOr<ThreadedDifference> small =
      differ.Shrink(*std::move(found), absl::Now() + absl::Minutes(1));
  ASSERT_TRUE(small.ok()) << small.status();
  EXPECT_EQ(small->program.threads.size(), 1U);
  EXPECT_EQ(small->program.thread_calls(), 1U);
  EXPECT_TRUE(small->program.setup.empty());
  EXPECT_THAT(small->start.order, ElementsAre(0));
}

TEST(ThreadDifferTest, AfterTheBoundTheSearchGoesOnAtRandom) {
  Oracle oracle(kAlways);
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate, {.exhaustive = 2, .random = 30});
  const std::optional<ThreadedDifference> found = Compare(
      differ, AcceptAndConnect(), {.order = {0, 1}, .one_by_one = false});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(differ.unexhausted(), 1);
  EXPECT_FALSE(found->is_exhausted);
  // Some of the exhaustive search are repeated.
  EXPECT_GE(found->schedules, 32);
}

TEST(ThreadDifferTest, TheRandomSearchFindsAnAnswer) {
  // Two calls of one thread, and one of the other between them.
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kDup, 0, 2), On(Call::kDup, 0, 3)},
                     {On(Call::kSocket, kNoSlot, 4)}};
  class Interleaved : public ThreadedKernel {
   public:
    absl::StatusOr<ThreadedAnswer> Run(const ThreadedProgram& run,
                                       const ThreadStart& start) override {
      ReplayedSchedule policy(*ParseSchedule("call:b2c2"));
      return FakeThreads().Run(run, start, policy).answer;
    }
  } oracle;
  const ThreadStart start = {.order = {0, 1}, .one_by_one = false};
  const absl::StatusOr<ThreadedAnswer> wanted = oracle.Run(program, start);
  ASSERT_TRUE(wanted.ok());
  ASSERT_THAT(wanted->threads,
              ElementsAre(ElementsAre("descriptor #2", "descriptor #4"),
                          ElementsAre("descriptor #3")));
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate, {.exhaustive = 1, .random = 1000});
  EXPECT_FALSE(Compare(differ, program, start).has_value());
  EXPECT_EQ(differ.unexhausted(), 1);
}

// A candidate that does not repeat could have any answer.
TEST(ThreadDifferTest, ACandidateThatDoesNotRepeatIsADifference) {
  class Unsteady : public ScheduledKernel {
   public:
    ScheduledAnswer Run(const ThreadedProgram& program,
                        const ThreadStart& start,
                        SchedulePolicy& policy) override {
      ScheduledAnswer run = FakeThreads().Run(program, start, policy);
      run.answer.threads.front().push_back(std::to_string(++runs_));
      return run;
    }

   private:
    int runs_ = 0;
  } candidate;
  Oracle oracle(0);
  ThreadDiffer differ(oracle, candidate);
  const std::optional<ThreadedDifference> found =
      Compare(differ, AcceptAndConnect());
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->repeats);
}

// An accept4(2) that was blocked when shutdown(2) came, and one that came
// later, have the same result.
TEST(ThreadDifferTest, WhoWasBlockedIsCompared) {
  class ShutdownEndsNoAccept : public ScheduledKernel {
   public:
    ScheduledAnswer Run(const ThreadedProgram& program,
                        const ThreadStart& start,
                        SchedulePolicy& policy) override {
      ScheduledAnswer run = FakeThreads().Run(program, start, policy);
      if (start.one_by_one && start.order.front() == 0) {
        run.answer.threads.front() = {kBlocked};
        run.answer.descriptors.clear();
      }
      return run;
    }
  } candidate;
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kAccept4, 0, 2)}, {ShutDown(0, SHUT_RD)}};
  Oracle oracle(0);
  ThreadDiffer differ(oracle, candidate);
  EXPECT_TRUE(Compare(differ, program, {.order = {0, 1}}).has_value());
  EXPECT_FALSE(Compare(differ, program, {.order = {1, 0}}).has_value());
  EXPECT_FALSE(Compare(differ, program, {.order = {0, 1}, .one_by_one = false})
                   .has_value());
}

TEST(ThreadDifferTest, AScheduleGivesItsAnswerAgain) {
  Oracle oracle(kAlways);
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate);
  int several = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const ThreadedProgram program = ThreadedProgramOf(seed);
    for (const int run : {0, 1}) {
      const std::optional<ThreadedDifference> found =
          Compare(differ, program, ThreadStartOf(program, seed, run));
      ASSERT_TRUE(found.has_value());
      if (found->seen.size() > 1) ++several;
      ThreadStart at_once = found->start;
      at_once.one_by_one = false;
      for (const auto& [text, seen] : found->seen) {
        ReplayedSchedule policy(*ParseSchedule(seen.schedule));
        EXPECT_EQ(candidate.Run(program, at_once, policy).answer.ToText(), text)
            << "seed " << seed << ", schedule " << seen.schedule;
      }
    }
  }
  EXPECT_GT(several, 5);
}

TEST(PrintThreadsTest, IsAFunctionWithTheAnswersBeforeIt) {
  ThreadedDifference difference;
  difference.program = AcceptAndConnect();
  difference.expected.threads = {{"descriptor #2 from s1"}, {kBlocked}};
  ThreadedAnswer other;
  other.threads = {{kBlocked}, {"ECONNREFUSED"}};
  difference.seen[other.ToText()] = {other, "call:cb"};
  other.threads = {{"descriptor #2 from s1"}, {"0"}};
  difference.seen[other.ToText()] = {other, "call:bc"};
  difference.schedules = 7;
  EXPECT_EQ(
      PrintThreadedDifference("Found", difference),
      R"(// Each thread began when the ones before it had ended or were blocked.
// Expected answer, which no schedule gives (7 were tried):
//   thread 1: descriptor #2 from s1
//   thread 2: blocked
// Nearest of the 2 answers, schedule call:bc:
//   thread 1: descriptor #2 from s1
//   thread 2: 0
uint16_t PortOf(Syscalls& sys, int fd) {
  ip::SockAddr name;
  if (!sys.GetSockName(fd, name.get(), name.size_ptr()).ok()) return 0;
  return name.ToEndpoint()->port;
}

void Found(Syscalls& sys, FakeKernel& kernel) {
  int s0 = -1;
  int s1 = -1;
  int s2 = -1;
  if (const SysResult made = sys.Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); made.ok()) s0 = made.fd();
  static_cast<void>(sys.Listen(s0, 5));
  if (const SysResult made = sys.Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); made.ok()) s1 = made.fd();
  ip::SockAddr address4({*ip::Addr::Parse("127.0.0.1"),
                   static_cast<uint16_t>(0)});
  static_cast<void>(sys.Bind(s1, address4.get(), address4.size()));
  static_cast<void>(sys.Fcntl(s0, F_SETFL, 0));
  static_cast<void>(sys.Fcntl(s1, F_SETFL, 0));
  const uint16_t port0 = PortOf(sys, s0);
  const auto thread1 = [&] {
  sockaddr_storage name7 = {};
  auto length7 = static_cast<socklen_t>(sizeof(sockaddr_storage));
  if (const SysResult made = sys.Accept4(s0, reinterpret_cast<sockaddr*>(&name7), &length7, 0); made.ok()) s2 = made.fd();  // descriptor #2 from s1
  };
  const auto thread2 = [&] {
  ip::SockAddr address8({*ip::Addr::Parse("127.0.0.1"),
                   static_cast<uint16_t>(port0)});
  static_cast<void>(sys.Connect(s1, address8.get(), address8.size()));  // blocked
  };
  static_cast<void>(RunTasks(kernel, {{"thread 1", thread1}, {"thread 2", thread2}}));
}
)");
}

TEST(PrintThreadsTest, SaysWhatIsNotCertain) {
  ThreadedDifference difference;
  difference.program.threads = {{}};
  difference.program.free_descriptors = 2;
  difference.expected.threads = {{}};
  difference.start.one_by_one = false;
  difference.schedules = 3;
  difference.is_exhausted = false;
  difference.repeats = false;
  const std::string text = PrintThreadedDifference("Found", difference);
  EXPECT_THAT(text, StartsWith("// All threads began at the same time.\n"));
  EXPECT_THAT(text, HasSubstr("perhaps no schedule gives (3 were tried, which "
                              "are not all)"));
  EXPECT_THAT(text, HasSubstr("One schedule gave two answers."));
  EXPECT_THAT(text, HasSubstr("The process can open 2 more descriptors."));
}

}  // namespace
}  // namespace net::differential
