// Which calls count, what is known of sockets, and what is reported.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fakes/call.h"
#include "fakes/faults/call_site.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_injector_test_base.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using FaultInjectorSockets = FaultInjectorTest;

TEST_P(FaultInjectorSockets, OnlyTcpSocketsCount) {
  Arm("*=EIO before");
  const int udp = Made(sys_.Socket(AF_INET, SOCK_DGRAM, 0));
  const int local = Made(sys_.Socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_THAT(sys_.Fcntl(udp, F_GETFL, 0), IsOk());
  EXPECT_THAT(sys_.Fcntl(local, F_GETFL, 0), IsOk());
  EXPECT_THAT(sys_.Close(udp), IsOk());
  EXPECT_THAT(sys_.Close(local), IsOk());
  EXPECT_EQ(sys_.Count("*"), 0);
  EXPECT_EQ(sys_.Count("close"), 0);
  EXPECT_THAT(sys_.Socket(AF_INET6, SOCK_STREAM, 0), IsErrno(EIO));
  EXPECT_EQ(sys_.Count("*"), 1);
}

TEST_P(FaultInjectorSockets, CountsWithAndWithoutRules) {
  for (const char* const plan : {"", "listen#9=EIO"}) {
    Arm(plan);
    const Connection made = Connect();
    pollfd polled = {made.server, POLLOUT, 0};
    EXPECT_THAT(sys_.Poll(&polled, 1, 0), IsOkAndHolds(1));
    EXPECT_THAT(sys_.Send(made.client, "x", 1, 0), IsOk());
    char buffer[1];
    AwaitReadable(made.server);
    EXPECT_THAT(sys_.Read(made.server, buffer, 1), IsOk());
    EXPECT_THAT(sys_.Close(made.server), IsOk());
    EXPECT_EQ(sys_.Count("socket"), 2) << plan;
    EXPECT_EQ(sys_.Count(Call::kAccept4), 1) << plan;
    EXPECT_EQ(sys_.Count(SyscallId::kPoll), 1) << plan;
    EXPECT_EQ(sys_.Count("recv"), 1) << plan;
    EXPECT_EQ(sys_.Count("recv!"), 0) << plan;
    EXPECT_EQ(sys_.Count("*"), 10) << plan;
    EXPECT_EQ(sys_.Count("cloze"), -1) << plan;
  }
}

TEST_P(FaultInjectorSockets, APollForOtherDescriptorsDoesNotCount) {
  int pair[2] = {-1, -1};
  ASSERT_THAT(sys_.Pipe2(pair, O_CLOEXEC), IsOk());
  for (const char* const plan : {"", "listen#9=EIO"}) {
    Arm(plan);
    pollfd polled[] = {{pair[0], POLLIN, 0}, {-1, POLLIN, 0}};
    EXPECT_THAT(sys_.Poll(polled, 2, 0), IsOkAndHolds(0));
    EXPECT_EQ(sys_.Count("poll"), 0);
    polled[1].fd = NewSocket();
    EXPECT_THAT(sys_.Poll(polled, 2, 0), IsOk());
    EXPECT_EQ(sys_.Count("poll"), 1);
  }
  EXPECT_THAT(sys_.Close(pair[0]), IsOk());
  EXPECT_THAT(sys_.Close(pair[1]), IsOk());
}

TEST_P(FaultInjectorSockets, KnowRoles) {
  const Connection made = Connect();
  const int fresh = NewSocket();
  Arm("fcntl(listener)=EIO; fcntl(connection)=EPERM");
  EXPECT_THAT(sys_.Fcntl(made.listener, F_GETFD, 0), IsErrno(EIO));
  EXPECT_THAT(sys_.Fcntl(made.client, F_GETFD, 0), IsErrno(EPERM));
  EXPECT_THAT(sys_.Fcntl(made.server, F_GETFD, 0), IsErrno(EPERM));
  EXPECT_THAT(sys_.Fcntl(fresh, F_GETFD, 0), IsOk());
}

TEST_P(FaultInjectorSockets, AnAttemptThatGoesOnIsAConnection) {
  const int listener = NewListener();
  const int pending = NewSocket(SOCK_NONBLOCK);
  EXPECT_THAT(ConnectTo(pending, LocalOf(listener)), IsErrno(EINPROGRESS));
  Arm("fcntl(connection)=EIO");
  EXPECT_THAT(sys_.Fcntl(pending, F_GETFD, 0), IsErrno(EIO));
}

TEST_P(FaultInjectorSockets, AreNumberedFromArm) {
  const int early = NewSocket();
  Arm("fcntl(socket 1)=EIO; fcntl(socket 2)=EPERM; fcntl(socket 3)=EACCES");
  const int first = NewListener();
  const int second = NewClientOf(first);
  EXPECT_THAT(sys_.Fcntl(early, F_GETFD, 0), IsOk());
  EXPECT_THAT(sys_.Fcntl(first, F_GETFD, 0), IsErrno(EIO));
  EXPECT_THAT(sys_.Fcntl(second, F_GETFD, 0), IsErrno(EPERM));
  EXPECT_THAT(sys_.Fcntl(Made(Accept(first)), F_GETFD, 0), IsErrno(EACCES));
  Arm("fcntl(socket 1)=EIO");
  EXPECT_THAT(sys_.Fcntl(first, F_GETFD, 0), IsOk());
}

TEST_P(FaultInjectorSockets, DuplicatesAreOneSocket) {
  Arm("fcntl(socket 1, F_GETFD)=EIO");
  const int fd = NewSocket();
  const int by_dup = Made(sys_.Dup(fd));
  const int by_fcntl = Made(sys_.Fcntl(fd, F_DUPFD_CLOEXEC, 0));
  const int by_dup3 = Made(sys_.Dup3(fd, by_fcntl + 1, O_CLOEXEC));
  ASSERT_THAT(sys_.Close(fd), IsOk());
  // The socket lives on in its copies: a new one is another.
  const int other = NewSocket();
  EXPECT_THAT(sys_.Fcntl(other, F_GETFD, 0), IsOk());
  ASSERT_THAT(sys_.Close(other), IsOk());
  for (const int copy : {by_dup, by_fcntl, by_dup3}) {
    EXPECT_THAT(sys_.Fcntl(copy, F_GETFD, 0), IsErrno(EIO));
  }
  EXPECT_THAT(sys_.OpenDescriptors(),
              UnorderedElementsAre(by_dup, by_fcntl, by_dup3));
}

TEST_P(FaultInjectorSockets, KnowAddresses) {
  const Connection made = Connect();
  const std::string port = absl::StrCat(LocalOf(made.listener).port);
  Arm(absl::StrCat("send(*:", port, ")=EIO; recv(local=127.0.0.1:", port,
                   ")=EPERM"));
  EXPECT_THAT(sys_.Send(made.client, "x", 1, 0), IsErrno(EIO));
  EXPECT_THAT(sys_.Send(made.server, "x", 1, 0), IsOk());
  char buffer[1];
  EXPECT_THAT(sys_.Recv(made.server, buffer, 1, 0), IsErrno(EPERM));
  AwaitReadable(made.client);
  EXPECT_THAT(sys_.Recv(made.client, buffer, 1, 0), IsOk());
}

TEST_P(FaultInjectorSockets, AddressesThatAreArguments) {
  const int one = NewListener();
  const int other = NewListener();
  Arm(absl::StrCat("connect(127.0.0.1:", LocalOf(one).port,
                   ")=EHOSTUNREACH; bind(0.0.0.0:*)=EACCES"));
  EXPECT_THAT(ConnectTo(NewSocket(), LocalOf(one)), IsErrno(EHOSTUNREACH));
  EXPECT_THAT(ConnectTo(NewSocket(), LocalOf(other)), IsOk());
  const ip::SockAddr any(ip::Endpoint{ip::kAnyV4, 0});
  EXPECT_THAT(sys_.Bind(NewSocket(), any.get(), any.size()), IsErrno(EACCES));
  const ip::SockAddr local(ip::Endpoint{ip::kLocalV4, 0});
  EXPECT_THAT(sys_.Bind(NewSocket(), local.get(), local.size()), IsOk());
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
}

TEST_P(FaultInjectorSockets, OptionsAndCallSites) {
  const int fd = NewSocket();
  Arm("setsockopt(SO_REUSEADDR)=ENOMEM; listen(from=Start)=EIO");
  const int on = 1;
  const auto set = [&](int option) {
    return sys_.SetSockOpt(fd, SOL_SOCKET, option, &on, sizeof(on));
  };
  EXPECT_THAT(set(SO_KEEPALIVE), IsOk());
  EXPECT_THAT(set(SO_REUSEADDR), IsErrno(ENOMEM));
  {
    const CallSite site("Server::Start");
    EXPECT_THAT(sys_.Listen(fd, 1), IsErrno(EIO));
    const CallSite inner("Server::Retry");
    EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
  }
  EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
  EXPECT_EQ(CallSite::Current(), "");
}

TEST_P(FaultInjectorSockets, PositionsAreThoseOfTheTrace) {
  Arm("*@3=EIO");
  const int fd = NewSocket();
  const int udp = Made(sys_.Socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT_THAT(sys_.Close(udp), IsOk());
  EXPECT_THAT(sys_.Fcntl(fd, F_GETFD, 0), IsOk());
  EXPECT_THAT(sys_.Listen(fd, 1), IsErrno(EIO));
  EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
}

// Descriptors that were made by others are asked about.
TEST_P(FaultInjectorSockets, OfOthersAreLearned) {
  const Connection made = Connect();
  FaultInjector other(target_);
  other.Arm(PlanOf("fcntl(listener)=EIO; fcntl(connection)=EPERM"));
  EXPECT_THAT(other.Fcntl(made.listener, F_GETFD, 0), IsErrno(EIO));
  EXPECT_THAT(other.Fcntl(made.client, F_GETFD, 0), IsErrno(EPERM));
  const int event = Made(target_.EventFd(0, 0));
  EXPECT_THAT(other.Fcntl(event, F_GETFD, 0), IsOk());
  EXPECT_EQ(other.Count("fcntl"), 2);
  EXPECT_THAT(other.OpenDescriptors(), IsEmpty());
  EXPECT_THAT(other.Close(event), IsOk());
  EXPECT_EQ(other.StrayCloses(), 0);
  EXPECT_THAT(other.Close(event), IsErrno(EBADF));
  EXPECT_EQ(other.StrayCloses(), 1);
}

TEST_P(FaultInjectorSockets, StrayClosesAreCounted) {
  for (const char* const plan : {"", "listen#9=EIO"}) {
    Arm(plan);
    const int fd = NewSocket();
    EXPECT_THAT(sys_.Close(fd), IsOk());
    EXPECT_EQ(sys_.StrayCloses(), 0);
    EXPECT_THAT(sys_.Close(fd), IsErrno(EBADF));
    EXPECT_EQ(sys_.StrayCloses(), 1);
    EXPECT_THAT(sys_.Close(900), IsErrno(EBADF));
    EXPECT_THAT(sys_.Close(90'000), IsErrno(EBADF));
    EXPECT_EQ(sys_.StrayCloses(), 3);
    EXPECT_THAT(sys_.Close(-1), IsErrno(EBADF));
    EXPECT_EQ(sys_.StrayCloses(), 3);
  }
}

TEST_P(FaultInjectorSockets, DescriptorsAreOpenUntilTheyAreClosed) {
  const int early = NewSocket();
  Arm("");
  int pair[2] = {-1, -1};
  ASSERT_THAT(sys_.Pipe2(pair, O_CLOEXEC), IsOk());
  const int event = Made(sys_.EventFd(0, 0));
  const int timer = Made(sys_.TimerFdCreate(CLOCK_MONOTONIC, 0));
  const int fd = NewSocket();
  EXPECT_THAT(sys_.OpenDescriptors(),
              UnorderedElementsAre(pair[0], pair[1], event, timer, fd));
  for (const int made : {pair[0], pair[1], event, timer, fd}) {
    EXPECT_THAT(sys_.Close(made), IsOk());
  }
  EXPECT_THAT(sys_.OpenDescriptors(), IsEmpty());
  EXPECT_THAT(sys_.Close(early), IsOk());
  EXPECT_EQ(sys_.StrayCloses(), 0);
}

TEST_P(FaultInjectorSockets, NumbersBeyondTheFastTable) {
  process_.set_nofile_limit(4096);
  Arm("fcntl(socket 1, F_GETFD)=EIO");
  const int fd = NewSocket();
  const int high = Made(sys_.Fcntl(fd, F_DUPFD, 2000));
  ASSERT_GE(high, 2000);
  EXPECT_THAT(sys_.Fcntl(high, F_GETFD, 0), IsErrno(EIO));
  EXPECT_THAT(sys_.Close(high), IsOk());
  EXPECT_EQ(sys_.StrayCloses(), 0);
  Arm("");
  const int again = Made(sys_.Fcntl(fd, F_DUPFD, 2000));
  EXPECT_THAT(sys_.Fcntl(again, F_GETFD, 0), IsOk());
  EXPECT_EQ(sys_.Count("fcntl"), 2);
  EXPECT_THAT(sys_.Close(again), IsOk());
  EXPECT_EQ(sys_.StrayCloses(), 0);
  EXPECT_THAT(sys_.Close(fd), IsOk());
}

// A select(2) is about the sockets in its sets.
TEST_P(FaultInjectorSockets, SelectsCount) {
  for (const char* const plan : {"", "select(socket 1)#2=EIO"}) {
    Arm(plan);
    const int fd = NewSocket();
    timeval now = {};
    const timespec nothing = {};
    fd_set set;
    const auto select = [&](int descriptor) {
      FD_ZERO(&set);
      if (descriptor >= 0) FD_SET(descriptor, &set);
      return sys_.Select(FD_SETSIZE, nullptr, &set, nullptr, &now);
    };
    EXPECT_THAT(select(-1), IsOkAndHolds(0));
    EXPECT_EQ(sys_.Count("select"), 0);
    EXPECT_THAT(select(fd), IsOk());
    EXPECT_EQ(sys_.Count("select"), 1);
    const SysResult second = select(fd);
    if (*plan != '\0') {
      EXPECT_THAT(second, IsErrno(EIO));
    }
    EXPECT_THAT(
        sys_.PSelect6(FD_SETSIZE, &set, nullptr, nullptr, &nothing, nullptr),
        IsOk());
    EXPECT_EQ(sys_.Count("poll"), 3);
    EXPECT_THAT(
        sys_.Select(1, reinterpret_cast<fd_set*>(1), nullptr, nullptr, &now),
        IsErrno(EFAULT));
    EXPECT_THAT(sys_.Close(fd), IsOk());
  }
}

TEST_P(FaultInjectorSockets, ASocketFromAcceptIsAConnection) {
  for (const char* const plan : {"fcntl(connection)=EIO", ""}) {
    const int listener = NewListener();
    const int client = NewClientOf(listener);
    Arm(plan);
    const int server = Made(sys_.Accept(listener, nullptr, nullptr));
    EXPECT_EQ(sys_.Count("accept"), 1);
    const SysResult flags = sys_.Fcntl(server, F_GETFD, 0);
    EXPECT_EQ(flags.error(), *plan == '\0' ? 0 : EIO);
    for (const int fd : {listener, client, server}) {
      EXPECT_THAT(sys_.Close(fd), IsOk());
    }
  }
}

TEST_P(FaultInjectorSockets, InvalidPointersAreTheTargetsMatter) {
  const int fd = NewSocket();
  for (const char* const plan : {"", "send(*:1)=EIO"}) {
    Arm(plan);
    auto* const wrong = reinterpret_cast<pollfd*>(1);
    EXPECT_THAT(sys_.Poll(wrong, 1, 0), IsErrno(EFAULT));
    EXPECT_THAT(sys_.Bind(fd, nullptr, 16), IsErrno(EFAULT));
    EXPECT_THAT(sys_.Connect(fd, reinterpret_cast<sockaddr*>(1), 16),
                IsErrno(EFAULT));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FaultInjectorSockets,
                         testing::Values(Target::kFakeKernel, Target::kLinux),
                         NameOfTarget);

using FaultInjectorEpoll = FaultInjectorTest;

TEST_P(FaultInjectorEpoll, AWaitForATcpSocketCounts) {
  for (const char* const plan : {"", "listen#9=EIO"}) {
    Arm(plan);
    const int epoll = Made(sys_.EpollCreate1(EPOLL_CLOEXEC));
    epoll_event event = {};
    EXPECT_THAT(sys_.EpollWait(epoll, &event, 1, 0), IsOkAndHolds(0));
    EXPECT_EQ(sys_.Count("poll"), 0);
    EXPECT_EQ(sys_.Count("epoll_create1"), 1);
    const int fd = NewSocket();
    ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, fd, &event), IsOk());
    EXPECT_THAT(sys_.EpollWait(epoll, &event, 1, 0), IsOk());
    EXPECT_EQ(sys_.Count("poll"), 1);
    ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_DEL, fd, &event), IsOk());
    EXPECT_THAT(sys_.EpollWait(epoll, &event, 1, 0), IsOk());
    ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, fd, &event), IsOk());
    EXPECT_THAT(sys_.Close(fd), IsOk());
    EXPECT_THAT(sys_.EpollWait(epoll, &event, 1, 0), IsOk());
    EXPECT_EQ(sys_.Count("poll"), 1);
    EXPECT_EQ(sys_.Count("epoll_ctl"), 3);
    const int other = NewSocket();
    ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, other, &event), IsOk());
    const timespec now = {};
    EXPECT_THAT(sys_.EpollPWait2(epoll, &event, 1, &now, nullptr), IsOk());
    EXPECT_EQ(sys_.Count("epoll_pwait2"), 1);
    EXPECT_THAT(sys_.EpollPWait(epoll, &event, 1, 0, nullptr), IsOk());
    EXPECT_EQ(sys_.Count("epoll_pwait"), 1);
    EXPECT_THAT(sys_.Close(other), IsOk());
    EXPECT_THAT(sys_.OpenDescriptors(), ElementsAre(epoll));
    EXPECT_THAT(sys_.Close(epoll), IsOk());
  }
}

