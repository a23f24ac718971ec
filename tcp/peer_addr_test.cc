#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"
#include "tcp/steps.h"
#include "tcp/tcp.h"

// Tests both forms: tcp::PeerAddr(), which returns no errno, and
// Socket::PeerAddr().

namespace net {
namespace {

using ::testing::_;
using ::testing::Pointee;

class PeerAddrTest : public testing::Test {
 protected:
  ~PeerAddrTest() override {
    EXPECT_CALL(sys_, Close(kFd)).WillOnce(Succeed());
  }

  // Expects getpeername(2) with space for an address of either family, once for
  // each form.
  auto& ExpectGetPeerName() {
    return EXPECT_CALL(sys_, GetPeerName(kFd, testing::NotNull(),
                                         Pointee(sizeof(sockaddr_in6))))
        .Times(2);
  }

  MockSyscalls sys_;
  testing::InSequence in_this_order_;
  const Socket socket_{kFd, sys_};
};

TEST_F(PeerAddrTest, ReturnsTheKernelsAddress) {
  const ip::Addr mapped = ip::Addr::V4(127, 0, 0, 1).Mapped();
  std::vector<ip::Endpoint> peers = TestedEndpoints();
  peers.push_back({mapped, 80});  // Stays IPv6.
  peers.push_back({ip::kLocalV4, 65535});
  peers.push_back({ip::kLocalV6, 1});
  for (const ip::Endpoint& peer : peers) {
    SCOPED_TRACE(peer);
    ExpectGetPeerName().WillRepeatedly(FillsAddr(peer));
    EXPECT_EQ(tcp::PeerAddr(socket_), peer);
    EXPECT_THAT(socket_.PeerAddr(), IsOkAndHolds(peer));
  }
}

TEST_F(PeerAddrTest, EveryErrnoIsNone) {
  for (const int error : ErrnosOf(Call::kGetPeerName)) {
    SCOPED_TRACE(ErrnoSymbol(error));
    ExpectGetPeerName().WillRepeatedly(Fail(error));
    EXPECT_EQ(tcp::PeerAddr(socket_), std::nullopt);
    EXPECT_THAT(socket_.PeerAddr(), IsErrno(error));
  }
}

// If getpeername(2) fails, an address that it wrote is ignored.
TEST_F(PeerAddrTest, IsNoneAlsoIfTheFailingCallWroteOne) {
  const ip::Endpoint peer = TestedEndpoints().front();
  ExpectGetPeerName().WillRepeatedly(
      [&](int fd, sockaddr* addr, socklen_t* len) {
        EXPECT_THAT(FillsAddr(peer)(fd, addr, len), IsOk());
        return SysResult::Error(ENOTCONN);
      });
  EXPECT_EQ(tcp::PeerAddr(socket_), std::nullopt);
  EXPECT_THAT(socket_.PeerAddr(), IsErrno(ENOTCONN));
}

// A Unix socket's address, shorter and longer than sockaddr_in6, and an empty
// address.
TEST_F(PeerAddrTest, IsNoneIfNotIp) {
  for (const socklen_t size : {0u, 2u, 16u, 110u}) {
    SCOPED_TRACE(size);
    ExpectGetPeerName().WillRepeatedly(
        [size](int, sockaddr* addr, socklen_t* len) {
          if (size > 0) addr->sa_family = AF_UNIX;
          *len = size;
          return SysResult::Ok();
        });
    EXPECT_EQ(tcp::PeerAddr(socket_), std::nullopt);
    EXPECT_THAT(socket_.PeerAddr(), IsErrno(EAFNOSUPPORT));
  }
}

TEST_F(PeerAddrTest, IsNoneIfCutShort) {
  for (const ip::Endpoint& peer : TestedEndpoints()) {
    ExpectGetPeerName().WillRepeatedly(
        [&](int fd, sockaddr* addr, socklen_t* len) {
          const SysResult filled = FillsAddr(peer)(fd, addr, len);
          --*len;
          return filled;
        });
    EXPECT_EQ(tcp::PeerAddr(socket_), std::nullopt);
    EXPECT_THAT(socket_.PeerAddr(), IsErrno(EAFNOSUPPORT));
  }
}

TEST(PeerAddr, OfAnEmptySocketIsNone) {
  MockSyscalls sys;
  EXPECT_CALL(sys, GetPeerName(-1, _, _)).WillOnce(Fail(EBADF));
  EXPECT_EQ(tcp::PeerAddr(Socket(-1, sys)), std::nullopt);
}

}  // namespace
}  // namespace net
