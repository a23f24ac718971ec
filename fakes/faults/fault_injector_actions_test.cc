// Short counts, delays and hostile successes.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "absl/time/time.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_injector_test_base.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using FaultInjectorActions = FaultInjectorTest;

TEST_P(FaultInjectorActions, SendsAreShort) {
  const Connection made = Connect();
  Arm("send=short(2)");
  EXPECT_THAT(sys_.Send(made.client, "abcde", 5, 0), IsOkAndHolds(2));
  EXPECT_EQ(Received(made.server), "ab");
  EXPECT_THAT(sys_.Write(made.client, "c", 1), IsOkAndHolds(1));
  EXPECT_EQ(Received(made.server), "c");
  char one[] = "d";
  char three[] = "efg";
  iovec buffers[] = {{one, 1}, {three, 3}};
  msghdr message = {};
  message.msg_iov = buffers;
  message.msg_iovlen = 2;
  EXPECT_THAT(sys_.SendMsg(made.client, &message, 0), IsOkAndHolds(2));
  EXPECT_EQ(Received(made.server), "de");
  EXPECT_EQ(buffers[1].iov_len, 3u) << "the caller's buffers were changed";
  EXPECT_THAT(sys_.SendTo(made.client, "hij", 3, 0, nullptr, 0),
              IsOkAndHolds(2));
  EXPECT_THAT(sys_.WriteV(made.client, buffers, 2), IsOkAndHolds(2));
  EXPECT_EQ(Received(made.server), "hide");
  EXPECT_EQ(sys_.Count("send"), 5);
}

// Either descriptor of splice(2) and sendfile(2) can be the socket.
TEST_P(FaultInjectorActions, SplicesAreShort) {
  const Connection made = Connect();
  int pipe[2] = {-1, -1};
  ASSERT_THAT(sys_.Pipe2(pipe, O_CLOEXEC), IsOk());
  Arm("splice#1..2=short(2); splice(connection)#3=EPIPE; "
      "sendfile(connection)=short(1)");
  ASSERT_THAT(sys_.Write(pipe[1], "hello", 5), IsOk());
  EXPECT_THAT(sys_.Splice(pipe[0], nullptr, made.client, nullptr, 5, 0),
              IsOkAndHolds(2));
  AwaitReadable(made.server);
  EXPECT_THAT(sys_.Splice(made.server, nullptr, pipe[1], nullptr, 9, 0),
              IsOkAndHolds(2));
  EXPECT_THAT(sys_.Splice(pipe[0], nullptr, made.client, nullptr, 5, 0),
              IsErrno(EPIPE));
  ASSERT_THAT(sys_.Send(made.client, "abc", 3, 0), IsOk());
  AwaitReadable(made.server);
  EXPECT_THAT(sys_.SendFile(pipe[1], made.server, nullptr, 9), IsOkAndHolds(1));
  EXPECT_EQ(sys_.Count("splice"), 3);
  EXPECT_EQ(sys_.Count("sendfile"), 1);
  std::array<char, 16> data = {};
  EXPECT_THAT(sys_.Read(pipe[0], data.data(), data.size()), IsOkAndHolds(6));
  EXPECT_STREQ(data.data(), "llohea");
  EXPECT_THAT(sys_.Close(pipe[0]), IsOk());
  EXPECT_THAT(sys_.Close(pipe[1]), IsOk());
}

