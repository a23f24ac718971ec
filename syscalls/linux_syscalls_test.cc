#include "syscalls/linux_syscalls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls_test_base.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::Eq;

TEST_F(LinuxSyscallsTest, SocketMakesWhatItIsAskedFor) {
  const int fd =
      Opened(sys_.Socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  int value = 0;
  socklen_t size = sizeof(value);
  ASSERT_THAT(sys_.GetSockOpt(fd, SOL_SOCKET, SO_DOMAIN, &value, &size),
              IsOk());
  EXPECT_EQ(value, AF_INET6);
  ASSERT_THAT(sys_.GetSockOpt(fd, SOL_SOCKET, SO_TYPE, &value, &size), IsOk());
  EXPECT_EQ(value, SOCK_DGRAM);
  EXPECT_THAT(sys_.Fcntl(fd, F_GETFD, 0), IsOkAndHolds(Eq(FD_CLOEXEC)));
}

TEST_F(LinuxSyscallsTest, SocketErrors) {
  EXPECT_THAT(sys_.Socket(99, SOCK_STREAM, 0), IsErrno(EAFNOSUPPORT));
  EXPECT_THAT(sys_.Socket(AF_INET, 77, 0), IsErrno(EINVAL));
  EXPECT_THAT(sys_.Socket(AF_INET, SOCK_STREAM, IPPROTO_UDP),
              IsErrno(EPROTONOSUPPORT));
}

TEST_F(LinuxSyscallsTest, BindTakesTheAddressAndItsLength) {
  const int fd = TcpSocket();
  const ip::SockAddr any(ip::Endpoint{ip::Addr::V4(127, 0, 0, 3), 0});
  EXPECT_THAT(sys_.Bind(fd, any.get(), 3), IsErrno(EINVAL));
  EXPECT_THAT(sys_.Bind(-1, any.get(), any.size()), IsErrno(EBADF));
  ASSERT_THAT(sys_.Bind(fd, any.get(), any.size()), IsOkAndHolds(Eq(0)));
  const auto bound = NameOf(fd, &Syscalls::GetSockName);
  ASSERT_TRUE(bound.has_value());
  EXPECT_EQ(bound->addr, ip::Addr::V4(127, 0, 0, 3));
  EXPECT_GT(bound->port, 0);
}

TEST_F(LinuxSyscallsTest, ListenTakesTheBacklog) {
  const int fd = TcpSocket();
  ASSERT_THAT(sys_.Listen(fd, 7), IsOkAndHolds(Eq(0)));
  tcp_info info = {};
  socklen_t size = sizeof(info);
  ASSERT_THAT(sys_.GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), IsOk());
  EXPECT_EQ(info.tcpi_state, TCP_LISTEN);
  EXPECT_EQ(info.tcpi_sacked, 7u);  // The listener's backlog (Linux).
  EXPECT_THAT(sys_.Listen(-1, 7), IsErrno(EBADF));
}

