// The processes of a FakeKernel: descriptors and their limits; fork, exec and
// exit; users, capabilities and signals.

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"
#include "tcp/options.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SysResult NewSocket(FakeProcess& process, int flags = 0) {
  return process.Socket(AF_INET, SOCK_STREAM | flags, 0);
}

absl::StatusOr<size_t> ReceiveByte(const Socket& socket) {
  char byte = 0;
  return socket.Recv(absl::MakeSpan(&byte, 1), MSG_DONTWAIT);
}

class FakeKernelProcessTest : public testing::Test {
 protected:
  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess({.name = "one"});
  FakeProcess& other_ = kernel_.NewProcess({.name = "other"});
};

TEST_F(FakeKernelProcessTest, DescriptorsAreAProcessOwn) {
  EXPECT_THAT(NewSocket(process_), IsOkAndHolds(3));
  EXPECT_THAT(NewSocket(process_), IsOkAndHolds(4));
  EXPECT_THAT(NewSocket(other_), IsOkAndHolds(3));
  EXPECT_THAT(process_.Close(3), IsOk());
  EXPECT_THAT(process_.OpenDescriptors(), ElementsAre(4));
  EXPECT_THAT(other_.OpenDescriptors(), ElementsAre(3));
  EXPECT_THAT(NewSocket(process_), IsOkAndHolds(3)) << "the lowest";
}

TEST_F(FakeKernelProcessTest, DescriptorsAreDescribed) {
  const Socket listener = ListenLocally(process_);
  EXPECT_EQ(process_.DescribeDescriptor(listener.fd()),
            "TCP socket 127.0.0.1:8080, LISTEN");
  EXPECT_EQ(process_.DescribeDescriptor(99), "not open");
}

TEST_F(FakeKernelProcessTest, EachHasALimitOfDescriptors) {
  process_.set_nofile_limit(4);
  EXPECT_EQ(process_.nofile_limit(), 4);
  EXPECT_THAT(NewSocket(process_), IsOkAndHolds(3));
  EXPECT_THAT(NewSocket(process_), IsErrno(EMFILE));
  EXPECT_THAT(process_.Dup(3), IsErrno(EMFILE));
  EXPECT_THAT(NewSocket(other_), IsOk());
  process_.set_nofile_limit(5);
  EXPECT_THAT(NewSocket(process_), IsOkAndHolds(4));
}

TEST_F(FakeKernelProcessTest, ALowerLimitLeavesOpenDescriptorsUsable) {
  const Connected both = ConnectProcesses(process_, other_);
  process_.set_nofile_limit(1);
  EXPECT_THAT(both.client.Send("x"), IsOkAndHolds(1U));
  EXPECT_THAT(NewSocket(process_), IsErrno(EMFILE));
}

TEST_F(FakeKernelProcessTest, AnAcceptWithoutDescriptorLeavesTheConnection) {
  const FakeKernel::Participant self(kernel_);
  const Socket listener = ListenLocally(process_);
  const Socket client = ConnectLocally(other_);
  process_.set_nofile_limit(listener.fd() + 1);
  EXPECT_THAT(tcp::Accept(listener), IsErrno(EMFILE));
  process_.set_nofile_limit(1024);
  EXPECT_THAT(tcp::Accept(listener), IsOk());
}

TEST_F(FakeKernelProcessTest, AnAcceptWithoutAFileLeavesTheConnection) {
  const FakeKernel::Participant self(kernel_);
  const Socket listener = ListenLocally(process_);
  const Socket client = ConnectLocally(other_);
  ASSERT_TRUE(kernel_.SetSysctl("fs.file-max", "2"));
  EXPECT_THAT(tcp::Accept(listener), IsErrno(ENFILE));
  ASSERT_TRUE(kernel_.SetSysctl("fs.file-max", "3"));
  EXPECT_THAT(tcp::Accept(listener), IsOk());
}

