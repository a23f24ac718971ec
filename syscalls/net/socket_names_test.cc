#include "syscalls/net/socket_names.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

constexpr int kFd = 7;
constexpr ip::Endpoint kLocal = {ip::kLocalV4, 80};
constexpr ip::Endpoint kPeer = {ip::kLocalV6, 40000};

// A kernel that returns both names of one descriptor.
class Names final : public Syscalls {
 public:
  SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len) override {
    return Answer(fd, kLocal, addr, len);
  }
  SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len) override {
    return Answer(fd, kPeer, addr, len);
  }

  // Sets the family of the names that later calls return.
  void set_family(sa_family_t family) { family_ = family; }

 private:
  SysResult Answer(int fd, const ip::Endpoint& endpoint, sockaddr* addr,
                   socklen_t* len) const {
    if (fd != kFd) return SysResult::Error(EBADF);
    const ip::SockAddr name(endpoint);
    if (*len < name.size()) return SysResult::Error(EINVAL);
    std::memcpy(addr, name.get(), name.size());
    *len = name.size();
    if (family_ != AF_UNSPEC) addr->sa_family = family_;
    return SysResult::Ok();
  }

  sa_family_t family_ = AF_UNSPEC;
};

TEST(SocketNames, AreTheTwoEnds) {
  Names sys;
  EXPECT_THAT(LocalEndpoint(sys, kFd), IsOkAndHolds(kLocal));
  EXPECT_THAT(PeerEndpoint(sys, kFd), IsOkAndHolds(kPeer));
}

TEST(SocketNames, ReportTheErrno) {
  Names sys;
  EXPECT_THAT(LocalEndpoint(sys, -1), IsErrno(EBADF));
  EXPECT_THAT(PeerEndpoint(sys, -1), IsErrno(EBADF));
}

TEST(SocketNames, OfASocketThatIsNotIpAreNone) {
  Names sys;
  sys.set_family(AF_UNIX);
  EXPECT_THAT(LocalEndpoint(sys, kFd), IsErrno(EAFNOSUPPORT));
  EXPECT_THAT(PeerEndpoint(sys, kFd), IsErrno(EAFNOSUPPORT));
}

TEST(SocketNames, CallTheirErrorsAsTold) {
  Names sys;
  const std::string errno_text = ": EBADF: Bad file descriptor";
  EXPECT_EQ(LocalEndpoint(sys, -1).status().message(),
            "getsockname" + errno_text);
  EXPECT_EQ(PeerEndpoint(sys, -1).status().message(),
            "getpeername" + errno_text);
  EXPECT_EQ(LocalEndpoint(sys, -1, "local address").status().message(),
            "local address" + errno_text);
  EXPECT_EQ(PeerEndpoint(sys, -1, "peer address").status().message(),
            "peer address" + errno_text);
}

}  // namespace
}  // namespace net