TEST_F(LinuxSyscallsTest, Accept4TakesFlagsAndTellsThePeer) {
  ip::SockAddr address;
  const int listener = Listener(&address);
  const int client = TcpSocket();
  ASSERT_THAT(sys_.Connect(client, address.get(), address.size()), IsOk());
  ip::SockAddr peer;
  const int server = Opened(
      sys_.Accept4(listener, peer.get(), peer.size_ptr(), SOCK_NONBLOCK));
  EXPECT_EQ(peer.ToEndpoint(), NameOf(client, &Syscalls::GetSockName));
  EXPECT_THAT(sys_.Fcntl(server, F_GETFL, 0),
              IsOkAndHolds(Eq(O_RDWR | O_NONBLOCK)));
  EXPECT_THAT(sys_.Fcntl(server, F_GETFD, 0), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(sys_.Accept4(client, nullptr, nullptr, 0), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, AcceptTellsThePeer) {
  ip::SockAddr address;
  const int listener = Listener(&address);
  const int client = TcpSocket();
  ASSERT_THAT(sys_.Connect(client, address.get(), address.size()), IsOk());
  ip::SockAddr peer;
  const int server = Opened(sys_.Accept(listener, peer.get(), peer.size_ptr()));
  EXPECT_EQ(peer.ToEndpoint(), NameOf(client, &Syscalls::GetSockName));
  EXPECT_THAT(sys_.Fcntl(server, F_GETFL, 0), IsOkAndHolds(Eq(O_RDWR)));
  EXPECT_THAT(sys_.Accept(client, nullptr, nullptr), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, ConnectErrors) {
  const int holder = TcpSocket();
  const ip::SockAddr any(ip::Endpoint{ip::kLocalV4, 0});
  ASSERT_THAT(sys_.Bind(holder, any.get(), any.size()), IsOk());
  ip::SockAddr nobody;
  ASSERT_THAT(sys_.GetSockName(holder, nobody.get(), nobody.size_ptr()),
              IsOk());
  EXPECT_THAT(sys_.Connect(TcpSocket(), nobody.get(), nobody.size()),
              IsErrno(ECONNREFUSED));
  EXPECT_THAT(sys_.Connect(TcpSocket(), nobody.get(), 3), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, NamesAreThoseOfTheTwoEnds) {
  const Ends ends = Connected();
  const auto client = NameOf(ends.client, &Syscalls::GetSockName);
  const auto server = NameOf(ends.server, &Syscalls::GetSockName);
  ASSERT_TRUE(client.has_value() && server.has_value());
  EXPECT_NE(client, server);
  EXPECT_EQ(NameOf(ends.client, &Syscalls::GetPeerName), server);
  EXPECT_EQ(NameOf(ends.server, &Syscalls::GetPeerName), client);
  ip::SockAddr address;
  EXPECT_THAT(sys_.GetPeerName(TcpSocket(), address.get(), address.size_ptr()),
              IsErrno(ENOTCONN));
  EXPECT_THAT(sys_.GetSockName(-1, address.get(), address.size_ptr()),
              IsErrno(EBADF));
}

TEST_F(LinuxSyscallsTest, OptionsAreSetAndRead) {
  const int fd = TcpSocket();
  const int idle = 123;
  ASSERT_THAT(
      sys_.SetSockOpt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)),
      IsOkAndHolds(Eq(0)));
  int value = 0;
  socklen_t size = sizeof(value);
  ASSERT_THAT(sys_.GetSockOpt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &size),
              IsOk());
  EXPECT_EQ(value, 123);
  EXPECT_EQ(size, sizeof(int));
  EXPECT_THAT(sys_.SetSockOpt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, 1),
              IsErrno(EINVAL));
  EXPECT_THAT(sys_.GetSockOpt(fd, SOL_SOCKET, 9999, &value, &size),
              IsErrno(ENOPROTOOPT));
}

