// Calls that fail, and what they leave behind.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "fakes/call.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_injector_test_base.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using FaultInjectorErrors = FaultInjectorTest;

TEST_P(FaultInjectorErrors, BeforeDoesNotMakeTheCall) {
  const int fd = NewSocket();
  Arm("listen=EADDRINUSE before");
  EXPECT_THAT(sys_.Listen(fd, 10), IsErrno(EADDRINUSE));
  EXPECT_THAT(Accept(fd), IsErrno(EINVAL));  // It does not listen.
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
}

TEST_P(FaultInjectorErrors, AfterMakesTheCall) {
  const int fd = NewSocket(SOCK_NONBLOCK);
  Arm("listen=EADDRINUSE after");
  EXPECT_THAT(sys_.Listen(fd, 10), IsErrno(EADDRINUSE));
  EXPECT_THAT(Accept(fd), IsErrno(EAGAIN));  // It listens.
}

TEST_P(FaultInjectorErrors, AfterReplacesTheErrnoOfACallThatFails) {
  const int fd = NewSocket();
  Arm("accept4=ENOMEM after");
  EXPECT_THAT(Accept(fd), IsErrno(ENOMEM));
}

TEST_P(FaultInjectorErrors, HitsHavePositionsAndRules) {
  const int fd = NewSocket();
  Arm("send=EPIPE; listen#2=EINVAL; accept4=fd0");
  EXPECT_THAT(sys_.Listen(fd, 10), IsOk());
  EXPECT_THAT(sys_.Send(fd, "x", 1, 0), IsErrno(EPIPE));
  EXPECT_THAT(sys_.Listen(fd, 10), IsErrno(EINVAL));
  const std::vector<FaultInjector::Hit> hits = sys_.Hits();
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].position, 2);
  EXPECT_EQ(hits[0].rule, 0u);
  EXPECT_EQ(hits[1].position, 3);
  EXPECT_EQ(hits[1].rule, 1u);
  sys_.Arm({});
  EXPECT_THAT(sys_.Hits(), IsEmpty());
}

TEST_P(FaultInjectorErrors, AStormEnds) {
  const Connection made = Connect();
  Arm("send=EINTR*3");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(sys_.Send(made.client, "x", 1, 0), IsErrno(EINTR));
  }
  EXPECT_THAT(sys_.Send(made.client, "x", 1, 0), IsOkAndHolds(1));
  EXPECT_EQ(Received(made.server), "x");
  EXPECT_EQ(sys_.Count("send"), 4);
}

TEST_P(FaultInjectorErrors, AFailingCloseReleasesTheDescriptor) {
  const Connection made = Connect();
  Arm("close=EIO");
  EXPECT_THAT(sys_.Close(made.client), IsErrno(EIO));
  EXPECT_THAT(target_.Fcntl(made.client, F_GETFD, 0), IsErrno(EBADF));
  EXPECT_EQ(Received(made.server), "");
  EXPECT_EQ(sys_.StrayCloses(), 0);
}

TEST_P(FaultInjectorErrors, ACloseThatIsNotMadeLeavesTheDescriptorToTheKernel) {
  Arm("close=EIO before");
  const int fd = NewSocket();
  EXPECT_THAT(sys_.OpenDescriptors(), ElementsAre(fd));
  EXPECT_THAT(sys_.Close(fd), IsErrno(EIO));
  EXPECT_THAT(sys_.OpenDescriptors(), IsEmpty());
  EXPECT_THAT(target_.Close(fd), IsOk());
}

TEST_P(FaultInjectorErrors, AcceptWithEmfileKeepsTheConnectionInTheQueue) {
  const int listener = NewListener();
  const int client = NewClientOf(listener);
  Arm("accept4#1=EMFILE");
  EXPECT_THAT(Accept(listener), IsErrno(EMFILE));
  const int server = Made(Accept(listener));
  EXPECT_THAT(sys_.Send(client, "kept", 4, 0), IsOkAndHolds(4));
  EXPECT_EQ(Received(server), "kept");
}

TEST_P(FaultInjectorErrors, AcceptWithEfaultTakesTheConnectionAndClosesIt) {
  const int listener = NewListener(SOCK_NONBLOCK);
  const int client = NewClientOf(listener);
  Arm("accept4#1=EFAULT");
  ip::SockAddr addr;
  EXPECT_THAT(sys_.Accept4(listener, addr.get(), addr.size_ptr(), 0),
              IsErrno(EFAULT));
  EXPECT_EQ(addr.get()->sa_family, AF_UNSPEC) << "the address was written";
  EXPECT_EQ(addr.size(), ip::SockAddr().size());
  EXPECT_EQ(Received(client), "");
  EXPECT_THAT(Accept(listener), IsErrno(EAGAIN));
  EXPECT_THAT(sys_.OpenDescriptors(), IsEmpty());
  EXPECT_EQ(sys_.Count("close"), 0);
}

