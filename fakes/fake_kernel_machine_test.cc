// The machine of a FakeKernel: addresses, the interface, routes, sysctls, and
// the list of its sockets.

#include <cerrno>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

constexpr ip::Addr kElsewhere = ip::Addr::V4(192, 0, 2, 1);
constexpr char kHeadings[] =
    "State      Recv-Q Send-Q  Local                        Peer\n";

class FakeKernelMachineTest : public testing::Test {
 protected:
  absl::StatusOr<Socket> Listen(const ip::Addr& addr) {
    return tcp::Listen(addr, kPort, {}, process_);
  }
  absl::StatusOr<Socket> Connect(const ip::Addr& addr) {
    return tcp::Connect(addr, kPort, {}, process_);
  }

  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess();
};

TEST_F(FakeKernelMachineTest, HasTheLoopbackAddresses) {
  EXPECT_THAT(Listen(ip::kLocalV4), IsOk());
  EXPECT_THAT(Listen(ip::Addr::V4(127, 1, 2, 3)), IsOk());
  EXPECT_THAT(Listen(ip::kLocalV6), IsOk());
  EXPECT_THAT(Listen(kElsewhere), IsErrno(EADDRNOTAVAIL));
  EXPECT_THAT(Connect(kElsewhere), IsErrno(ENETUNREACH));
}

TEST_F(FakeKernelMachineTest, TakesMoreAddresses) {
  kernel_.AddAddress(kElsewhere);
  const absl::StatusOr<Socket> listener = Listen(kElsewhere);
  ASSERT_THAT(listener, IsOk());
  const absl::StatusOr<Socket> client = Connect(kElsewhere);
  ASSERT_THAT(client, IsOk());
  EXPECT_EQ(client->LocalAddr()->addr, kElsewhere);
}

TEST_F(FakeKernelMachineTest, IsMadeWithMoreAddresses) {
  FakeKernel kernel({.addresses = {kElsewhere}});
  FakeProcess& process = kernel.NewProcess();
  EXPECT_THAT(tcp::Listen(kElsewhere, kPort, {}, process), IsOk());
}

TEST_F(FakeKernelMachineTest, LoopbackGoesDownAndUp) {
  const FakeKernel::Participant self(kernel_);
  ASSERT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_syn_retries", "1"));
  const Socket listener = ListenLocally(process_);
  kernel_.SetLoopbackUp(false);
  EXPECT_THAT(Connect(ip::kLocalV4), IsErrno(ETIMEDOUT));
  EXPECT_THAT(Connect(ip::kLocalV6), IsErrno(EADDRNOTAVAIL));
  EXPECT_THAT(Listen(ip::kLocalV6), IsErrno(EADDRNOTAVAIL));
  EXPECT_THAT(Listen(ip::Addr::V4(127, 0, 0, 2)), IsOk());

  kernel_.SetLoopbackUp(true);
  EXPECT_THAT(Connect(ip::kLocalV4), IsOk());
  EXPECT_THAT(Listen(ip::kLocalV6), IsOk());
}

TEST_F(FakeKernelMachineTest, AConnectOutlivesATimeWithoutTheInterface) {
  const FakeKernel::Participant self(kernel_);
  const Socket listener = ListenLocally(process_);
  kernel_.SetLoopbackUp(false);
  absl::StatusOr<Socket> client;
  FakeKernel::Thread thread(kernel_, "client",
                            [&] { client = Connect(ip::kLocalV4); });
  ASSERT_TRUE(thread.AwaitBlocked());
  kernel_.Advance(absl::Milliseconds(2500));
  kernel_.SetLoopbackUp(true);
  thread.Join();
  EXPECT_THAT(client, IsOk());
  EXPECT_EQ(kernel_.Now(), absl::Seconds(3)) << "the next SYN";
}

TEST_F(FakeKernelMachineTest, RoutesFail) {
  kernel_.AddAddress(kElsewhere);
  const absl::StatusOr<Socket> listener = Listen(kElsewhere);
  ASSERT_THAT(listener, IsOk());
  kernel_.AddFailingRoute(kElsewhere, EHOSTUNREACH);
  EXPECT_THAT(Connect(kElsewhere), IsErrno(EHOSTUNREACH));
}

TEST_F(FakeKernelMachineTest, SettingsAreThoseOfSysctl) {
  EXPECT_TRUE(kernel_.SetSysctl("net.ipv4.ip_local_port_range", "40000 40000"));
  const Socket listener = ListenLocally(process_);
  const Socket client = ConnectLocally(process_);
  EXPECT_EQ(client.LocalAddr()->port, 40000);
  EXPECT_THAT(Connect(ip::kLocalV4), IsErrno(EADDRNOTAVAIL));
}

TEST_F(FakeKernelMachineTest, AnUnknownSettingIsToldFrom) {
  EXPECT_FALSE(kernel_.SetSysctl("net.ipv4.nosuch", "1"));
  EXPECT_FALSE(kernel_.SetSysctl("net.core.somaxconn", "many"));
}

TEST_F(FakeKernelMachineTest, DumpShowsTheSockets) {
  EXPECT_EQ(kernel_.Dump(), kHeadings);
  Connected both = ConnectProcesses(process_, process_);
  EXPECT_THAT(both.server.Send("hello"), IsOk());
  const Socket queued = ConnectLocally(process_);
  const auto port = [](const Socket& socket) {
    return absl::StrCat(socket.LocalAddr()->port);
  };
  const std::string client = "127.0.0.1:" + port(both.client);
  const std::string other = "127.0.0.1:" + port(queued);
  const auto row = [](const char* start, const std::string& local,
                      const std::string& peer) {
    return absl::StrCat(start, local, std::string(29 - local.size(), ' '), peer,
                        "\n");
  };
  const std::string server = "127.0.0.1:8080";
  const std::string text = kernel_.Dump();
  for (const std::string& line :
       {row("LISTEN          1     10  ", server, "*"),
        row("ESTAB           5      0  ", client, server),
        row("ESTAB           0      0  ", server, client),
        row("ESTAB           0      0  ", other, server),
        row("ESTAB           0      0  ", server, other)}) {
    EXPECT_THAT(text, testing::HasSubstr(line));
  }
}

TEST_F(FakeKernelMachineTest, DumpShowsTimeWaitEntriesUntilTheyExpire) {
  Connected both = ConnectProcesses(process_, process_);
  EXPECT_THAT(both.client.Close(), IsOk());
  EXPECT_THAT(both.server.Close(), IsOk());
  EXPECT_THAT(both.listener.Close(), IsOk());
  EXPECT_THAT(kernel_.Dump(), testing::HasSubstr("TIME-WAIT"));
  kernel_.Advance(absl::Seconds(61));
  EXPECT_EQ(kernel_.Dump(), kHeadings);
}

}  // namespace
}  // namespace net
