#include "fakes/explorer/call_monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <vector>

#include "fakes/call.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/out_parameter.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class CallMonitorTest : public testing::Test {
 protected:
  std::vector<FindingKind> Kinds() {
    sys_.Finish();
    std::vector<FindingKind> kinds;
    for (const Violation& violation : sys_.violations()) {
      kinds.push_back(violation.kind);
    }
    return kinds;
  }

  int NewSocket() {
    return sys_.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0).fd();
  }
  void Close(SysResult made) { EXPECT_THAT(sys_.Close(made.fd()), IsOk()); }

  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess();
  CallMonitor sys_{process_, {.max_calls = 20}};
};

TEST_F(CallMonitorTest, NothingIsWrong) {
  const int fd = NewSocket();
  EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_THAT(sys_.Close(-1), IsErrno(EBADF));
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(CallMonitorTest, DescriptorsThatExecveKeeps) {
  const int fd = NewSocket();
  Close(sys_.Socket(AF_INET, SOCK_STREAM, 0));
  Close(sys_.Dup(fd));
  Close(sys_.Dup3(fd, 20, 0));
  Close(sys_.Fcntl(fd, F_DUPFD, 0));
  Close(sys_.EventFd(0, 0));
  Close(sys_.TimerFdCreate(CLOCK_MONOTONIC, 0));
  int pair[2];
  EXPECT_THAT(sys_.Pipe2(pair, 0), IsOk());
  EXPECT_THAT(sys_.Close(pair[0]), IsOk());
  EXPECT_THAT(sys_.Close(pair[1]), IsOk());
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_EQ(Kinds(), std::vector<FindingKind>(7, FindingKind::kNotCloseOnExec));
}

class CallMonitorAccept : public CallMonitorTest,
                          public testing::WithParamInterface<Call> {};

TEST_P(CallMonitorAccept, AConnectionThatExecveKeeps) {
  const int listener = NewSocket();
  const int client = NewSocket();
  ip::SockAddr address({ip::kLocalV4, 0});
  EXPECT_THAT(sys_.Bind(listener, address.get(), address.size()), IsOk());
  EXPECT_THAT(sys_.Listen(listener, 1), IsOk());
  EXPECT_THAT(sys_.GetSockName(listener, address.get(), address.size_ptr()),
              IsOk());
  EXPECT_THAT(sys_.Connect(client, address.get(), address.size()), IsOk());
  Close(GetParam() == Call::kAccept
            ? sys_.Accept(listener, nullptr, nullptr)
            : sys_.Accept4(listener, nullptr, nullptr, 0));
  EXPECT_THAT(sys_.Close(client), IsOk());
  EXPECT_THAT(sys_.Close(listener), IsOk());
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kNotCloseOnExec));
}

INSTANTIATE_TEST_SUITE_P(Calls, CallMonitorAccept,
                         testing::Values(Call::kAccept, Call::kAccept4));

TEST_F(CallMonitorTest, WhatTheOptionsAllow) {
  CallMonitor sys(process_,
                  {.ignores_sigpipe = true, .allows_inherited = true});
  const int fd = sys.Socket(AF_INET, SOCK_STREAM, 0).fd();
  EXPECT_THAT(sys.Send(fd, "x", 1, 0), IsErrno(EPIPE));
  EXPECT_THAT(sys.Close(fd), IsOk());
  EXPECT_THAT(sys.violations(), IsEmpty());
}

TEST_F(CallMonitorTest, DescriptorsThatExecveCloses) {
  const int fd = NewSocket();
  Close(sys_.Dup3(fd, 20, O_CLOEXEC));
  Close(sys_.Fcntl(fd, F_DUPFD_CLOEXEC, 0));
  Close(sys_.EventFd(0, EFD_CLOEXEC));
  Close(sys_.TimerFdCreate(CLOCK_MONOTONIC, TFD_CLOEXEC));
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(CallMonitorTest, SendsThatCanRaiseSigpipe) {
  const int fd = NewSocket();
  iovec part = {.iov_base = nullptr, .iov_len = 0};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  EXPECT_THAT(sys_.Send(fd, "x", 1, MSG_NOSIGNAL), IsErrno(EPIPE));
  EXPECT_THAT(sys_.SendMsg(fd, &message, MSG_NOSIGNAL), IsErrno(EPIPE));
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kLeak));
  EXPECT_THAT(sys_.Write(fd, "x", 1), IsErrno(EPIPE));
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kLeak, FindingKind::kSigpipe));
}

TEST_F(CallMonitorTest, ASendMsgThatCanRaiseSigpipe) {
  const int fd = NewSocket();
  msghdr message = {};
  EXPECT_THAT(sys_.SendMsg(fd, &message, 0), IsErrno(EPIPE));
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kSigpipe));
}

