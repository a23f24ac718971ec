#include "fakes/intercepting_syscalls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::ElementsAre;

// Records each call and makes it.
class Recorder final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

  const std::vector<Invocation>& seen() const { return seen_; }

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    seen_.push_back(invocation);
    return make();
  }

 private:
  std::vector<Invocation> seen_;
};

class InterceptingSyscallsTest : public testing::Test {
 protected:
  // Expects that `answer`, the result of a call through the recorder, has the
  // value `value`, and that the recorder has recorded that call.
  void ExpectPassedOn(SysResult answer, int value, Call call, int fd) {
    EXPECT_THAT(answer, IsOkAndHolds(value));
    ASSERT_FALSE(recorder_.seen().empty());
    EXPECT_EQ(recorder_.seen().back().call(), call);
    EXPECT_EQ(recorder_.seen().back().fd(), fd);
  }

  MockSyscalls target_;
  Recorder recorder_{target_};
  sockaddr addr_ = {};
  socklen_t len_ = 16;
  char data_[4] = {};
  msghdr message_ = {};
  timespec time_ = {};
};

TEST_F(InterceptingSyscallsTest, PassesOnSocketCallsWithTheirArguments) {
  EXPECT_CALL(target_, Socket(1, 2, 3)).WillOnce(Succeed(10));
  ExpectPassedOn(recorder_.Socket(1, 2, 3), 10, Call::kSocket, -1);
  EXPECT_CALL(target_, Bind(4, &addr_, 5)).WillOnce(Succeed(11));
  ExpectPassedOn(recorder_.Bind(4, &addr_, 5), 11, Call::kBind, 4);
  EXPECT_CALL(target_, Listen(4, 5)).WillOnce(Succeed(12));
  ExpectPassedOn(recorder_.Listen(4, 5), 12, Call::kListen, 4);
  EXPECT_CALL(target_, Accept4(4, &addr_, &len_, 5)).WillOnce(Succeed(13));
  ExpectPassedOn(recorder_.Accept4(4, &addr_, &len_, 5), 13, Call::kAccept4, 4);
  EXPECT_CALL(target_, Accept(4, &addr_, &len_)).WillOnce(Succeed(9));
  ExpectPassedOn(recorder_.Accept(4, &addr_, &len_), 9, Call::kAccept, 4);
  EXPECT_CALL(target_, Connect(4, &addr_, 5)).WillOnce(Succeed(14));
  ExpectPassedOn(recorder_.Connect(4, &addr_, 5), 14, Call::kConnect, 4);
  EXPECT_CALL(target_, GetSockName(4, &addr_, &len_)).WillOnce(Succeed(15));
  ExpectPassedOn(recorder_.GetSockName(4, &addr_, &len_), 15,
                 Call::kGetSockName, 4);
  EXPECT_CALL(target_, GetPeerName(4, &addr_, &len_)).WillOnce(Succeed(16));
  ExpectPassedOn(recorder_.GetPeerName(4, &addr_, &len_), 16,
                 Call::kGetPeerName, 4);
  EXPECT_CALL(target_, SetSockOpt(4, 5, 6, data_, 7)).WillOnce(Succeed(17));
  ExpectPassedOn(recorder_.SetSockOpt(4, 5, 6, data_, 7), 17, Call::kSetSockOpt,
                 4);
  EXPECT_CALL(target_, GetSockOpt(4, 5, 6, data_, &len_)).WillOnce(Succeed(18));
  ExpectPassedOn(recorder_.GetSockOpt(4, 5, 6, data_, &len_), 18,
                 Call::kGetSockOpt, 4);
  EXPECT_CALL(target_, Shutdown(4, 5)).WillOnce(Succeed(19));
  ExpectPassedOn(recorder_.Shutdown(4, 5), 19, Call::kShutdown, 4);
}