TEST_P(FaultInjectorErrors, ConnectWithEintrGoesOn) {
  const int listener = NewListener();
  const int client = NewSocket();
  Arm("connect#1=EINTR");
  EXPECT_THAT(ConnectTo(client, LocalOf(listener)), IsErrno(EINTR));
  EXPECT_THAT(target_.Fcntl(client, F_GETFL, 0), IsOkAndHolds(O_RDWR))
      << "O_NONBLOCK is set";
  pollfd polled = {client, POLLOUT, 0};
  EXPECT_THAT(sys_.Poll(&polled, 1, 10'000), IsOkAndHolds(1));
  EXPECT_EQ(PendingError(client), 0);
  Made(Accept(listener));
  // As Linux after an interrupted connect(2): 0 once, then EISCONN.
  EXPECT_THAT(ConnectTo(client, LocalOf(listener)), IsOk());
  EXPECT_THAT(ConnectTo(client, LocalOf(listener)), IsErrno(EISCONN));
}

TEST_P(FaultInjectorErrors, ConnectWithAnotherErrnoDoesNotConnect) {
  const int listener = NewListener(SOCK_NONBLOCK);
  const int client = NewSocket();
  Arm("connect#1=ECONNREFUSED");
  EXPECT_THAT(ConnectTo(client, LocalOf(listener)), IsErrno(ECONNREFUSED));
  EXPECT_THAT(Accept(listener), IsErrno(EAGAIN));
  EXPECT_THAT(ConnectTo(client, LocalOf(listener)), IsOk());
}

TEST_P(FaultInjectorErrors, ConnectAfterWaitsForTheConnection) {
  const int listener = NewListener();
  const int client = NewSocket();
  Arm("connect=ETIMEDOUT after");
  EXPECT_THAT(ConnectTo(client, LocalOf(listener)), IsErrno(ETIMEDOUT));
  const int server = Made(Accept(listener));
  EXPECT_THAT(sys_.Send(client, "hello", 5, 0), IsOkAndHolds(5));
  EXPECT_EQ(Received(server), "hello");
}

TEST_P(FaultInjectorErrors, ShutdownWithEnotconnTakesEffect) {
  const Connection made = Connect();
  Arm("shutdown=ENOTCONN");
  EXPECT_THAT(sys_.Shutdown(made.client, SHUT_WR), IsErrno(ENOTCONN));
  EXPECT_EQ(Received(made.server), "");
}

TEST_P(FaultInjectorErrors, PartialMovesBytesAndFails) {
  const Connection made = Connect();
  Arm("send#1=ECONNRESET partial(3); recv#1=EIO partial(1)");
  EXPECT_THAT(sys_.Send(made.client, "hello", 5, 0), IsErrno(ECONNRESET));
  AwaitReadable(made.server);
  char buffer[10] = {};
  EXPECT_THAT(sys_.Recv(made.server, buffer, sizeof(buffer), 0), IsErrno(EIO));
  EXPECT_EQ(buffer[0], 'h');
  EXPECT_EQ(Received(made.server), "el");
}

// A kernel leaves no descriptor behind when a call fails.
TEST_P(FaultInjectorErrors, AfterClosesTheDescriptorThatTheCallMade) {
  Arm("socket=ENOMEM after; pipe2=EMFILE after");
  // The numbers that the calls will take.
  int lowest[2] = {-1, -1};
  ASSERT_THAT(target_.Pipe2(lowest, 0), IsOk());
  for (const int fd : lowest) ASSERT_THAT(target_.Close(fd), IsOk());
  EXPECT_THAT(sys_.Socket(AF_INET, SOCK_STREAM, 0), IsErrno(ENOMEM));
  int pair[2] = {-1, -1};
  EXPECT_THAT(sys_.Pipe2(pair, O_CLOEXEC), IsErrno(EMFILE));
  EXPECT_THAT(pair, ElementsAre(-1, -1));
  EXPECT_THAT(sys_.OpenDescriptors(), IsEmpty());
  for (const int fd : lowest) {
    EXPECT_THAT(target_.Fcntl(fd, F_GETFD, 0), IsErrno(EBADF));
  }
}

TEST_P(FaultInjectorErrors, GetsockoptWithEfaultClearsTheError) {
  const int client = NewRefusedClient();
  Arm("getsockopt(SO_ERROR)=EFAULT");
  int error = -1;
  socklen_t len = sizeof(error);
  EXPECT_THAT(sys_.GetSockOpt(client, SOL_SOCKET, SO_ERROR, &error, &len),
              IsErrno(EFAULT));
  EXPECT_EQ(error, -1);
  EXPECT_EQ(len, sizeof(error));
  EXPECT_EQ(PendingError(client), 0);
}

INSTANTIATE_TEST_SUITE_P(Targets, FaultInjectorErrors,
                         testing::Values(Target::kFakeKernel, Target::kLinux),
                         NameOfTarget);

// Cases that only a mock shows.

TEST(FaultInjectorOnMock, BeforeMakesNoCallAndOthersAreUnchanged) {
  MockSyscalls target;
  FaultInjector sys(target);
  EXPECT_CALL(target, Socket(AF_INET, SOCK_STREAM, 0)).WillOnce(Succeed(3));
  EXPECT_CALL(target, Listen(3, 10)).Times(0);
  EXPECT_CALL(target, Send(3, testing::_, 5, MSG_NOSIGNAL))
      .WillOnce(Fail(EPIPE));
  EXPECT_THAT(sys.Socket(AF_INET, SOCK_STREAM, 0), IsOkAndHolds(3));
  sys.Arm(PlanOf("listen=EIO"));
  EXPECT_THAT(sys.Listen(3, 10), IsErrno(EIO));
  EXPECT_THAT(sys.Send(3, "hello", 5, MSG_NOSIGNAL), IsErrno(EPIPE));
}

TEST(FaultInjectorOnMock, AfterClosesOnceWhateverCloseReturns) {
  MockSyscalls target;
  FaultInjector sys(target);
  EXPECT_CALL(target, Socket).WillOnce(Succeed(7));
  EXPECT_CALL(target, Close(7)).WillOnce(Fail(EIO));
  sys.Arm(PlanOf("socket=ENOMEM after"));
  EXPECT_THAT(sys.Socket(AF_INET6, SOCK_STREAM, 0), IsErrno(ENOMEM));
  EXPECT_THAT(sys.OpenDescriptors(), IsEmpty());
}

}  // namespace
}  // namespace net