TEST_F(CallMonitorTest, SplicesThatCanRaiseSigpipe) {
  const int fd = NewSocket();
  int pipe[2] = {-1, -1};
  ASSERT_THAT(sys_.Pipe2(pipe, O_CLOEXEC), IsOk());
  EXPECT_THAT(sys_.Splice(fd, nullptr, pipe[1], nullptr, 1, 0),
              IsErrno(ENOTCONN));
  EXPECT_THAT(sys_.SendFile(pipe[1], fd, nullptr, 1), IsErrno(ENOTCONN));
  EXPECT_THAT(sys_.violations(), IsEmpty()) << "they write to a pipe";
  EXPECT_THAT(sys_.Write(pipe[1], "x", 1), IsOk());
  EXPECT_THAT(sys_.Splice(pipe[0], nullptr, fd, nullptr, 1, 0), IsErrno(EPIPE));
  for (const int end : {fd, pipe[0], pipe[1]}) {
    EXPECT_THAT(sys_.Close(end), IsOk());
  }
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kSigpipe));
}

TEST_F(CallMonitorTest, OtherSendsThatCanRaiseSigpipe) {
  const int fd = NewSocket();
  char byte = 'x';
  iovec part = {.iov_base = &byte, .iov_len = 1};
  mmsghdr messages = {};
  messages.msg_hdr.msg_iov = &part;
  messages.msg_hdr.msg_iovlen = 1;
  EXPECT_THAT(sys_.SendTo(fd, &byte, 1, MSG_NOSIGNAL, nullptr, 0),
              IsErrno(EPIPE));
  EXPECT_THAT(sys_.SendMMsg(fd, &messages, 1, MSG_NOSIGNAL), IsErrno(EPIPE));
  EXPECT_THAT(sys_.violations(), IsEmpty());
  const std::vector<std::function<SysResult(CallMonitor&)>> sends = {
      [&](CallMonitor& sys) { return sys.SendTo(fd, &byte, 1, 0, nullptr, 0); },
      [&](CallMonitor& sys) { return sys.SendMMsg(fd, &messages, 1, 0); }};
  for (const auto& send : sends) {
    CallMonitor sys(process_, {.max_calls = 20});
    EXPECT_THAT(send(sys), IsErrno(EPIPE));
    ASSERT_THAT(sys.violations(), SizeIs(1));
    EXPECT_EQ(sys.violations()[0].kind, FindingKind::kSigpipe);
  }
  EXPECT_THAT(sys_.WriteV(fd, &part, 1), IsErrno(EPIPE));
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kSigpipe));
}

TEST_F(CallMonitorTest, AWriteToAPipeIsNotASend) {
  int pair[2];
  EXPECT_THAT(sys_.Pipe2(pair, O_CLOEXEC), IsOk());
  EXPECT_THAT(sys_.Write(pair[1], "x", 1), IsOkAndHolds(1));
  EXPECT_THAT(sys_.Close(pair[0]), IsOk());
  EXPECT_THAT(sys_.Close(pair[1]), IsOk());
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(CallMonitorTest, PollOfAClosedDescriptor) {
  pollfd polled = {.fd = NewSocket(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(sys_.Close(polled.fd), IsOk());
  EXPECT_THAT(sys_.Poll(&polled, 1, 0), IsOkAndHolds(1));
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kUseAfterClose));
}

TEST_F(CallMonitorTest, SelectOfAClosedDescriptor) {
  const int fd = NewSocket();
  EXPECT_THAT(sys_.Close(fd), IsOk());
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  timeval now = {};
  EXPECT_THAT(sys_.Select(fd + 1, nullptr, &set, nullptr, &now),
              IsErrno(EBADF));
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kUseAfterClose));
}

TEST_F(CallMonitorTest, UseOfANumberThatHadTwoOwners) {
  const int fd = NewSocket();
  EXPECT_THAT(sys_.Close(fd), IsOk());
  ASSERT_EQ(NewSocket(), fd);
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_THAT(sys_.Listen(fd, 1), IsErrno(EBADF));
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kCloseOfReusedNumber));
}

TEST_F(CallMonitorTest, EpollCtlOfAClosedDescriptor) {
  const int fd = NewSocket();
  EXPECT_THAT(sys_.Close(fd), IsOk());
  epoll_event event = {};
  EXPECT_THAT(sys_.EpollCtl(100, EPOLL_CTL_ADD, fd, &event), Not(IsOk()));
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kUseAfterClose));
}

TEST_F(CallMonitorTest, CloseOfWhatItNeverMade) {
  EXPECT_THAT(sys_.Close(17), IsErrno(EBADF));
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kDoubleClose));
}