TEST_P(FaultInjectorActions, SeveralMessagesAreShortInAll) {
  const Connection made = Connect();
  Arm("sendmmsg=short(3); recvmmsg=short(3)");
  char bytes[] = "abcdef";
  iovec parts[] = {{bytes, 2}, {bytes + 2, 4}};
  mmsghdr messages[2] = {};
  for (int i = 0; i < 2; ++i) {
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  EXPECT_THAT(sys_.SendMMsg(made.client, messages, 2, MSG_NOSIGNAL),
              IsOkAndHolds(2));
  EXPECT_EQ(messages[1].msg_len, 1u);
  EXPECT_EQ(Received(made.server), "abc");
  ASSERT_THAT(sys_.Send(made.client, "ghijkl", 6, 0), IsOk());
  AwaitReadable(made.server);
  messages[1].msg_hdr.msg_flags = 77;
  EXPECT_THAT(sys_.RecvMMsg(made.server, messages, 2, 0, nullptr),
              IsOkAndHolds(2));
  EXPECT_STREQ(bytes, "ghidef");
  EXPECT_EQ(messages[1].msg_len, 1u);
  EXPECT_EQ(messages[1].msg_hdr.msg_flags, 0);
  EXPECT_EQ(parts[1].iov_len, 4u);
}

TEST_P(FaultInjectorActions, EffectsOfNewCallsAreNotSeenByTheCaller) {
  const Connection made = Connect();
  Arm("recvfrom=EINTR after; accept=ECONNABORTED after");
  ASSERT_THAT(sys_.Send(made.client, "ab", 2, 0), IsOk());
  AwaitReadable(made.server);
  ip::SockAddr from;
  char byte = 0;
  EXPECT_THAT(
      sys_.RecvFrom(made.server, &byte, 1, 0, from.get(), from.size_ptr()),
      IsErrno(EINTR));
  EXPECT_EQ(from.size(), ip::SockAddr().size());
  EXPECT_EQ(Received(made.server), "b");
  const int client = NewClientOf(made.listener);
  EXPECT_THAT(sys_.Accept(made.listener, from.get(), from.size_ptr()),
              IsErrno(ECONNABORTED));
  EXPECT_EQ(from.size(), ip::SockAddr().size());
  EXPECT_THAT(sys_.Close(client), IsOk());
}

TEST_P(FaultInjectorActions, ReceivesAreShort) {
  const Connection made = Connect();
  Arm("recv=short(2)");
  ASSERT_THAT(sys_.Send(made.client, "abcdefgh", 8, 0), IsOkAndHolds(8));
  AwaitReadable(made.server);
  char buffer[8] = {};
  EXPECT_THAT(sys_.Recv(made.server, buffer, 8, 0), IsOkAndHolds(2));
  EXPECT_STREQ(buffer, "ab");
  EXPECT_THAT(sys_.Read(made.server, buffer, 8), IsOkAndHolds(2));
  EXPECT_STREQ(buffer, "cd");
  iovec buffers[] = {{buffer, 1}, {buffer + 1, 7}};
  msghdr message = {};
  message.msg_iov = buffers;
  message.msg_iovlen = 2;
  EXPECT_THAT(sys_.RecvMsg(made.server, &message, 0), IsOkAndHolds(2));
  EXPECT_STREQ(buffer, "ef");
  EXPECT_EQ(message.msg_iovlen, 2u);
  EXPECT_EQ(Received(made.server), "gh");
  ASSERT_THAT(sys_.Send(made.client, "ijklmn", 6, 0), IsOk());
  AwaitReadable(made.server);
  EXPECT_THAT(sys_.ReadV(made.server, buffers, 2), IsOkAndHolds(2));
  EXPECT_STREQ(buffer, "ij");
  EXPECT_THAT(sys_.RecvFrom(made.server, buffer, 8, 0, nullptr, nullptr),
              IsOkAndHolds(2));
  EXPECT_STREQ(buffer, "kl");
  EXPECT_EQ(Received(made.server), "mn");
}

TEST_P(FaultInjectorActions, DelaysAreOnTheClockOfTheTarget) {
  Arm("listen=delay(3ms)");
  const int fd = NewSocket();
  timespec before = {};
  timespec after = {};
  ASSERT_THAT(target_.ClockGetTime(CLOCK_MONOTONIC, &before), IsOk());
  EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
  ASSERT_THAT(target_.ClockGetTime(CLOCK_MONOTONIC, &after), IsOk());
  const absl::Duration took =
      absl::DurationFromTimespec(after) - absl::DurationFromTimespec(before);
  EXPECT_GE(took, absl::Milliseconds(3));
  if (is_fake()) {
    EXPECT_EQ(took, absl::Milliseconds(3));
  }
}

TEST_P(FaultInjectorActions, ReuseTakesTheNumberThatWasClosedLast) {
  const int low = NewSocket();
  const int high = NewSocket();
  ASSERT_THAT(sys_.Close(low), IsOk());
  ASSERT_THAT(sys_.Close(high), IsOk());
  Arm("socket=reuse");
  EXPECT_THAT(sys_.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
              IsOkAndHolds(high));
  EXPECT_THAT(target_.Fcntl(high, F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
  EXPECT_THAT(target_.Fcntl(low, F_GETFD, 0), IsErrno(EBADF));
  EXPECT_THAT(sys_.OpenDescriptors(), ElementsAre(high));
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
}

TEST_P(FaultInjectorActions, AHostileNumberThatIsInUseIsNotTaken) {
  const int fd = NewSocket();
  const int blocked = NewSocket();
  ASSERT_THAT(sys_.Close(blocked), IsOk());
  ASSERT_THAT(target_.EventFd(0, 0), IsOkAndHolds(blocked));
  Arm("socket=reuse");
  EXPECT_NE(NewSocket(), blocked);
  EXPECT_THAT(sys_.Unmatched(), SizeIs(1));
  EXPECT_THAT(target_.Close(blocked), IsOk());
  EXPECT_THAT(target_.Close(fd), IsOk());
}

TEST_P(FaultInjectorActions, AddressesAreTruncated) {
  const int listener = NewListener();
  NewClientOf(listener);
  Arm("accept4=truncated(2); getsockname=truncated(0)");
  ip::SockAddr addr;
  addr.get()->sa_data[0] = 'x';
  EXPECT_THAT(sys_.Accept4(listener, addr.get(), addr.size_ptr(), 0), IsOk());
  EXPECT_EQ(addr.get()->sa_family, AF_INET);
  EXPECT_EQ(addr.get()->sa_data[0], 'x');
  EXPECT_EQ(addr.size(), sizeof(sockaddr_in)) << "the whole length";
  ip::SockAddr empty;
  EXPECT_THAT(sys_.GetSockName(listener, empty.get(), empty.size_ptr()),
              IsOk());
  EXPECT_EQ(empty.get()->sa_family, AF_UNSPEC);
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
}

TEST_P(FaultInjectorActions, AnAddressThatNobodyWantsIsNotTruncated) {
  const int listener = NewListener();
  NewClientOf(listener);
  Arm("accept4=truncated(2)");
  EXPECT_THAT(Accept(listener), IsOk());
  EXPECT_THAT(sys_.Unmatched(), SizeIs(1));
}

TEST_P(FaultInjectorActions, ConsumedClearsTheErrorBefore) {
  const int client = NewRefusedClient();
  Arm("getsockopt=consumed");
  int error = -1;
  socklen_t len = sizeof(error);
  EXPECT_THAT(sys_.GetSockOpt(client, SOL_SOCKET, SO_ERROR, &error, &len),
              IsOk());
  EXPECT_EQ(error, 0);
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
}

TEST_P(FaultInjectorActions, ResetLeavesWhatARstBeforeAcceptLeaves) {
  const int listener = NewListener();
  const int client = NewClientOf(listener);
  Arm("accept4=reset");
  const int server = Made(Accept(listener));
  ip::SockAddr addr;
  EXPECT_THAT(sys_.GetPeerName(server, addr.get(), addr.size_ptr()),
              IsErrno(ENOTCONN));
  EXPECT_EQ(PendingError(server), ECONNRESET);
  AwaitReadable(client);
  char buffer[1];
  EXPECT_THAT(sys_.Recv(client, buffer, 1, 0), IsErrno(ECONNRESET));
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
}

TEST_P(FaultInjectorActions, ResetWaitsForAConnection) {
  const int listener = NewListener(SOCK_NONBLOCK);
  Arm("accept4=reset*1");
  EXPECT_THAT(Accept(listener), IsErrno(EAGAIN));
  EXPECT_THAT(sys_.Unmatched(), SizeIs(1));
  NewClientOf(listener);
  const int server = Made(Accept(listener));
  EXPECT_EQ(PendingError(server), ECONNRESET);
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Targets, FaultInjectorActions,
                         testing::Values(Target::kFakeKernel, Target::kLinux),
                         NameOfTarget);

// Frees the descriptor 0 of the target, which is a process's standard input.
class FaultInjectorZero : public FaultInjectorTest {
 protected:
  void SetUp() override {
    const SysResult saved = target_.Fcntl(0, F_DUPFD_CLOEXEC, 100);
    if (!saved.ok()) return;  // It is free.
    saved_ = saved.fd();
    ASSERT_THAT(target_.Close(0), IsOk());
  }
  void TearDown() override {
    if (saved_ < 0) return;
    EXPECT_THAT(target_.Dup3(saved_, 0, 0), IsOk());
    EXPECT_THAT(target_.Close(saved_), IsOk());
  }

 private:
  int saved_ = -1;
};

TEST_P(FaultInjectorZero, ANewDescriptorHasTheNumber0) {
  // Takes 0 itself, because it is the lowest number.
  const int zero = Made(target_.EventFd(0, 0));
  ASSERT_EQ(zero, 0);
  const int listener = NewListener();
  NewClientOf(listener);
  Arm("accept4=fd0");
  EXPECT_NE(Made(Accept(listener)), 0) << "0 is in use";
  EXPECT_THAT(sys_.Unmatched(), SizeIs(1));

  NewClientOf(listener);
  ASSERT_THAT(target_.Close(zero), IsOk());
  EXPECT_THAT(sys_.Accept4(listener, nullptr, nullptr, SOCK_CLOEXEC),
              IsOkAndHolds(0));
  EXPECT_THAT(target_.Fcntl(0, F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
  EXPECT_THAT(sys_.OpenDescriptors(), Contains(0));
  EXPECT_THAT(sys_.Unmatched(), IsEmpty());
  EXPECT_THAT(sys_.Close(0), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Targets, FaultInjectorZero,
                         testing::Values(Target::kFakeKernel, Target::kLinux),
                         NameOfTarget);

}  // namespace
}  // namespace net
