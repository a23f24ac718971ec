// Multi-threaded programs on a FakeKernel.

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"
#include "tcp/options.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

// Receives until the end of the stream.
std::string ReceiveAll(const Socket& socket) {
  std::string all;
  char part[16];
  for (;;) {
    const absl::StatusOr<size_t> size = socket.Recv(absl::MakeSpan(part));
    EXPECT_THAT(size, IsOk());
    if (!size.ok() || *size == 0) return all;
    all.append(part, *size);
  }
}

class FakeKernelThreadTest : public testing::Test {
 protected:
  FakeKernel kernel_;
  FakeProcess& client_ = kernel_.NewProcess({.name = "client"});
  FakeProcess& server_ = kernel_.NewProcess({.name = "server"});
};

TEST_F(FakeKernelThreadTest, AServerAndAClientTalk) {
  const FakeKernel::Participant self(kernel_, "main");
  const Socket listener = ListenLocally(server_);
  std::string asked;
  std::string answered;
  FakeKernel::Thread server(kernel_, "server", [&] {
    const absl::StatusOr<Socket> connection = tcp::Accept(listener);
    ASSERT_THAT(connection, IsOk());
    asked = ReceiveAll(*connection);
    EXPECT_TRUE(connection->SendAll(absl::StrCat("not ", asked)).ok());
  });
  FakeKernel::Thread client(kernel_, "client", [&] {
    const absl::StatusOr<Socket> connection =
        tcp::Connect(ip::kLocalV4, kPort, {tcp::KeepAlive{}}, client_);
    ASSERT_THAT(connection, IsOk());
    EXPECT_TRUE(connection->SendAll("to be").ok());
    EXPECT_THAT(connection->Shutdown(SHUT_WR), IsOk());
    answered = ReceiveAll(*connection);
  });
  server.Join();
  client.Join();
  EXPECT_EQ(asked, "to be");
  EXPECT_EQ(answered, "not to be");
  EXPECT_EQ(kernel_.Deadlock(), std::nullopt);
}

TEST_F(FakeKernelThreadTest, MoreThanTheBuffersHoldGoesThrough) {
  const FakeKernel::Participant self(kernel_);
  const Connected both = ConnectProcesses(client_, server_);
  const std::string much(20 << 20, 'x');
  FakeKernel::Thread sender(kernel_, "sender", [&] {
    EXPECT_TRUE(both.client.SendAll(much).ok());
    EXPECT_THAT(both.client.Shutdown(SHUT_WR), IsOk());
  });
  EXPECT_TRUE(sender.AwaitBlocked()) << "the buffers are endless";
  size_t size = 0;
  std::string part(1 << 16, '\0');
  for (;;) {
    const absl::StatusOr<size_t> one = both.server.Recv(absl::MakeSpan(part));
    ASSERT_THAT(one, IsOk());
    if (*one == 0) break;
    size += *one;
  }
  EXPECT_EQ(size, much.size());
}