TEST_F(CallMonitorTest, OutParametersOfAFailedCallArePoisoned) {
  const int fd = NewSocket();
  int value = 0;
  socklen_t size = sizeof(value);
  EXPECT_THAT(sys_.GetSockOpt(fd, SOL_SOCKET, 9999, &value, &size),
              IsErrno(ENOPROTOOPT));
  EXPECT_EQ(value, static_cast<int>(0xa5a5a5a5));
  char data[2] = {'a', 'b'};
  EXPECT_THAT(sys_.Recv(fd, data, 1, 0), IsErrno(ENOTCONN));
  EXPECT_EQ(data[0], static_cast<char>(CallMonitor::kPoison));
  EXPECT_EQ(data[1], 'b');  // It is not part of the buffer.
  EXPECT_THAT(sys_.Recv(fd, nullptr, 1, 0), IsErrno(ENOTCONN));
}

TEST_F(CallMonitorTest, EachOutParameterOfAFailedCallIsPoisoned) {
  const int fd = NewSocket();
  std::array<char, 4> buffer;
  const auto is_poisoned = [&] {
    return buffer[0] == static_cast<char>(CallMonitor::kPoison) &&
           buffer[2] == static_cast<char>(CallMonitor::kPoison);
  };
  const auto with_address = [&](auto call) {
    buffer.fill('x');
    socklen_t size = buffer.size();
    EXPECT_THAT(call(reinterpret_cast<sockaddr*>(buffer.data()), &size),
                Not(IsOk()));
    return is_poisoned();
  };
  EXPECT_TRUE(with_address([&](sockaddr* address, socklen_t* size) {
    return sys_.Accept4(fd, address, size, SOCK_CLOEXEC);
  }));
  EXPECT_TRUE(with_address([&](sockaddr* address, socklen_t* size) {
    return sys_.Accept(fd, address, size);
  }));
  EXPECT_TRUE(with_address([&](sockaddr* address, socklen_t* size) {
    return sys_.RecvFrom(fd, nullptr, 0, 0, address, size);
  }));
  EXPECT_TRUE(with_address([&](sockaddr* address, socklen_t* size) {
    return sys_.GetSockName(-1, address, size);
  }));
  EXPECT_TRUE(with_address([&](sockaddr* address, socklen_t* size) {
    return sys_.GetPeerName(fd, address, size);
  }));

  buffer.fill('x');
  EXPECT_THAT(sys_.Read(fd, buffer.data(), buffer.size()), IsErrno(ENOTCONN));
  EXPECT_TRUE(is_poisoned());

  buffer.fill('x');
  iovec part = {.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  EXPECT_THAT(sys_.RecvMsg(fd, &message, 0), IsErrno(ENOTCONN));
  EXPECT_TRUE(is_poisoned());

  buffer.fill('x');
  mmsghdr messages = {.msg_hdr = message, .msg_len = 0};
  EXPECT_THAT(sys_.RecvMMsg(fd, &messages, 1, 0, nullptr), IsErrno(ENOTCONN));
  EXPECT_TRUE(is_poisoned());

  buffer.fill('x');
  EXPECT_THAT(sys_.ReadV(fd, &part, 1), IsErrno(ENOTCONN));
  EXPECT_TRUE(is_poisoned());

  buffer.fill('x');
  EXPECT_THAT(
      sys_.RecvFrom(fd, buffer.data(), buffer.size(), 0, nullptr, nullptr),
      IsErrno(ENOTCONN));
  EXPECT_TRUE(is_poisoned());

  itimerspec timer = {};
  EXPECT_THAT(sys_.TimerFdGetTime(fd, &timer), IsErrno(EINVAL));
  EXPECT_NE(timer.it_value.tv_sec, 0);

  int pair[2] = {1, 1};
  EXPECT_THAT(sys_.Pipe2(pair, -1), IsErrno(EINVAL));
  EXPECT_EQ(pair[1], static_cast<int>(0xa5a5a5a5));
}

TEST_F(CallMonitorTest, OutParametersOfASuccessAreNot) {
  const int fd = NewSocket();
  int value[2] = {1, 1};
  socklen_t size = sizeof(value);
  EXPECT_THAT(sys_.GetSockOpt(fd, SOL_SOCKET, SO_ERROR, value, &size), IsOk());
  EXPECT_THAT(value, ElementsAre(0, 1));
}

TEST_F(CallMonitorTest, AProgramWithoutAnEndIsEnded) {
  const int fd = NewSocket();
  const auto repeat = [&] {
    while (true) static_cast<void>(sys_.Listen(fd, 1));
  };
  for (int i = 0; i < 19; ++i) EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
  EXPECT_THAT(sys_.Listen(fd, 1), IsErrno(EDEADLK));
  EXPECT_THROW(repeat(), EndlessProgram);
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_THAT(process_.Close(fd), IsErrno(EBADF)) << "it was closed";
  sys_.Finish();
  ASSERT_FALSE(sys_.violations().empty());
  EXPECT_EQ(sys_.violations()[0].kind, FindingKind::kEndless);
}

class RetryStormTest : public CallMonitorTest {
 protected:
  RetryStormTest() { fd_ = NewSocket(); }

  // Each fails with ENOTCONN.
  void Recv(size_t size) {
    char data[64];
    EXPECT_THAT(sys_.Recv(fd_, data, size, 0), IsErrno(ENOTCONN));
  }

  std::vector<FindingKind> KindsAfterClose() {
    EXPECT_THAT(sys_.Close(fd_), IsOk());
    return Kinds();
  }

  int fd_ = -1;
};

TEST_F(RetryStormTest, TheSameFailureAgainAndAgain) {
  for (int i = 0; i < 12; ++i) Recv(1);
  EXPECT_THAT(KindsAfterClose(), ElementsAre(FindingKind::kRetryStorm));
}

TEST_F(RetryStormTest, FewerFailures) {
  for (int i = 0; i < 11; ++i) Recv(1);
  EXPECT_THAT(KindsAfterClose(), IsEmpty());
}

TEST_F(RetryStormTest, AnotherArgumentIsNoRetry) {
  for (size_t i = 0; i < 12; ++i) Recv(i + 1);
  EXPECT_THAT(KindsAfterClose(), IsEmpty());
}

TEST_F(RetryStormTest, AnotherErrnoInBetween) {
  FaultInjector injector(process_);
  CallMonitor sys(injector, {});
  const int fd = sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0).fd();
  injector.Arm(*ParseFaultPlan("recv every 2=EIO"));
  char data = 0;
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(sys.Recv(fd, &data, 1, 0),
                IsErrno(i % 2 == 0 ? ENOTCONN : EIO));
  }
  EXPECT_THAT(sys.Close(fd), IsOk());
  EXPECT_THAT(sys.violations(), IsEmpty());
}

