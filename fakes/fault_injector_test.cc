#include "fakes/fault_injector.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "fakes/call.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::InSequence;
using ::testing::IsEmpty;

class FaultInjectorTest : public testing::Test {
 protected:
  MockSyscalls target_;
  FaultInjector injector_{target_};
};

TEST_F(FaultInjectorTest, PassesOnWhatIsNotToFail) {
  EXPECT_CALL(target_, Listen(3, 10)).WillOnce(Succeed(0));
  EXPECT_CALL(target_, Send(3, testing::_, 5, MSG_NOSIGNAL))
      .WillOnce(Fail(EPIPE));
  EXPECT_THAT(injector_.Listen(3, 10), IsOkAndHolds(0));
  EXPECT_THAT(injector_.Send(3, "hello", 5, MSG_NOSIGNAL), IsErrno(EPIPE));
}

TEST_F(FaultInjectorTest, BeforeDoesNotMakeTheCall) {
  injector_.Fail(Call::kListen, 1, EADDRINUSE);
  EXPECT_THAT(injector_.Listen(3, 10), IsErrno(EADDRINUSE));
}

TEST_F(FaultInjectorTest, AfterMakesTheCall) {
  injector_.Fail(Call::kListen, 1, EADDRINUSE, When::kAfter);
  EXPECT_CALL(target_, Listen(3, 10)).WillOnce(Succeed());
  EXPECT_THAT(injector_.Listen(3, 10), IsErrno(EADDRINUSE));
}

TEST_F(FaultInjectorTest, AfterReplacesTheErrnoOfACallThatFailsByItself) {
  injector_.Fail(Call::kSocket, 1, ENOMEM, When::kAfter);
  EXPECT_CALL(target_, Socket).WillOnce(Fail(EMFILE));
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsErrno(ENOMEM));
}

TEST_F(FaultInjectorTest, HitsTheNthCallOfThatName) {
  injector_.Fail(Call::kListen, 3, EIO);
  EXPECT_CALL(target_, Listen(3, 10)).Times(3).WillRepeatedly(Succeed());
  EXPECT_CALL(target_, Shutdown(3, SHUT_RD)).WillRepeatedly(Succeed());
  for (const bool fails : {false, false, true, false}) {
    EXPECT_THAT(injector_.Shutdown(3, SHUT_RD), IsOk());  // Not counted.
    EXPECT_EQ(injector_.Listen(3, 10).error(), fails ? EIO : 0);
  }
}

TEST_F(FaultInjectorTest, HasSeveralFaultsAtOnce) {
  injector_.Fail(Call::kBind, 2, ENOMEM);
  injector_.Fail(Call::kListen, 1, EACCES);
  injector_.Fail(Call::kBind, 1, EPERM);
  EXPECT_THAT(injector_.Bind(3, nullptr, 0), IsErrno(EPERM));
  EXPECT_THAT(injector_.Bind(3, nullptr, 0), IsErrno(ENOMEM));
  EXPECT_THAT(injector_.Listen(3, 10), IsErrno(EACCES));
  EXPECT_THAT(injector_.Unfired(), IsEmpty());
}

TEST_F(FaultInjectorTest, OfTwoFaultsForOneCallTheFirstPlannedHits) {
  injector_.Fail(Call::kListen, 1, EIO);
  injector_.Fail(Call::kListen, 1, EPERM);
  EXPECT_THAT(injector_.Listen(3, 10), IsErrno(EIO));
  EXPECT_THAT(injector_.Unfired(), ElementsAre(Fault{Call::kListen, 1, EPERM}));
}

TEST_F(FaultInjectorTest, TellsWhichFaultsHaveNotHit) {
  injector_.Fail(Call::kListen, 2, EIO);
  injector_.Fail(Call::kClose, 1, EIO, When::kAfter);
  injector_.Fail(Call::kListen, 1, EPERM);
  EXPECT_THAT(injector_.Listen(3, 10), IsErrno(EPERM));
  EXPECT_THAT(injector_.Unfired(),
              ElementsAre(Fault{Call::kListen, 2, EIO},
                          Fault{Call::kClose, 1, EIO, When::kAfter}));
}