TEST_F(FakeKernelThreadTest, AShutdownWakesABlockedAccept) {
  const FakeKernel::Participant self(kernel_);
  const Socket listener = ListenLocally(server_);
  absl::StatusOr<Socket> accepted;
  FakeKernel::Thread thread(kernel_, "acceptor",
                            [&] { accepted = tcp::Accept(listener); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  thread.Join();
  EXPECT_THAT(accepted, IsErrno(EINVAL));
}

TEST_F(FakeKernelThreadTest, OneConnectionWakesOneOfTwoAccepts) {
  const FakeKernel::Participant self(kernel_);
  const Socket listener = ListenLocally(server_);
  absl::StatusOr<Socket> one;
  absl::StatusOr<Socket> two;
  FakeKernel::Thread first(kernel_, "first",
                           [&] { one = tcp::Accept(listener); });
  ASSERT_TRUE(first.AwaitBlocked());
  FakeKernel::Thread second(kernel_, "second",
                            [&] { two = tcp::Accept(listener); });
  ASSERT_TRUE(second.AwaitBlocked());
  const Socket client = ConnectLocally(client_);
  first.Join();
  EXPECT_THAT(one, IsOk()) << "who waits longest is first";
  EXPECT_TRUE(second.AwaitBlocked());
  EXPECT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  second.Join();
  EXPECT_THAT(two, IsErrno(EINVAL));
}

TEST_F(FakeKernelThreadTest, ABlockedAcceptHasItsDescriptorAlready) {
  const FakeKernel::Participant self(kernel_);
  const Socket listener = ListenLocally(server_);
  server_.set_nofile_limit(listener.fd() + 2);
  absl::StatusOr<Socket> accepted;
  FakeKernel::Thread thread(kernel_, "acceptor",
                            [&] { accepted = tcp::Accept(listener); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(server_.Dup(listener.fd()), IsErrno(EMFILE));
  EXPECT_THAT(server_.Dup3(listener.fd(), listener.fd() + 1, 0),
              IsErrno(EBUSY));
  const Socket client = ConnectLocally(client_);
  thread.Join();
  EXPECT_THAT(accepted, IsOk());
}

// The close of the replaced socket lingers. Meanwhile its number is not free.
TEST_F(FakeKernelThreadTest, Dup3TakesTheNumberBeforeItClosesTheOldFile) {
  const FakeKernel::Participant self(kernel_);
  Connected both = ConnectProcesses(client_, server_);
  const linger minute = {.l_onoff = 1, .l_linger = 60};
  ASSERT_THAT(client_.SetSockOpt(both.client.fd(), SOL_SOCKET, SO_LINGER,
                                 &minute, sizeof(minute)),
              IsOk());
  const std::string much(1 << 20, 'x');
  while (both.client.Send(much, MSG_DONTWAIT).ok()) {
  }
  const int number = both.client.Release();
  const SysResult other = client_.EventFd(0, 0);
  ASSERT_THAT(other, IsOk());
  FakeKernel::Thread thread(kernel_, "dup3", [&] {
    EXPECT_THAT(client_.Dup3(other.fd(), number, 0), IsOkAndHolds(number));
  });
  ASSERT_TRUE(thread.AwaitBlocked());
  const SysResult made = client_.EventFd(0, 0);
  EXPECT_THAT(made, IsOk());
  EXPECT_NE(made.fd(), number);
}

// Linux: __inet_stream_connect() in net/ipv4/af_inet.c counts the end of a
// failed connect(2) as a disconnect, too.
TEST_F(FakeKernelThreadTest, ARefusedConnectEndsABlockedOneOfTheSameSocket) {
  const FakeKernel::Participant self(kernel_, "main");
  const ip::Addr silent = ip::Addr::V4(127, 0, 0, 9);
  EXPECT_THAT(kernel_.SetLink({.from = ip::kLocalV4, .to = silent},
                              {.rule = LinkOptions::Rule::kDrop}),
              IsOk());
  const int fd = client_.Socket(AF_INET, SOCK_STREAM, 0).fd();
  SysResult blocked;
  FakeKernel::Thread connecting(kernel_, "connecting", [&] {
    const ip::SockAddr address(ip::Endpoint{silent, kPort});
    blocked = client_.Connect(fd, address.get(), address.size());
  });
  EXPECT_TRUE(connecting.AwaitBlocked());
  EXPECT_THAT(client_.Shutdown(fd, SHUT_WR), IsOk());
  const ip::SockAddr refused(ip::Endpoint{ip::kLocalV4, kPort});
  EXPECT_THAT(client_.Connect(fd, refused.get(), refused.size()),
              IsErrno(ECONNREFUSED));
  connecting.Join();
  EXPECT_THAT(blocked, IsErrno(EPIPE));
}

// Linux: sk_error_report() in tcp_disconnect() (net/ipv4/tcp.c).
TEST_F(FakeKernelThreadTest, ADisconnectWakesOneOfTwoAccepts) {
  const FakeKernel::Participant self(kernel_, "main");
  const Socket listener = ListenLocally(server_);
  SysResult results[2];
  const auto accept = [&](SysResult& result) {
    result = server_.Accept4(listener.fd(), nullptr, nullptr, 0);
  };
  FakeKernel::Thread first(kernel_, "first", [&] { accept(results[0]); });
  EXPECT_TRUE(first.AwaitBlocked());
  FakeKernel::Thread second(kernel_, "second", [&] { accept(results[1]); });
  EXPECT_TRUE(second.AwaitBlocked());
  const sockaddr none = {.sa_family = AF_UNSPEC, .sa_data = {}};
  EXPECT_THAT(server_.Connect(listener.fd(), &none, sizeof(none)), IsOk());
  first.Join();
  EXPECT_THAT(results[0], IsErrno(EINVAL));
  EXPECT_TRUE(second.AwaitBlocked());
  // As on Linux, shutdown(2) wakes it, although the socket is closed.
  EXPECT_THAT(server_.Shutdown(listener.fd(), SHUT_RDWR), IsErrno(ENOTCONN));
  second.Join();
  EXPECT_THAT(results[1], IsErrno(EINVAL));
}

// Nothing wakes the second accept(2). It is deadlocked, and has not failed like
// the first.
TEST_F(FakeKernelThreadTest, AnAcceptThatADisconnectLeavesBlockedIsDeadlocked) {
  kernel_.ExpectDeadlock();
  const Socket listener = ListenLocally(server_);
  SysResult results[2];
  std::optional<FakeKernel::Participant> self(std::in_place, kernel_, "main");
  const auto accept = [&](SysResult& result) {
    result = server_.Accept4(listener.fd(), nullptr, nullptr, 0);
  };
  FakeKernel::Thread first(kernel_, "first", [&] { accept(results[0]); });
  EXPECT_TRUE(first.AwaitBlocked());
  FakeKernel::Thread second(kernel_, "second", [&] { accept(results[1]); });
  EXPECT_TRUE(second.AwaitBlocked());
  const sockaddr none = {.sa_family = AF_UNSPEC, .sa_data = {}};
  EXPECT_THAT(server_.Connect(listener.fd(), &none, sizeof(none)), IsOk());
  self.reset();
  first.Join();
  second.Join();
  EXPECT_THAT(results[0], IsErrno(EINVAL));
  EXPECT_THAT(results[1], IsErrno(EDEADLK));
}

// On Linux a restarted accept(2) waits behind the others.
TEST_F(FakeKernelThreadTest, ARestartedAcceptIsWokenLast) {
  const FakeKernel::Participant self(kernel_, "main");
  const Socket listener = ListenLocally(server_);
  SysResult results[2];
  const auto accept = [&](SysResult& result) {
    result = server_.Accept4(listener.fd(), nullptr, nullptr, 0);
  };
  FakeKernel::Thread first(kernel_, "first", [&] { accept(results[0]); });
  EXPECT_TRUE(first.AwaitBlocked());
  FakeKernel::Thread second(kernel_, "second", [&] { accept(results[1]); });
  EXPECT_TRUE(second.AwaitBlocked());
  EXPECT_TRUE(first.Interrupt(/*restart=*/true));
  EXPECT_TRUE(first.AwaitBlocked());
  const Socket client = ConnectLocally(client_);
  second.Join();
  EXPECT_THAT(results[1], IsOk());
  EXPECT_TRUE(first.AwaitBlocked());
  EXPECT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  first.Join();
  EXPECT_THAT(results[0], IsErrno(EINVAL));
}

// Linux wakes a blocked recv(2) for room to send, if a call has found too
// little: sk_stream_write_space() in net/core/stream.c.
TEST_F(FakeKernelThreadTest, AnAcknowledgementWakesNoReceive) {
  const FakeKernel::Participant self(kernel_);
  const Connected both = ConnectProcesses(client_, server_);
  const int mark = 6;
  ASSERT_THAT(server_.SetSockOpt(both.server.fd(), SOL_SOCKET, SO_RCVLOWAT,
                                 &mark, sizeof(mark)),
              IsOk());
  char byte = 0;
  SysResult received;
  FakeKernel::Thread thread(kernel_, "receiver", [&] {
    received = server_.Recv(both.server.fd(), &byte, 1, 0);
  });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(both.client.Send("a"), IsOk());
  EXPECT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(both.server.Send("x"), IsOk());
  EXPECT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(both.client.Send("bcdef"), IsOk());
  thread.Join();
  EXPECT_THAT(received, IsOkAndHolds(1));
}

TEST_F(FakeKernelThreadTest, AClosedDescriptorLeavesABlockedReceiveWaiting) {
  const FakeKernel::Participant self(kernel_);
  Connected both = ConnectProcesses(client_, server_);
  const int fd = both.client.Release();
  SysResult received;
  char byte = 0;
  FakeKernel::Thread thread(kernel_, "receiver",
                            [&] { received = client_.Recv(fd, &byte, 1, 0); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(client_.Close(fd), IsOk());
  EXPECT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(both.server.Send("x"), IsOk());
  thread.Join();
  EXPECT_THAT(received, IsOkAndHolds(1));
}

}  // namespace
}  // namespace net