TEST_F(InterceptingSyscallsTest, PassesOnDataCallsWithTheirArguments) {
  EXPECT_CALL(target_, Send(4, data_, 5, 6)).WillOnce(Succeed(20));
  ExpectPassedOn(recorder_.Send(4, data_, 5, 6), 20, Call::kSend, 4);
  EXPECT_CALL(target_, Recv(4, data_, 5, 6)).WillOnce(Succeed(21));
  ExpectPassedOn(recorder_.Recv(4, data_, 5, 6), 21, Call::kRecv, 4);
  EXPECT_CALL(target_, SendTo(4, data_, 5, 6, &addr_, 7)).WillOnce(Succeed(60));
  ExpectPassedOn(recorder_.SendTo(4, data_, 5, 6, &addr_, 7), 60, Call::kSendTo,
                 4);
  EXPECT_CALL(target_, RecvFrom(4, data_, 5, 6, &addr_, &len_))
      .WillOnce(Succeed(61));
  ExpectPassedOn(recorder_.RecvFrom(4, data_, 5, 6, &addr_, &len_), 61,
                 Call::kRecvFrom, 4);
  EXPECT_CALL(target_, SendMsg(4, &message_, 6)).WillOnce(Succeed(22));
  ExpectPassedOn(recorder_.SendMsg(4, &message_, 6), 22, Call::kSendMsg, 4);
  EXPECT_CALL(target_, RecvMsg(4, &message_, 6)).WillOnce(Succeed(23));
  ExpectPassedOn(recorder_.RecvMsg(4, &message_, 6), 23, Call::kRecvMsg, 4);
  EXPECT_CALL(target_, Read(4, data_, 5)).WillOnce(Succeed(24));
  ExpectPassedOn(recorder_.Read(4, data_, 5), 24, Call::kRead, 4);
  EXPECT_CALL(target_, Write(4, data_, 5)).WillOnce(Succeed(25));
  ExpectPassedOn(recorder_.Write(4, data_, 5), 25, Call::kWrite, 4);
}

TEST_F(InterceptingSyscallsTest, PassesOnCallsOfSeveralBuffers) {
  mmsghdr messages[5] = {};
  const iovec parts[5] = {};
  EXPECT_CALL(target_, SendMMsg(4, messages, 5, 6)).WillOnce(Succeed(62));
  ExpectPassedOn(recorder_.SendMMsg(4, messages, 5, 6), 62, Call::kSendMMsg, 4);
  EXPECT_CALL(target_, RecvMMsg(4, messages, 5, 6, &time_))
      .WillOnce(Succeed(5));
  ExpectPassedOn(recorder_.RecvMMsg(4, messages, 5, 6, &time_), 5,
                 Call::kRecvMMsg, 4);
  EXPECT_CALL(target_, ReadV(4, parts, 5)).WillOnce(Succeed(64));
  ExpectPassedOn(recorder_.ReadV(4, parts, 5), 64, Call::kReadV, 4);
  EXPECT_CALL(target_, WriteV(4, parts, 5)).WillOnce(Succeed(65));
  ExpectPassedOn(recorder_.WriteV(4, parts, 5), 65, Call::kWriteV, 4);
  off_t offset = 0;
  EXPECT_CALL(target_, SendFile(4, 5, &offset, 6)).WillOnce(Succeed(66));
  ExpectPassedOn(recorder_.SendFile(4, 5, &offset, 6), 66, Call::kSendFile, 4);
  EXPECT_CALL(target_, Splice(4, &offset, 5, nullptr, 6, 7))
      .WillOnce(Succeed(67));
  ExpectPassedOn(recorder_.Splice(4, &offset, 5, nullptr, 6, 7), 67,
                 Call::kSplice, 4);
}

TEST_F(InterceptingSyscallsTest, PassesOnSelect) {
  fd_set one = {};
  fd_set two = {};
  fd_set three = {};
  timeval interval = {};
  sigset_t signals;
  EXPECT_CALL(target_, Select(4, &one, &two, &three, &interval))
      .WillOnce(Succeed(66));
  ExpectPassedOn(recorder_.Select(4, &one, &two, &three, &interval), 66,
                 Call::kSelect, -1);
  EXPECT_CALL(target_, PSelect6(4, &one, &two, &three, &time_, &signals))
      .WillOnce(Succeed(67));
  ExpectPassedOn(recorder_.PSelect6(4, &one, &two, &three, &time_, &signals),
                 67, Call::kPSelect6, -1);
}

