// Programs whose only answer is known, on Linux and on the FakeKernel.

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/fake_threads.h"
#include "fakes/differential/threads/linux_threads.h"
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
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The FakeKernel with the order of a seed.
class SeededFake : public ThreadedKernel {
 public:
  absl::StatusOr<ThreadedAnswer> Run(const ThreadedProgram& program,
                                     const ThreadStart& start) override {
    SeededSchedule policy(++seed_, /*at_each_call=*/true);
    return FakeThreads().Run(program, start, policy).answer;
  }

 private:
  uint64_t seed_ = 0;
};

class KernelsTest : public testing::TestWithParam<bool> {
 protected:
  KernelsTest() {
    if (GetParam()) {
      kernel_ = std::make_unique<LinuxThreads>();
    } else {
      kernel_ = std::make_unique<SeededFake>();
    }
  }

  ThreadedAnswer Run(const ThreadedProgram& program, bool one_by_one = true) {
    ThreadStart start;
    for (size_t i = 0; i < program.threads.size(); ++i) {
      start.order.push_back(i);
    }
    start.one_by_one = one_by_one;
    return Run(program, start);
  }

  ThreadedAnswer Run(const ThreadedProgram& program, const ThreadStart& start) {
    const absl::StatusOr<ThreadedAnswer> answer = kernel_->Run(program, start);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(ThreadedAnswer());
  }

 private:
  std::unique_ptr<ThreadedKernel> kernel_;
};

TEST_P(KernelsTest, AConnectionEndsTheWaitForIt) {
  for (const bool one_by_one : {true, false}) {
    const ThreadedAnswer answer = Run(AcceptAndConnect(), one_by_one);
    EXPECT_FALSE(answer.is_blocked());
    EXPECT_THAT(
        answer.threads,
        ElementsAre(ElementsAre("descriptor #2 from s1"), ElementsAre("0")));
    EXPECT_THAT(answer.descriptors,
                ElementsAre(HasSubstr("#0 state 10"), HasSubstr("#1 state 1 "),
                            HasSubstr("#2 state 1 ")));
  }
}

TEST_P(KernelsTest, WhatNothingEndsIsBlocked) {
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kAccept4, 0, 2), On(Call::kClose, 0)},
                     {On(Call::kGetSockName, 1)}};
  for (const bool one_by_one : {true, false}) {
    const ThreadedAnswer answer = Run(program, one_by_one);
    EXPECT_TRUE(answer.is_blocked());
    EXPECT_THAT(answer.threads,
                ElementsAre(ElementsAre(kBlocked), ElementsAre("s1")));
    EXPECT_THAT(answer.descriptors, IsEmpty());
  }
}

// Only a timer could end it: that of the SYN that the full queue has dropped.
TEST_P(KernelsTest, AConnectThatWaitsForATimerIsBlocked) {
  ThreadedProgram program;
  program.setup = {On(Call::kSocket, kNoSlot, 0), On(Call::kListen, 0)};
  for (const int client : {1, 2, 3}) {
    program.setup.push_back(On(Call::kSocket, kNoSlot, client));
    if (client < 3) program.setup.push_back(ConnectTo(client, 0));
  }
  program.setup.push_back(MakeBlocking(3));
  program.setup[1].number = 0;
  program.threads = {{ConnectTo(3, 0)}};
  EXPECT_TRUE(Run(program).is_blocked());
}

TEST_P(KernelsTest, ShutdownEndsAnAccept) {
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kAccept4, 0, 2)}, {ShutDown(0, SHUT_RD)}};
  const ThreadedAnswer answer = Run(program);
  EXPECT_THAT(answer.threads,
              ElementsAre(ElementsAre("EINVAL"), ElementsAre("0")));
}

TEST_P(KernelsTest, ANumberThatWasClosedIsUsedAgain) {
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kClose, 1), On(Call::kSocket, kNoSlot, 2)}};
  EXPECT_THAT(Run(program).threads,
              ElementsAre(ElementsAre("0", "descriptor #1")));
}

TEST_P(KernelsTest, TheDescriptorsHaveALimit) {
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kDup, 1, 2), On(Call::kDup, 1, 3)}};
  program.free_descriptors = 1;
  EXPECT_THAT(Run(program).threads,
              ElementsAre(ElementsAre("descriptor #2", "EMFILE")));
  program.free_descriptors = -1;
  EXPECT_THAT(Run(program).threads,
              ElementsAre(ElementsAre("descriptor #2", "descriptor #3")));
}

TEST_P(KernelsTest, EachThreadSendsItsOwnLetters) {
  ThreadedProgram program = ListenerAndClient();
  program.setup.push_back(ConnectTo(1, 0));
  program.setup.push_back(On(Call::kAccept4, 0, 2));
  program.setup.push_back(MakeBlocking(2));
  Step send = On(Call::kSend, 1);
  send.size = 1;
  Step receive = On(Call::kRecv, 2);
  receive.size = 9;
  program.threads = {{send}, {receive}};
  EXPECT_THAT(Run(program).threads,
              ElementsAre(ElementsAre("1"), ElementsAre("\"a\"")));
  program.threads = {{receive}, {send}};
  EXPECT_THAT(Run(program).threads,
              ElementsAre(ElementsAre("\"i\""), ElementsAre("1")));
}

TEST_P(KernelsTest, AProgramWithoutCallsEnds) {
  ThreadedProgram program;
  program.threads.resize(kMostThreads);
  EXPECT_THAT(Run(program).threads, SizeIs(kMostThreads));
}

TEST_P(KernelsTest, OneByOneTheyBeginInOrder) {
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kDup, 1, 2)}, {On(Call::kDup, 1, 3)}};
  // All at once, some of so many runs would be in the other order.
  for (int i = 0; i < 50; ++i) {
    const ThreadedAnswer answer = Run(program, {.order = {1, 0}});
    EXPECT_THAT(answer.threads, ElementsAre(ElementsAre("descriptor #3"),
                                            ElementsAre("descriptor #2")));
  }
}

INSTANTIATE_TEST_SUITE_P(Both, KernelsTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& linux_kernel) {
                           return std::string(linux_kernel.param ? "Linux"
                                                                 : "Fake");
                         });

}  // namespace
}  // namespace net::differential