TEST_F(FaultInjectorTest, CountsCallsThatFailToo) {
  injector_.Fail(Call::kListen, 1, EIO);
  EXPECT_CALL(target_, Listen).WillOnce(Succeed()).WillOnce(Fail(EBADF));
  EXPECT_EQ(injector_.count(Call::kListen), 0);
  for (int i = 0; i < 3; ++i) static_cast<void>(injector_.Listen(3, 10));
  EXPECT_EQ(injector_.count(Call::kListen), 3);
  EXPECT_EQ(injector_.count(Call::kBind), 0);
}

// A kernel leaves no descriptor behind when a call fails.
TEST_F(FaultInjectorTest, AfterClosesTheDescriptorThatTheCallMade) {
  InSequence in_this_order;
  injector_.Fail(Call::kSocket, 1, ENOMEM, When::kAfter);
  EXPECT_CALL(target_, Socket).WillOnce(Succeed(7));
  EXPECT_CALL(target_, Close(7)).WillOnce(Succeed());
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsErrno(ENOMEM));

  injector_.Fail(Call::kAccept4, 1, ECONNABORTED, When::kAfter);
  EXPECT_CALL(target_, Accept4).WillOnce(Succeed(8));
  EXPECT_CALL(target_, Close(8)).WillOnce(Fail(EIO));
  EXPECT_THAT(injector_.Accept4(3, nullptr, nullptr, 0), IsErrno(ECONNABORTED));

  injector_.Fail(Call::kPipe2, 1, EMFILE, When::kAfter);
  EXPECT_CALL(target_, Pipe2).WillOnce([](int* fds, int /*flags*/) {
    fds[0] = 9;
    fds[1] = 10;
    return SysResult::Ok();
  });
  EXPECT_CALL(target_, Close(9)).WillOnce(Succeed());
  EXPECT_CALL(target_, Close(10)).WillOnce(Succeed());
  int pair[2] = {-1, -1};
  EXPECT_THAT(injector_.Pipe2(pair, 0), IsErrno(EMFILE));

  // The injector's own close calls are not counted.
  EXPECT_EQ(injector_.count(Call::kClose), 0);
  EXPECT_EQ(injector_.StrayCloses(), 0);
  EXPECT_THAT(injector_.OpenDescriptors(), IsEmpty());
}

TEST_F(FaultInjectorTest, KnowsWhichDescriptorsAreOpen) {
  EXPECT_CALL(target_, Socket).WillOnce(Succeed(7)).WillOnce(Fail(EMFILE));
  EXPECT_CALL(target_, Accept4).WillOnce(Succeed(5));
  EXPECT_CALL(target_, Close).WillOnce(Succeed());
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsOk());
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsErrno(EMFILE));
  EXPECT_THAT(injector_.Accept4(7, nullptr, nullptr, 0), IsOk());
  EXPECT_THAT(injector_.OpenDescriptors(), ElementsAre(5, 7));
  EXPECT_THAT(injector_.Close(7), IsOk());
  EXPECT_THAT(injector_.OpenDescriptors(), ElementsAre(5));
  EXPECT_EQ(injector_.StrayCloses(), 0);
}

TEST_F(FaultInjectorTest, TellsClosesOfWhatIsNotOpen) {
  EXPECT_CALL(target_, Socket).WillOnce(Succeed(7));
  EXPECT_CALL(target_, Close).WillRepeatedly(Succeed());
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsOk());
  EXPECT_THAT(injector_.Close(7), IsOk());
  EXPECT_EQ(injector_.StrayCloses(), 0);
  EXPECT_THAT(injector_.Close(7), IsOk());
  EXPECT_EQ(injector_.StrayCloses(), 1);
  EXPECT_THAT(injector_.Close(8), IsOk());
  EXPECT_EQ(injector_.StrayCloses(), 2);
  EXPECT_THAT(injector_.Close(-1), IsOk());  // -1 is not counted.
  EXPECT_EQ(injector_.StrayCloses(), 2);
}