TEST_F(FakeKernelProcessTest, TheMachineHasALimitOfFiles) {
  ASSERT_TRUE(kernel_.SetSysctl("fs.file-max", "2"));
  EXPECT_THAT(NewSocket(process_), IsOk());
  EXPECT_THAT(NewSocket(other_), IsOk());
  EXPECT_THAT(NewSocket(process_), IsErrno(ENFILE));
  EXPECT_THAT(process_.Dup(3), IsOk()) << "no new file";
  FakeProcess& root =
      kernel_.NewProcess({.uid = 0, .capabilities = FakeCapabilities::All()});
  EXPECT_THAT(NewSocket(root), IsOk());
  root.Exit();
  EXPECT_THAT(other_.Close(3), IsOk());
  EXPECT_THAT(NewSocket(process_), IsOk());
}

TEST_F(FakeKernelProcessTest, AForkSharesOpenFiles) {
  const Connected both = ConnectProcesses(process_, other_);
  FakeProcess& child = process_.Fork("child");
  EXPECT_EQ(child.OpenDescriptors(), process_.OpenDescriptors());
  EXPECT_THAT(child.Fcntl(both.client.fd(), F_SETFL, O_NONBLOCK), IsOk());
  EXPECT_THAT(process_.Fcntl(both.client.fd(), F_GETFL, 0),
              IsOkAndHolds(O_RDWR | O_NONBLOCK));
  EXPECT_THAT(child.Fcntl(both.client.fd(), F_SETFD, 0), IsOk());
  EXPECT_THAT(process_.Fcntl(both.client.fd(), F_GETFD, 0),
              IsOkAndHolds(FD_CLOEXEC))
      << "that is the descriptor's";
}

TEST_F(FakeKernelProcessTest, AForkedConnectionLivesUntilTheLastClose) {
  Connected both = ConnectProcesses(process_, other_);
  FakeProcess& child = process_.Fork("child");
  EXPECT_THAT(both.client.Close(), IsOk());
  EXPECT_THAT(ReceiveByte(both.server), IsErrno(EAGAIN)) << "no FIN yet";
  child.Exit();
  EXPECT_THAT(ReceiveByte(both.server), IsOkAndHolds(0U));
}

TEST_F(FakeKernelProcessTest, AForkHasItsOwnTable) {
  FakeProcess& child = process_.Fork("child");
  EXPECT_EQ(child.name(), "child");
  EXPECT_THAT(NewSocket(child), IsOk());
  EXPECT_THAT(process_.OpenDescriptors(), IsEmpty());
}

TEST_F(FakeKernelProcessTest, AnExecClosesCloseOnExecDescriptors) {
  EXPECT_THAT(NewSocket(process_, SOCK_CLOEXEC), IsOkAndHolds(3));
  EXPECT_THAT(NewSocket(process_), IsOkAndHolds(4));
  EXPECT_THAT(process_.Dup(3), IsOkAndHolds(5)) << "a copy is not";
  EXPECT_THAT(process_.Fcntl(4, F_DUPFD_CLOEXEC, 0), IsOkAndHolds(6));
  process_.Exec();
  EXPECT_THAT(process_.OpenDescriptors(), ElementsAre(4, 5));
}

TEST_F(FakeKernelProcessTest, AnExitEndsItsConnections) {
  Connected both = ConnectProcesses(process_, other_);
  static_cast<void>(both.client.Release());  // Exit() closes it.
  process_.Exit();
  EXPECT_THAT(process_.OpenDescriptors(), IsEmpty());
  EXPECT_THAT(ReceiveByte(both.server), IsOkAndHolds(0U));
}

TEST_F(FakeKernelProcessTest, AnExitWithUnreadDataResetsThem) {
  Connected both = ConnectProcesses(process_, other_);
  EXPECT_THAT(both.server.Send("unread"), IsOk());
  static_cast<void>(both.client.Release());
  process_.Exit();
  EXPECT_THAT(ReceiveByte(both.server), IsErrno(ECONNRESET));
}

TEST_F(FakeKernelProcessTest, AnExitEndsItsListeners) {
  Socket listener = ListenLocally(process_);
  const Socket queued = ConnectLocally(other_);
  static_cast<void>(listener.Release());
  process_.Exit();
  EXPECT_THAT(ReceiveByte(queued), IsErrno(ECONNRESET));
  EXPECT_THAT(tcp::Connect(ip::kLocalV4, kPort, {}, other_),
              IsErrno(ECONNREFUSED));
}