TEST_P(FaultInjectorEpoll, AWaitHasTheRolesOfItsSockets) {
  const int epoll = Made(sys_.EpollCreate1(EPOLL_CLOEXEC));
  epoll_event event = {};
  ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, NewSocket(), &event), IsOk());
  Arm("poll(listener)=EINTR");
  EXPECT_THAT(sys_.EpollWait(epoll, &event, 1, 0), IsOk());
  ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, NewListener(), &event),
              IsOk());
  EXPECT_THAT(sys_.EpollWait(epoll, &event, 1, 0), IsErrno(EINTR));
  EXPECT_THAT(sys_.Close(epoll), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Targets, FaultInjectorEpoll,
                         testing::Values(Target::kFakeKernel, Target::kLinux),
                         NameOfTarget);

class FaultInjectorTrace : public FaultInjectorTest {
 protected:
  FaultInjectorTrace()
      : FaultInjectorTest(FaultInjector::Options{.trace = true}) {}
};

TEST_P(FaultInjectorTrace, MarksCallsThatARuleAppliedTo) {
  const Connection made = Connect();
  EXPECT_THAT(sys_.Trace(), SizeIs(6));
  Arm("send#1=short(2); close=EIO; send#2=delay(1us); send#3=EPIPE");
  EXPECT_THAT(sys_.Trace(), IsEmpty());
  EXPECT_THAT(sys_.Send(made.client, "hello", 5, 0), IsOk());
  EXPECT_THAT(sys_.Send(made.client, "llo", 3, 0), IsOk());
  EXPECT_THAT(sys_.Send(made.client, "!", 1, 0), IsErrno(EPIPE));
  EXPECT_THAT(sys_.Send(made.client, "!", 1, 0), IsOk());
  EXPECT_THAT(sys_.Close(made.client), IsErrno(EIO));
  const std::string fd = absl::StrCat(made.client);
  EXPECT_THAT(
      sys_.Trace(),
      ElementsAre(
          absl::StrCat("send(", fd, ", \"hello\", 5, 0) = 2 (INJECTED)"),
          absl::StrCat("send(", fd, ", \"llo\", 3, 0) = 3 (DELAYED)"),
          absl::StrCat("send(", fd, ", \"!\", 1, 0) = -1 EPIPE (INJECTED)"),
          absl::StrCat("send(", fd, ", \"!\", 1, 0) = 1"),
          absl::StrCat("close(", fd, ") = -1 EIO (INJECTED)")));
}

TEST_P(FaultInjectorTrace, IsEmptyUnlessAskedFor) {
  FaultInjector quiet(target_);
  quiet.Arm(PlanOf("socket=EMFILE"));
  EXPECT_THAT(quiet.Socket(AF_INET, SOCK_STREAM, 0), IsErrno(EMFILE));
  EXPECT_THAT(quiet.Trace(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Targets, FaultInjectorTrace,
                         testing::Values(Target::kFakeKernel, Target::kLinux),
                         NameOfTarget);

}  // namespace
}  // namespace net