TEST_F(InterceptingSyscallsTest, PassesOnReadinessCallsWithTheirArguments) {
  pollfd polled = {};
  sigset_t signals;
  sigemptyset(&signals);
  epoll_event event = {};
  EXPECT_CALL(target_, Poll(&polled, 1, 2)).WillOnce(Succeed(30));
  ExpectPassedOn(recorder_.Poll(&polled, 1, 2), 30, Call::kPoll, -1);
  EXPECT_CALL(target_, PPoll(&polled, 1, &time_, &signals))
      .WillOnce(Succeed(31));
  ExpectPassedOn(recorder_.PPoll(&polled, 1, &time_, &signals), 31,
                 Call::kPPoll, -1);
  EXPECT_CALL(target_, EpollCreate1(1)).WillOnce(Succeed(32));
  ExpectPassedOn(recorder_.EpollCreate1(1), 32, Call::kEpollCreate1, -1);
  EXPECT_CALL(target_, EpollCtl(4, 5, 6, &event)).WillOnce(Succeed(33));
  ExpectPassedOn(recorder_.EpollCtl(4, 5, 6, &event), 33, Call::kEpollCtl, 4);
  EXPECT_CALL(target_, EpollWait(4, &event, 5, 6)).WillOnce(Succeed(34));
  ExpectPassedOn(recorder_.EpollWait(4, &event, 5, 6), 34, Call::kEpollWait, 4);
  EXPECT_CALL(target_, EpollPWait(4, &event, 5, 6, &signals))
      .WillOnce(Succeed(36));
  ExpectPassedOn(recorder_.EpollPWait(4, &event, 5, 6, &signals), 36,
                 Call::kEpollPWait, 4);
  EXPECT_CALL(target_, EpollPWait2(4, &event, 5, &time_, &signals))
      .WillOnce(Succeed(35));
  ExpectPassedOn(recorder_.EpollPWait2(4, &event, 5, &time_, &signals), 35,
                 Call::kEpollPWait2, 4);
}

TEST_F(InterceptingSyscallsTest, PassesOnDescriptorCallsWithTheirArguments) {
  int pair[2] = {};
  EXPECT_CALL(target_, Close(4)).WillOnce(Succeed(40));
  ExpectPassedOn(recorder_.Close(4), 40, Call::kClose, 4);
  EXPECT_CALL(target_, Fcntl(4, F_GETFL, 6)).WillOnce(Succeed(41));
  ExpectPassedOn(recorder_.Fcntl(4, F_GETFL, 6), 41, Call::kFcntl, 4);
  EXPECT_CALL(target_, Ioctl(4, FIONREAD, 6)).WillOnce(Succeed(42));
  ExpectPassedOn(recorder_.Ioctl(4, FIONREAD, 6), 42, Call::kIoctl, 4);
  EXPECT_CALL(target_, Dup(4)).WillOnce(Succeed(43));
  ExpectPassedOn(recorder_.Dup(4), 43, Call::kDup, 4);
  EXPECT_CALL(target_, Dup3(4, 5, 6)).WillOnce(Succeed(44));
  ExpectPassedOn(recorder_.Dup3(4, 5, 6), 44, Call::kDup3, 4);
  EXPECT_CALL(target_, Pipe2(pair, 6)).WillOnce(Succeed(45));
  ExpectPassedOn(recorder_.Pipe2(pair, 6), 45, Call::kPipe2, -1);
  EXPECT_EQ(recorder_.seen().back().pipe_descriptors(), pair);
  EXPECT_CALL(target_, EventFd(4u, 5)).WillOnce(Succeed(46));
  ExpectPassedOn(recorder_.EventFd(4, 5), 46, Call::kEventFd, -1);
}

TEST_F(InterceptingSyscallsTest, PassesOnTimeCallsWithTheirArguments) {
  timespec other = {};
  EXPECT_CALL(target_, ClockGetTime(CLOCK_MONOTONIC, &time_))
      .WillOnce(Succeed(50));
  ExpectPassedOn(recorder_.ClockGetTime(CLOCK_MONOTONIC, &time_), 50,
                 Call::kClockGetTime, -1);
  EXPECT_CALL(target_, NanoSleep(&time_, &other)).WillOnce(Succeed(51));
  ExpectPassedOn(recorder_.NanoSleep(&time_, &other), 51, Call::kNanoSleep, -1);
  itimerspec value = {};
  itimerspec old = {};
  EXPECT_CALL(target_, TimerFdCreate(CLOCK_MONOTONIC, 5)).WillOnce(Succeed(52));
  ExpectPassedOn(recorder_.TimerFdCreate(CLOCK_MONOTONIC, 5), 52,
                 Call::kTimerFdCreate, -1);
  EXPECT_CALL(target_, TimerFdSetTime(4, 5, &value, &old))
      .WillOnce(Succeed(53));
  ExpectPassedOn(recorder_.TimerFdSetTime(4, 5, &value, &old), 53,
                 Call::kTimerFdSetTime, 4);
  EXPECT_CALL(target_, TimerFdGetTime(4, &value)).WillOnce(Succeed(54));
  ExpectPassedOn(recorder_.TimerFdGetTime(4, &value), 54, Call::kTimerFdGetTime,
                 4);
}

TEST_F(InterceptingSyscallsTest, PassesOnTheErrno) {
  EXPECT_CALL(target_, Listen).WillOnce(Fail(EADDRINUSE));
  EXPECT_THAT(recorder_.Listen(4, 5), IsErrno(EADDRINUSE));
}