TEST_F(LinuxSyscallsTest, ShutdownEndsTheDirectionNamed) {
  const Ends ends = Connected();
  ASSERT_THAT(sys_.Shutdown(ends.client, SHUT_WR), IsOkAndHolds(Eq(0)));
  char byte = 0;
  EXPECT_THAT(sys_.Recv(ends.server, &byte, 1, 0), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(sys_.Send(ends.server, "x", 1, 0), IsOkAndHolds(Eq(1)));
  EXPECT_THAT(sys_.Send(ends.client, "x", 1, MSG_NOSIGNAL), IsErrno(EPIPE));
  EXPECT_THAT(sys_.Shutdown(TcpSocket(), SHUT_WR), IsErrno(ENOTCONN));
}

TEST_F(LinuxSyscallsTest, SendAndRecvTakeSizesAndFlags) {
  const Ends ends = Connected();
  ASSERT_THAT(sys_.Send(ends.client, "abcdef", 4, 0), IsOkAndHolds(Eq(4)));
  std::string buffer(8, '.');
  ASSERT_THAT(sys_.Recv(ends.server, buffer.data(), 3, MSG_PEEK),
              IsOkAndHolds(Eq(3)));
  ASSERT_THAT(sys_.Recv(ends.server, buffer.data(), 8, 0), IsOkAndHolds(Eq(4)));
  EXPECT_EQ(buffer, "abcd....");
  EXPECT_THAT(sys_.Recv(ends.server, buffer.data(), 8, MSG_DONTWAIT),
              IsErrno(EAGAIN));
  EXPECT_THAT(sys_.Send(-1, "x", 1, 0), IsErrno(EBADF));
}

TEST_F(LinuxSyscallsTest, SendToAndRecvFromTakeAddresses) {
  const Ends ends = Connected();
  const ip::SockAddr any(ip::Endpoint{ip::kLocalV4, 1});
  ASSERT_THAT(sys_.SendTo(ends.client, "abcdef", 4, 0, any.get(), any.size()),
              IsOkAndHolds(Eq(4)));
  EXPECT_THAT(sys_.SendTo(ends.client, "x", 1, 0, any.get(), 129),
              IsErrno(EINVAL));
  std::string buffer(8, '.');
  ip::SockAddr from;
  ASSERT_THAT(
      sys_.RecvFrom(ends.server, buffer.data(), 3, MSG_PEEK, nullptr, nullptr),
      IsOkAndHolds(Eq(3)));
  ASSERT_THAT(sys_.RecvFrom(ends.server, buffer.data(), 8, 0, from.get(),
                            from.size_ptr()),
              IsOkAndHolds(Eq(4)));
  EXPECT_EQ(buffer, "abcd....");
  EXPECT_EQ(from.size(), 0u);
}

TEST_F(LinuxSyscallsTest, VectorsGatherAndScatter) {
  const Ends ends = Connected();
  std::string one = "one";
  std::string two = "two";
  const std::array<iovec, 2> parts = {iovec{one.data(), one.size()},
                                      iovec{two.data(), two.size()}};
  ASSERT_THAT(sys_.WriteV(ends.client, parts.data(), 2), IsOkAndHolds(Eq(6)));
  one = two = "...";
  ASSERT_THAT(sys_.ReadV(ends.server, parts.data(), 2), IsOkAndHolds(Eq(6)));
  EXPECT_EQ(one + two, "onetwo");
  EXPECT_THAT(sys_.WriteV(-1, parts.data(), 2), IsErrno(EBADF));
  EXPECT_THAT(sys_.ReadV(ends.server, parts.data(), -1), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, FilesAreSent) {
  const Ends ends = Connected();
  const int file = Opened(SysResult::Ok(
      open("/proc/self/exe", O_RDONLY | O_CLOEXEC)));  // An ELF file.
  off_t offset = 1;
  ASSERT_THAT(sys_.SendFile(ends.client, file, &offset, 3), IsOkAndHolds(3));
  EXPECT_EQ(offset, 4);
  std::string buffer(8, '.');
  ASSERT_THAT(sys_.Recv(ends.server, buffer.data(), 3, MSG_WAITALL),
              IsOkAndHolds(3));
  EXPECT_EQ(buffer, "ELF.....");
  EXPECT_THAT(sys_.SendFile(file, ends.client, nullptr, 1), IsErrno(EBADF));
}

TEST_F(LinuxSyscallsTest, PipesAreSpliced) {
  const Ends ends = Connected();
  std::array<int, 2> pipe = {};
  ASSERT_THAT(sys_.Pipe2(pipe.data(), O_CLOEXEC), IsOk());
  const int out = Opened(SysResult::Ok(pipe[0]));
  const int in = Opened(SysResult::Ok(pipe[1]));
  ASSERT_THAT(sys_.Write(in, "hello", 5), IsOk());
  EXPECT_THAT(sys_.Splice(out, nullptr, ends.client, nullptr, 4, SPLICE_F_MOVE),
              IsOkAndHolds(4));
  EXPECT_THAT(sys_.Splice(in, nullptr, ends.client, nullptr, 4, 0),
              IsErrno(EBADF));
  loff_t offset = 0;
  EXPECT_THAT(sys_.Splice(out, &offset, ends.client, nullptr, 4, 0),
              IsErrno(ESPIPE));
  EXPECT_THAT(sys_.Splice(out, nullptr, ends.client, &offset, 4, 0),
              IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, SeveralMessagesAreSentAndReceived) {
  const Ends ends = Connected();
  std::string bytes = "abcd";
  std::array<iovec, 2> parts = {iovec{bytes.data(), 2},
                                iovec{bytes.data() + 2, 2}};
  std::array<mmsghdr, 2> messages = {};
  for (size_t i = 0; i < 2; ++i) {
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  ASSERT_THAT(sys_.SendMMsg(ends.client, messages.data(), 2, MSG_NOSIGNAL),
              IsOkAndHolds(Eq(2)));
  bytes = "....";
  timespec timeout = {.tv_sec = 1000, .tv_nsec = 0};
  ASSERT_THAT(sys_.RecvMMsg(ends.server, messages.data(), 2, 0, &timeout),
              IsOkAndHolds(Eq(2)));
  EXPECT_EQ(bytes, "abcd");
  EXPECT_EQ(messages[1].msg_len, 2u);
  EXPECT_LT(timeout.tv_sec, 1000);
  EXPECT_THAT(
      sys_.RecvMMsg(ends.server, messages.data(), 2, MSG_DONTWAIT, nullptr),
      IsErrno(EAGAIN));
}

TEST_F(LinuxSyscallsTest, MessagesGatherAndScatter) {
  const Ends ends = Connected();
  std::string one = "one";
  std::string two = "two";
  std::array<iovec, 2> parts = {iovec{one.data(), one.size()},
                                iovec{two.data(), two.size()}};
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ASSERT_THAT(sys_.SendMsg(ends.client, &message, MSG_NOSIGNAL),
              IsOkAndHolds(Eq(6)));
  one = two = "...";
  ASSERT_THAT(sys_.RecvMsg(ends.server, &message, MSG_PEEK),
              IsOkAndHolds(Eq(6)));
  ASSERT_THAT(sys_.RecvMsg(ends.server, &message, 0), IsOkAndHolds(Eq(6)));
  EXPECT_EQ(one + two, "onetwo");
  EXPECT_THAT(sys_.RecvMsg(ends.server, &message, MSG_DONTWAIT),
              IsErrno(EAGAIN));
  ASSERT_THAT(sys_.Shutdown(ends.client, SHUT_WR), IsOk());
  EXPECT_THAT(sys_.SendMsg(ends.client, &message, MSG_NOSIGNAL),
              IsErrno(EPIPE));
}

TEST_F(LinuxSyscallsTest, PipesAreReadAndWritten) {
  std::array<int, 2> fds = {-1, -1};
  ASSERT_THAT(sys_.Pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK),
              IsOkAndHolds(Eq(0)));
  Own(fds[0]);
  Own(fds[1]);
  EXPECT_THAT(sys_.Fcntl(fds[0], F_GETFD, 0), IsOkAndHolds(Eq(FD_CLOEXEC)));
  std::string buffer(8, '.');
  EXPECT_THAT(sys_.Read(fds[0], buffer.data(), 8), IsErrno(EAGAIN));
  ASSERT_THAT(sys_.Write(fds[1], "abcdef", 4), IsOkAndHolds(Eq(4)));
  ASSERT_THAT(sys_.Read(fds[0], buffer.data(), 8), IsOkAndHolds(Eq(4)));
  EXPECT_EQ(buffer, "abcd....");
  EXPECT_THAT(sys_.Write(fds[0], "x", 1), IsErrno(EBADF));
  EXPECT_THAT(sys_.Pipe2(fds.data(), -1), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, CloseFreesTheDescriptor) {
  const SysResult made = sys_.Socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(sys_.Close(made.fd()), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(sys_.Close(made.fd()), IsErrno(EBADF));
}

TEST_F(LinuxSyscallsTest, FcntlTakesItsArgument) {
  const int fd = TcpSocket();
  ASSERT_THAT(sys_.Fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), IsOk());
  EXPECT_THAT(sys_.Fcntl(fd, F_GETFL, 0),
              IsOkAndHolds(Eq(O_RDWR | O_NONBLOCK)));
  const int high = Opened(sys_.Fcntl(fd, F_DUPFD_CLOEXEC, 100));
  EXPECT_GE(high, 100);
  EXPECT_THAT(sys_.Fcntl(fd, 9999, 0), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, IoctlTakesAPointer) {
  const Ends ends = Connected();
  ASSERT_THAT(sys_.Send(ends.client, "abc", 3, 0), IsOk());
  ASSERT_EQ(Readiness(ends.server, POLLIN), POLLIN);
  int unread = 0;
  ASSERT_THAT(
      sys_.Ioctl(ends.server, FIONREAD, reinterpret_cast<intptr_t>(&unread)),
      IsOkAndHolds(Eq(0)));
  EXPECT_EQ(unread, 3);
  EXPECT_THAT(sys_.Ioctl(-1, FIONREAD, reinterpret_cast<intptr_t>(&unread)),
              IsErrno(EBADF));
}

TEST_F(LinuxSyscallsTest, DupMakesASecondDescriptor) {
  const int fd = TcpSocket();
  const int copy = Opened(sys_.Dup(fd));
  EXPECT_NE(copy, fd);
  EXPECT_THAT(sys_.Fcntl(copy, F_GETFD, 0), IsOkAndHolds(Eq(0)));
  const int exact = Opened(sys_.Dup3(fd, copy + 40, O_CLOEXEC));
  EXPECT_EQ(exact, copy + 40);
  EXPECT_THAT(sys_.Fcntl(exact, F_GETFD, 0), IsOkAndHolds(Eq(FD_CLOEXEC)));
  EXPECT_THAT(sys_.Dup(-1), IsErrno(EBADF));
  EXPECT_THAT(sys_.Dup3(fd, fd, 0), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, EventFdTakesItsFirstValue) {
  const int fd = Opened(sys_.EventFd(42, EFD_CLOEXEC | EFD_NONBLOCK));
  uint64_t value = 0;
  ASSERT_THAT(sys_.Read(fd, &value, sizeof(value)), IsOkAndHolds(Eq(8)));
  EXPECT_EQ(value, 42u);
  EXPECT_THAT(sys_.Read(fd, &value, sizeof(value)), IsErrno(EAGAIN));
  EXPECT_THAT(sys_.Fcntl(fd, F_GETFD, 0), IsOkAndHolds(Eq(FD_CLOEXEC)));
  EXPECT_THAT(sys_.EventFd(0, -1), IsErrno(EINVAL));
}

// An errno of an earlier call is not reported.
TEST_F(LinuxSyscallsTest, AStaleErrnoIsNotReported) {
  errno = EIO;
  EXPECT_THAT(sys_.Fcntl(TcpSocket(), F_GETFD, 0),
              IsOkAndHolds(Eq(FD_CLOEXEC)));
}

TEST(DefaultSyscallsTest, IsOneLinuxSyscalls) {
  EXPECT_EQ(&DefaultSyscalls(), &DefaultSyscalls());
  EXPECT_NE(dynamic_cast<LinuxSyscalls*>(&DefaultSyscalls()), nullptr);
  timespec time = {};
  EXPECT_THAT(DefaultSyscalls().ClockGetTime(CLOCK_MONOTONIC, &time), IsOk());
}

// Initialised before main().
const SysResult kBeforeMain = DefaultSyscalls().Close(-1);

TEST(DefaultSyscallsTest, WorksBeforeMain) {
  EXPECT_THAT(kBeforeMain, IsErrno(EBADF));
}

}  // namespace
}  // namespace net
