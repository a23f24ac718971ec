#include "fakes/kernel/stub_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Tests sockets that are not TCP through system calls: unix(7), udp(7).

namespace net::fake {
namespace {

class StubSocketTest : public testing::Test {
 protected:
  int NewUdp() { return Must(sys_.Socket(AF_INET, SOCK_DGRAM, 0)); }
  int NewUnix() { return Must(sys_.Socket(AF_UNIX, SOCK_STREAM, 0)); }
  // Binds without a name: the kernel chooses one (unix(7), "Autobind feature").
  SysResult BindUnix(int fd) {
    sockaddr name = {};
    name.sa_family = AF_UNIX;
    return sys_.Bind(fd, &name, sizeof(sa_family_t));
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
  const ip::Endpoint here_{ip::kLocalV4, 4711};
};

TEST_F(StubSocketTest, TheOptionsTellWhatItIs) {
  const int udp = NewUdp();
  EXPECT_EQ(OptionOf(sys_, udp, SOL_SOCKET, SO_DOMAIN), AF_INET);
  EXPECT_EQ(OptionOf(sys_, udp, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  EXPECT_EQ(OptionOf(sys_, udp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
  EXPECT_EQ(OptionOf(sys_, udp, SOL_SOCKET, SO_ACCEPTCONN), 0);
  const int local = NewUnix();
  EXPECT_EQ(OptionOf(sys_, local, SOL_SOCKET, SO_DOMAIN), AF_UNIX);
  EXPECT_EQ(OptionOf(sys_, local, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  EXPECT_EQ(OptionOf(sys_, local, SOL_SOCKET, SO_PROTOCOL), 0);
}

TEST_F(StubSocketTest, HasTheOptionsOfSocketsAndNoneOfTcp) {
  const int udp = NewUdp();
  EXPECT_THAT(SetOption(sys_, udp, SOL_SOCKET, SO_REUSEADDR, 1), IsOk());
  EXPECT_EQ(OptionOf(sys_, udp, SOL_SOCKET, SO_REUSEADDR), 1);
  tcp_info info = {};
  socklen_t size = sizeof(info);
  EXPECT_THAT(sys_.GetSockOpt(udp, IPPROTO_TCP, TCP_INFO, &info, &size),
              IsErrno(EOPNOTSUPP));
}

// --- UDP ---------------------------------------------------------------------

TEST_F(StubSocketTest, UdpHasAName) {
  const int fd = NewUdp();
  EXPECT_EQ(NameOf(sys_, fd), (ip::Endpoint{ip::kAnyV4, 0}));
  EXPECT_THAT(BindTo(sys_, fd, here_), IsOk());
  EXPECT_EQ(NameOf(sys_, fd), here_);
  EXPECT_THAT(BindTo(sys_, fd, here_), IsErrno(EINVAL));
}

TEST_F(StubSocketTest, UdpIsConnectedWithoutAnybody) {
  const int fd = NewUdp();
  ip::SockAddr peer;
  EXPECT_THAT(sys_.GetPeerName(fd, peer.get(), peer.size_ptr()),
              IsErrno(ENOTCONN));
  EXPECT_THAT(sys_.Shutdown(fd, SHUT_RDWR), IsErrno(ENOTCONN));
  EXPECT_THAT(ConnectTo(sys_, fd, here_), IsOk());
  EXPECT_EQ(PeerNameOf(sys_, fd), here_);
  EXPECT_THAT(sys_.Shutdown(fd, SHUT_RDWR), IsOk());
}

TEST_F(StubSocketTest, UdpDoesNotListen) {
  const int fd = NewUdp();
  EXPECT_THAT(sys_.Listen(fd, 1), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(sys_.Accept4(fd, nullptr, nullptr, 0), IsErrno(EOPNOTSUPP));
}

TEST_F(StubSocketTest, UdpsPortsAreNotTcps) {
  EXPECT_THAT(BindTo(sys_, NewUdp(), here_), IsOk());
  EXPECT_THAT(BindTo(sys_, NewTcp(sys_), here_), IsOk());
}

TEST_F(StubSocketTest, UdpIsWritable) {
  EXPECT_EQ(Ready(sys_, NewUdp(), POLLIN | POLLOUT), POLLOUT);
}

// --- Unix --------------------------------------------------------------------

TEST_F(StubSocketTest, AnUnnamedUnixSocketReturnsItsFamily) {
  sockaddr_un name = {};
  socklen_t size = sizeof(name);
  const int fd = NewUnix();
  EXPECT_THAT(sys_.GetSockName(fd, reinterpret_cast<sockaddr*>(&name), &size),
              IsOk());
  EXPECT_EQ(size, sizeof(sa_family_t));
  EXPECT_EQ(name.sun_family, AF_UNIX);
}

TEST_F(StubSocketTest, TheKernelChoosesUnixNames) {
  const auto chosen = [this] {
    const int fd = NewUnix();
    EXPECT_THAT(BindUnix(fd), IsOk());
    sockaddr_un name = {};
    socklen_t size = sizeof(name);
    EXPECT_THAT(sys_.GetSockName(fd, reinterpret_cast<sockaddr*>(&name), &size),
                IsOk());
    // A null byte and five hexadecimal digits.
    EXPECT_EQ(size, offsetof(sockaddr_un, sun_path) + 6);
    EXPECT_EQ(name.sun_path[0], '\0');
    return std::string(name.sun_path + 1, 5);
  };
  EXPECT_NE(chosen(), chosen());
}

TEST_F(StubSocketTest, AUnixSocketListensOnceItHasAName) {
  const int fd = NewUnix();
  EXPECT_THAT(sys_.Accept4(fd, nullptr, nullptr, 0), IsErrno(EINVAL));
  EXPECT_THAT(sys_.Listen(fd, 1), IsErrno(EINVAL));
  EXPECT_THAT(BindUnix(fd), IsOk());
  EXPECT_THAT(sys_.Listen(fd, 1), IsOk());
  EXPECT_EQ(OptionOf(sys_, fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
}

TEST_F(StubSocketTest, ItsOwnFamilyOnly) {
  EXPECT_THAT(BindTo(sys_, NewUnix(), here_), IsErrno(EINVAL));
  EXPECT_THAT(ConnectTo(sys_, NewUnix(), here_), IsErrno(EINVAL));
}

TEST_F(StubSocketTest, AUnixSocketThatIsNotConnectedHangs) {
  EXPECT_EQ(Ready(sys_, NewUnix(), POLLIN | POLLOUT), POLLOUT | POLLHUP);
}

// --- All ---------------------------------------------------------------------

TEST_F(StubSocketTest, CarriesNothing) {
  for (const int fd : {NewUdp(), NewUnix()}) {
    char byte = 'x';
    EXPECT_THAT(sys_.Send(fd, &byte, 1, 0), IsErrno(EOPNOTSUPP));
    EXPECT_THAT(sys_.Recv(fd, &byte, 1, 0), IsErrno(EOPNOTSUPP));
  }
}

TEST_F(StubSocketTest, IsClosedLikeAnyOther) {
  const int fd = NewUdp();
  EXPECT_EQ(sys_.DescribeDescriptor(fd), "UDP socket");
  EXPECT_EQ(sys_.DescribeDescriptor(NewUnix()), "Unix socket");
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_EQ(sys_.DescribeDescriptor(fd), "not open");
}

}  // namespace
}  // namespace net::fake