TEST_F(InterceptingSyscallsTest, MakesDescriptorIsTrueForCallsThatMakeThem) {
  NiceMockSyscalls target;
  Recorder recorder(target);
  const auto makes_descriptor = [&](SysResult /*ENOSYS*/) {
    return recorder.seen().back().makes_descriptor();
  };
  EXPECT_TRUE(makes_descriptor(recorder.Socket(0, 0, 0)));
  EXPECT_TRUE(makes_descriptor(recorder.Accept(0, nullptr, nullptr)));
  EXPECT_TRUE(makes_descriptor(recorder.Accept4(0, nullptr, nullptr, 0)));
  EXPECT_TRUE(makes_descriptor(recorder.EpollCreate1(0)));
  EXPECT_TRUE(makes_descriptor(recorder.Dup(0)));
  EXPECT_TRUE(makes_descriptor(recorder.Dup3(0, 0, 0)));
  EXPECT_TRUE(makes_descriptor(recorder.EventFd(0, 0)));
  EXPECT_TRUE(makes_descriptor(recorder.TimerFdCreate(CLOCK_REALTIME, 0)));
  EXPECT_TRUE(makes_descriptor(recorder.Fcntl(0, F_DUPFD, 0)));
  EXPECT_TRUE(makes_descriptor(recorder.Fcntl(0, F_DUPFD_CLOEXEC, 0)));

  EXPECT_FALSE(makes_descriptor(recorder.Fcntl(0, F_GETFD, 0)));
  EXPECT_FALSE(makes_descriptor(recorder.Send(0, nullptr, 0, 0)));
  EXPECT_FALSE(makes_descriptor(recorder.Close(0)));
  int pair[2] = {};
  EXPECT_FALSE(makes_descriptor(recorder.Pipe2(pair, 0)));
}

// The example of the class comment.
class OneByteAtATime final : public InterceptingSyscalls {
 public:
  OneByteAtATime(Syscalls& target, int fd)
      : InterceptingSyscalls(target), fd_(fd) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    auto* const send = invocation.As<Call::kSend>();
    if (send != nullptr && send->fd == fd_ && send->size > 1) {
      send->size = 1;
    }
    return make();
  }

 private:
  const int fd_;
};

TEST(InterceptingSyscalls, ShortensACall) {
  MockSyscalls target;
  OneByteAtATime sys(target, 4);
  EXPECT_CALL(target, Send(4, DataStartsWith("h"), 1, MSG_NOSIGNAL))
      .WillOnce(Succeed(1));
  EXPECT_THAT(sys.Send(4, "hello", 5, MSG_NOSIGNAL), IsOkAndHolds(1));
}

TEST(InterceptingSyscalls, SelectsCallsByTheirArguments) {
  MockSyscalls target;
  OneByteAtATime sys(target, 4);
  EXPECT_CALL(target, Send(5, DataStartsWith("hello"), 5, 0))
      .WillOnce(Succeed(5));
  EXPECT_THAT(sys.Send(5, "hello", 5, 0), IsOkAndHolds(5));
  EXPECT_CALL(target, Write(4, DataStartsWith("hello"), 5))
      .WillOnce(Succeed(5));
  EXPECT_THAT(sys.Write(4, "hello", 5), IsOkAndHolds(5));
}

// Makes each send(2) twice, without and with the second byte.
class Repeater final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    invocation.As<Call::kSend>()->size = 1;
    static_cast<void>(make());
    invocation.As<Call::kSend>()->size = 2;
    return make();
  }
};

TEST(InterceptingSyscalls, MakesTheCallWithTheArgumentsThatItThenHas) {
  MockSyscalls target;
  Repeater sys(target);
  const testing::InSequence in_this_order;
  EXPECT_CALL(target, Send(4, DataStartsWith("h"), 1, 0)).WillOnce(Succeed(1));
  EXPECT_CALL(target, Send(4, DataStartsWith("he"), 2, 0)).WillOnce(Succeed(2));
  EXPECT_THAT(sys.Send(4, "hello", 5, 0), IsOkAndHolds(2));
}

// Fails each call without making it.
class Refuser final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

 protected:
  SysResult Intercept(Invocation&, absl::FunctionRef<SysResult()>) override {
    return SysResult::Error(EPERM);
  }
};

TEST(InterceptingSyscalls, NeedNotMakeTheCall) {
  MockSyscalls target;  // Expects none.
  Refuser refuser(target);
  EXPECT_THAT(refuser.Socket(AF_INET, SOCK_STREAM, 0), IsErrno(EPERM));
}

}  // namespace
}  // namespace net