TEST_F(RetryStormTest, AWaitInBetween) {
  for (int i = 0; i < 12; ++i) {
    Recv(1);
    if (i == 6) {
      EXPECT_THAT(sys_.Poll(nullptr, 0, 0), IsOkAndHolds(0));
    }
  }
  EXPECT_THAT(KindsAfterClose(), IsEmpty());
}

TEST_F(RetryStormTest, AWaitThatFails) {
  for (int i = 0; i < 12; ++i) {
    EXPECT_THAT(sys_.Poll(nullptr, 1, 0), IsErrno(EFAULT));
  }
  EXPECT_THAT(KindsAfterClose(), IsEmpty());
}

TEST(CallMonitorOnLinux, AnEpollThatExecveKeeps) {
  CallMonitor sys(DefaultSyscalls(), {});
  for (const int flags : {0, int{EPOLL_CLOEXEC}}) {
    const SysResult made = sys.EpollCreate1(flags);
    ASSERT_THAT(made, IsOk());
    EXPECT_THAT(sys.Close(made.fd()), IsOk());
    EXPECT_THAT(sys.violations(), SizeIs(1));
  }
}

TEST_F(CallMonitorTest, OnlyCallsOnTcpSocketsHavePositions) {
  const int fd = NewSocket();
  EXPECT_THAT(sys_.EventFd(0, EFD_CLOEXEC), IsOk());
  EXPECT_THAT(sys_.Socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), IsOk());
  EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
  pollfd polled = {.fd = fd, .events = POLLIN, .revents = 0};
  EXPECT_THAT(sys_.Poll(&polled, 1, 0), IsOkAndHolds(0));
  std::vector<int> positions;
  for (const MonitoredCall& call : sys_.calls()) {
    positions.push_back(call.position);
  }
  EXPECT_THAT(positions, ElementsAre(1, 0, 0, 2, 3));
}

TEST_F(CallMonitorTest, AnOutParameterThatAFailureChanged) {
  {
    OutParameter<uint16_t> untouched(sys_);
    OutParameter<uint16_t> succeeded(sys_);
    *succeeded.pointer() = 80;
    EXPECT_EQ(succeeded.value(), 80);
  }
  EXPECT_THAT(Kinds(), IsEmpty());
  {
    OutParameter<uint16_t> changed(sys_);
    *changed.pointer() = 80;
  }
  EXPECT_THAT(Kinds(), ElementsAre(FindingKind::kOutParameter));
}

}  // namespace
}  // namespace net
