// Changes of the network: sysctls, the loopback interface, routes. Each test
// runs in a child with a network namespace of its own.

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sandbox/loopback_interface.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/routes.h"
#include "syscalls/sandbox/sysctl.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

using testing::StartsWith;

// Runs `body` in a child in its own network. Its failed expectations fail the
// test.
void InOwnNetwork(absl::FunctionRef<void()> body) {
  if (absl::Status possible = CheckOwnNetwork(); !possible.ok()) {
    GTEST_SKIP() << possible.message();
  }
  EXPECT_THAT(RunInChild([body] {
                EXPECT_THAT(EnterOwnNetwork(), IsOk());
                body();
                if (testing::Test::HasFailure()) _exit(1);
                return std::string();
              }),
              IsOk());
}

SysResult ConnectTo(const ip::Addr& addr) {
  Syscalls& sys = DefaultSyscalls();
  const SysResult made =
      sys.Socket(addr.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!made.ok()) return made;
  const ip::SockAddr address(ip::Endpoint{addr, 1});
  const SysResult connected =
      sys.Connect(made.fd(), address.get(), address.size());
  static_cast<void>(sys.Close(made.fd()));
  return connected;
}

TEST(SysctlTest, AValueIsReadAsItWasWritten) {
  InOwnNetwork([] {
    EXPECT_THAT(WriteSysctl("net.ipv4.tcp_syn_retries", "3"), IsOk());
    EXPECT_THAT(ReadSysctl("net.ipv4.tcp_syn_retries"), IsOkAndHolds("3"));
    EXPECT_THAT(WriteSysctl("net.ipv4.tcp_rmem", "4096 8192 16384"), IsOk());
    EXPECT_THAT(ReadSysctl("net.ipv4.tcp_rmem"),
                IsOkAndHolds("4096\t8192\t16384"));
  });
}

TEST(SysctlTest, AnErrorNamesTheFile) {
  const auto unknown = ReadSysctl("net.ipv4.no_such_thing");
  EXPECT_THAT(unknown, IsErrno(ENOENT));
  EXPECT_THAT(std::string(unknown.status().message()),
              StartsWith("open /proc/sys/net/ipv4/no_such_thing: ENOENT"));
  EXPECT_THAT(WriteSysctl("net.ipv4.no_such_thing", "1"), IsErrno(ENOENT));
  InOwnNetwork([] {
    const absl::Status wrong = WriteSysctl("net.ipv4.tcp_syn_retries", "many");
    EXPECT_THAT(wrong, IsErrno(EINVAL));
    EXPECT_THAT(std::string(wrong.message()),
                StartsWith("/proc/sys/net/ipv4/tcp_syn_retries: EINVAL"));
  });
}

bool IsLoopbackUp() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request = {};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  EXPECT_EQ(ioctl(fd, SIOCGIFFLAGS, &request), 0);
  close(fd);
  return (request.ifr_flags & IFF_UP) != 0;
}

TEST(LoopbackInterfaceTest, IsTakenDownAndUp) {
  InOwnNetwork([] {
    EXPECT_TRUE(IsLoopbackUp());
    EXPECT_THAT(SetLoopback(false), IsOk());
    EXPECT_FALSE(IsLoopbackUp());
    EXPECT_THAT(SetLoopback(true), IsOk());
    EXPECT_TRUE(IsLoopbackUp());
    EXPECT_THAT(ConnectTo(ip::kLocalV4), IsErrno(ECONNREFUSED));
  });
}

TEST(RoutesTest, ConnectFailsWithTheErrnoOfTheRoute) {
  InOwnNetwork([] {
    for (const int error : {EHOSTUNREACH, EACCES, EINVAL}) {
      const auto last = static_cast<uint8_t>(error);
      const ip::Addr v4 = ip::Addr::V4(192, 0, 2, last);
      ASSERT_THAT(AddFailingRoute(v4, error), IsOk());
      EXPECT_THAT(ConnectTo(v4), IsErrno(error));
      ip::Addr::V6Bytes bytes = {0x20, 0x01, 0x0d, 0xb8};
      bytes[15] = last;
      const ip::Addr v6 = ip::Addr::V6(bytes);
      ASSERT_THAT(AddFailingRoute(v6, error), IsOk());
      EXPECT_THAT(ConnectTo(v6), IsErrno(error));
    }
  });
}

TEST(RoutesTest, AnErrnoThatNoRouteHasIsRefused) {
  EXPECT_EQ(AddFailingRoute(ip::Addr::V4(192, 0, 2, 1), EPIPE).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RoutesTest, AnErrorNamesTheAddress) {
  InOwnNetwork([] {
    const ip::Addr addr = ip::Addr::V4(192, 0, 2, 1);
    ASSERT_THAT(AddFailingRoute(addr, EACCES), IsOk());
    const absl::Status again = AddFailingRoute(addr, EACCES);
    EXPECT_THAT(again, IsErrno(EEXIST));
    EXPECT_THAT(std::string(again.message()),
                StartsWith("route to 192.0.2.1: EEXIST"));
  });
}

TEST(RoutesTest, LoopbackWorksWithQuickAcknowledgements) {
  InOwnNetwork([] {
    EXPECT_THAT(SetQuickAckOnLoopback(), IsOk());
    EXPECT_THAT(ConnectTo(ip::kLocalV4), IsErrno(ECONNREFUSED));
    EXPECT_THAT(ConnectTo(ip::Addr::V4(127, 1, 2, 3)), IsErrno(ECONNREFUSED));
    EXPECT_THAT(ConnectTo(ip::kLocalV6), IsErrno(ECONNREFUSED));
  });
}

}  // namespace
}  // namespace net::sandbox