TEST_F(FakeKernelProcessTest, AnExitDoesNotWaitAsCloseDoes) {
  Connected both = ConnectProcesses(process_, other_);
  const linger minute = {.l_onoff = 1, .l_linger = 60};
  ASSERT_THAT(process_.SetSockOpt(both.client.fd(), SOL_SOCKET, SO_LINGER,
                                  &minute, sizeof(minute)),
              IsOk());
  const FakeKernel::Participant self(kernel_);
  const std::string much(1 << 20, 'x');
  while (both.client.Send(much, MSG_DONTWAIT).ok()) {
  }
  static_cast<void>(both.client.Release());
  process_.Exit();
  EXPECT_EQ(kernel_.Now(), absl::ZeroDuration());
  EXPECT_THAT(ReceiveByte(both.server), IsOkAndHolds(1U)) << "it was sent";
}

TEST_F(FakeKernelProcessTest, AnExecWaitsAsCloseDoes) {
  Connected both = ConnectProcesses(process_, other_);
  const linger minute = {.l_onoff = 1, .l_linger = 60};
  ASSERT_THAT(process_.SetSockOpt(both.client.fd(), SOL_SOCKET, SO_LINGER,
                                  &minute, sizeof(minute)),
              IsOk());
  const FakeKernel::Participant self(kernel_);
  const std::string much(1 << 20, 'x');
  while (both.client.Send(much, MSG_DONTWAIT).ok()) {
  }
  static_cast<void>(both.client.Release());
  process_.Exec();
  EXPECT_EQ(kernel_.Now(), absl::Minutes(1));
}

TEST_F(FakeKernelProcessTest, APortIsSharedWithOneUserOnly) {
  const auto listen = [](FakeProcess& process) {
    return tcp::Listen(ip::kLocalV4, kPort, {tcp::ReusePort{}}, process);
  };
  const absl::StatusOr<Socket> first = listen(process_);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(listen(other_), IsOk());
  other_.set_uid(1001);
  EXPECT_THAT(listen(other_), IsErrno(EADDRINUSE));
  FakeProcess& stranger = kernel_.NewProcess({.uid = 1002});
  EXPECT_THAT(listen(stranger), IsErrno(EADDRINUSE));
}

TEST_F(FakeKernelProcessTest, ASocketKeepsTheUserThatMadeIt) {
  const auto listen = [](FakeProcess& process) {
    return tcp::Listen(ip::kLocalV4, kPort, {tcp::ReusePort{}}, process);
  };
  const absl::StatusOr<Socket> first = listen(process_);
  ASSERT_THAT(first, IsOk());
  process_.set_uid(1001);
  EXPECT_THAT(listen(process_), IsErrno(EADDRINUSE));
  EXPECT_THAT(listen(other_), IsOk());
}

TEST_F(FakeKernelProcessTest, LowPortsWantACapability) {
  EXPECT_THAT(tcp::Listen(ip::kLocalV4, 80, {}, process_), IsErrno(EACCES));
  process_.set_capabilities({.net_bind_service = true});
  EXPECT_TRUE(process_.capabilities().net_bind_service);
  EXPECT_THAT(tcp::Listen(ip::kLocalV4, 80, {}, process_), IsOk());
}

TEST_F(FakeKernelProcessTest, SigpipesAreCounted) {
  const Connected both = ConnectProcesses(process_, other_);
  EXPECT_THAT(both.client.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(process_.Send(both.client.fd(), "x", 1, MSG_NOSIGNAL),
              IsErrno(EPIPE));
  EXPECT_EQ(process_.sigpipes(), 0);
  EXPECT_THAT(process_.Send(both.client.fd(), "x", 1, 0), IsErrno(EPIPE));
  EXPECT_THAT(process_.Write(both.client.fd(), "x", 1), IsErrno(EPIPE));
  EXPECT_EQ(process_.sigpipes(), 2);
  EXPECT_EQ(other_.sigpipes(), 0);
}

}  // namespace
}  // namespace net