TEST_F(FaultInjectorTest, AFailedCloseCountsAsOne) {
  EXPECT_CALL(target_, Socket).WillOnce(Succeed(7));
  injector_.Fail(Call::kClose, 1, EIO);
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsOk());
  EXPECT_THAT(injector_.Close(7), IsErrno(EIO));
  EXPECT_THAT(injector_.OpenDescriptors(), IsEmpty());
}

TEST_F(FaultInjectorTest, AfterOnDup3ForgetsTheDescriptorThatItReplaced) {
  EXPECT_CALL(target_, Socket).WillOnce(Succeed(7)).WillOnce(Succeed(8));
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsOk());
  EXPECT_THAT(injector_.Socket(AF_INET, SOCK_STREAM, 0), IsOk());
  injector_.Fail(Call::kDup3, 1, EBUSY, When::kAfter);
  EXPECT_CALL(target_, Dup3(7, 8, 0)).WillOnce(Succeed(8));
  EXPECT_CALL(target_, Close(8)).WillOnce(Succeed());
  EXPECT_THAT(injector_.Dup3(7, 8, 0), IsErrno(EBUSY));
  EXPECT_THAT(injector_.OpenDescriptors(), ElementsAre(7));
}

TEST(FaultInjector, KeepsTheLedgerOfTheRealKernel) {
  LinuxSyscalls kernel;
  FaultInjector injector(kernel);
  int pair[2] = {-1, -1};
  ASSERT_THAT(injector.Pipe2(pair, O_CLOEXEC), IsOk());
  const SysResult duplicate = injector.Fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
  ASSERT_THAT(duplicate, IsOk());
  EXPECT_THAT(injector.OpenDescriptors(),
              testing::UnorderedElementsAre(pair[0], pair[1], duplicate.fd()));
  injector.Fail(Call::kClose, 1, EIO, When::kAfter);
  EXPECT_THAT(injector.Close(duplicate.fd()), IsErrno(EIO));
  EXPECT_THAT(kernel.Fcntl(duplicate.fd(), F_GETFD, 0), IsErrno(EBADF));
  EXPECT_THAT(injector.Close(pair[0]), IsOk());
  EXPECT_THAT(injector.Close(pair[1]), IsOk());
  EXPECT_THAT(injector.OpenDescriptors(), IsEmpty());
  EXPECT_EQ(injector.StrayCloses(), 0);
}

// Under ThreadSanitizer this also checks that the records are locked.
TEST(FaultInjector, FailsExactlyOneOfManyConcurrentCalls) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 500;
  LinuxSyscalls kernel;
  FaultInjector injector(kernel);
  injector.Fail(Call::kEventFd, kThreads * kCalls / 2, ENFILE, When::kAfter);
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < kCalls; ++call) {
        const SysResult made = injector.EventFd(0, 0);
        if (made.ok()) {
          EXPECT_THAT(injector.Close(made.fd()), IsOk());
        } else {
          EXPECT_THAT(made, IsErrno(ENFILE));
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(injector.count(Call::kEventFd), kThreads * kCalls);
  EXPECT_EQ(injector.StrayCloses(), 0);
  EXPECT_THAT(injector.OpenDescriptors(), IsEmpty());
}

TEST(Fault, PrintsAsInAPlan) {
  EXPECT_EQ(testing::PrintToString(Fault{Call::kAccept4, 2, EMFILE}),
            "accept4#2=EMFILE");
  EXPECT_EQ(testing::PrintToString(Fault{Call::kClose, 1, EIO, When::kAfter}),
            "close#1=EIO after");
}

}  // namespace
}  // namespace net
