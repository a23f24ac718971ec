#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "fakes/sockaddr_out.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/allocation_count.h"
#include "syscalls/testing/matchers.h"
#include "tcp/tcp.h"

// Checks that no operation of net::tcp allocates memory when it succeeds.

namespace net {
namespace {

// Returns the number of allocations that `operation` makes.
template <typename Operation>
int AllocationsOf(Operation&& operation) {
  const int before = AllocationCount();
  operation();
  return AllocationCount() - before;
}

// A kernel in which every call succeeds immediately.
class EasyKernel final : public Syscalls {
 public:
  explicit EasyKernel(ip::Addr addr) : addr_(addr) {}

  SysResult Socket(int, int, int) override { return SysResult::Ok(3); }
  SysResult Bind(int, const sockaddr*, socklen_t) override {
    return SysResult::Ok();
  }
  SysResult Listen(int, int) override { return SysResult::Ok(); }
  SysResult Accept4(int, sockaddr*, socklen_t*, int) override {
    return SysResult::Ok(4);
  }
  SysResult Connect(int, const sockaddr*, socklen_t) override {
    return interrupted ? SysResult::Error(EINTR) : SysResult::Ok();
  }
  SysResult Poll(pollfd*, nfds_t, int) override { return SysResult::Ok(1); }
  SysResult GetSockOpt(int, int, int, void*, socklen_t*) override {
    return SysResult::Ok();
  }
  SysResult SetSockOpt(int, int, int, const void*, socklen_t) override {
    return SysResult::Ok();
  }
  SysResult GetSockName(int, sockaddr* addr, socklen_t* len) override {
    return FillSockaddr({addr_, 4711}, addr, len);
  }
  SysResult GetPeerName(int, sockaddr* addr, socklen_t* len) override {
    return FillSockaddr({addr_, 4712}, addr, len);
  }
  SysResult Send(int, const void*, size_t size, int) override {
    return SysResult::Ok(static_cast<int64_t>(size));
  }
  SysResult Recv(int, void*, size_t, int) override { return SysResult::Ok(0); }
  SysResult Shutdown(int, int) override { return SysResult::Ok(); }
  SysResult Close(int) override { return SysResult::Ok(); }

  bool interrupted = false;  // Whether connect(2) fails with EINTR.

 private:
  const ip::Addr addr_;
};

// Passes each call on.
class PassThrough final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

 protected:
  SysResult Intercept(Invocation&,
                      absl::FunctionRef<SysResult()> make) override {
    return make();
  }
};

TEST(Allocations, AreCounted) {
  // volatile, because the compiler may remove an allocation whose result is
  // unused.
  EXPECT_EQ(AllocationsOf([] {
              int* volatile made = new int(1);
              delete made;
            }),
            kMallocIsCounted ? 2 : 1);
  EXPECT_EQ(AllocationsOf([] {
              void* volatile made = std::calloc(1, 1);
              std::free(made);
            }),
            kMallocIsCounted ? 1 : 0);
}

// The message of an error is allocated on the heap. This shows that the count
// includes allocations that abseil's library makes.
TEST(Allocations, OfAnErrorAreCounted) {
  Syscalls nothing_works;
  EXPECT_GT(
      AllocationsOf([&] {
        EXPECT_FALSE(tcp::Listen(ip::kLocalV4, 0, {}, nothing_works).ok());
      }),
      0);
}

class AllocationTest : public testing::TestWithParam<ip::Addr> {
 protected:
  // Runs all operations on `sys` and expects that each succeeds without an
  // allocation. EXPECT_* itself allocates, so results are checked outside
  // AllocationsOf().
  void ExpectNoAllocations(Syscalls& sys) {
    const ip::Addr addr = GetParam();
    uint16_t port = 0;
    absl::StatusOr<Socket> listener;
    EXPECT_EQ(AllocationsOf([&] {
                listener = tcp::Listen(
                    addr, 0,
                    {SockFlags::kNone, tcp::KeepAlive{}, tcp::ReusePort{},
                     tcp::ReuseAddr{}, tcp::Backlog{128}, tcp::KeepAlive{},
                     tcp::PortAssignment{&port}},
                    sys);
              }),
              0);
    ASSERT_THAT(listener, IsOk());

    absl::StatusOr<Socket> client;
    EXPECT_EQ(AllocationsOf([&] {
                client = tcp::Connect(addr, port, {tcp::KeepAlive{}}, sys);
              }),
              0);
    ASSERT_THAT(client, IsOk());

    absl::StatusOr<Socket> server;
    EXPECT_EQ(AllocationsOf(
                  [&] { server = tcp::Accept(*listener, SockFlags::kNone); }),
              0);
    ASSERT_THAT(server, IsOk());

    std::optional<ip::Endpoint> peer;
    EXPECT_EQ(AllocationsOf([&] { peer = tcp::PeerAddr(*server); }), 0);
    ASSERT_TRUE(peer.has_value());
    EXPECT_EQ(peer->addr, addr);

    ExpectNoAllocationsOfMethods(*client, *server);
  }

  void ExpectNoAllocationsOfMethods(Socket& client, Socket& server) {
    bool ok = true;
    char buffer[8];
    EXPECT_EQ(AllocationsOf([&] {
                ok = ok && client.Send("hello").ok();
                ok = ok && client.SendAll("hello").ok();
                ok = ok && server.Recv(absl::MakeSpan(buffer)).ok();
                ok = ok && client.LocalAddr().ok() && server.PeerAddr().ok();
                ok = ok && client.PendingError().ok();
                ok = ok && client.Shutdown(SHUT_WR).ok();
                Socket moved = std::move(client);
                ok = ok && moved.Close().ok();
              }),
              0);
    EXPECT_TRUE(ok);
  }
};

TEST_P(AllocationTest, NoneOverTheRealKernel) {
  LinuxSyscalls kernel;
  ExpectNoAllocations(kernel);
}

TEST_P(AllocationTest, NoneOverAFake) {
  EasyKernel kernel(GetParam());
  ExpectNoAllocations(kernel);
}

TEST_P(AllocationTest, NoneOverAnInterceptor) {
  EasyKernel kernel(GetParam());
  PassThrough passing(kernel);
  ExpectNoAllocations(passing);
}

TEST_P(AllocationTest, NoneWhenAConnectIsInterrupted) {
  EasyKernel kernel(GetParam());
  kernel.interrupted = true;
  bool ok = false;
  EXPECT_EQ(
      AllocationsOf([&] {
        ok = tcp::Connect(GetParam(), 80, {}, kernel).ok() &&
             tcp::Connect(GetParam(), 80, {SockFlags::kNonblock}, kernel).ok();
      }),
      0);
  EXPECT_TRUE(ok);
}

INSTANTIATE_TEST_SUITE_P(Families, AllocationTest,
                         testing::Values(ip::kLocalV4, ip::kLocalV6),
                         [](const auto& tested) {
                           return tested.param.is_v4() ? "V4" : "V6";
                         });

}  // namespace
}  // namespace net
