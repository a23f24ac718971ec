#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace {

using net::IsErrno;
using net::IsOk;
using net::IsOkAndHolds;

constexpr uint16_t kPort = 7007;

// The code under test: a server that echoes, serves one client after the other,
// and closes a connection on which nothing arrives for 30 seconds.
class EchoServer {
 public:
  explicit EchoServer(net::Syscalls& sys)
      : listener_(net::tcp::Listen(net::ip::kLocalV4, kPort, {}, sys).value()) {
  }

  // Serves until Stop() is called.
  void Run() {
    for (;;) {
      const absl::StatusOr<net::Socket> client = net::tcp::Accept(listener_);
      if (!client.ok()) return;
      Serve(*client);
    }
  }
  void Stop() { EXPECT_THAT(listener_.Shutdown(SHUT_RD), IsOk()); }

 private:
  static void Serve(const net::Socket& client) {
    const timeval timeout = {.tv_sec = 30, .tv_usec = 0};
    EXPECT_THAT(
        client.syscalls().SetSockOpt(client.fd(), SOL_SOCKET, SO_RCVTIMEO,
                                     &timeout, sizeof(timeout)),
        IsOk());
    char data[512];
    for (;;) {
      const absl::StatusOr<size_t> size = client.Recv(absl::MakeSpan(data));
      if (!size.ok() || *size == 0) return;
      if (!client.SendAll(absl::string_view(data, *size)).ok()) return;
    }
  }

  net::Socket listener_;
};

absl::StatusOr<net::Socket> ConnectTo(net::FakeProcess& process) {
  return net::tcp::Connect(net::ip::kLocalV4, kPort, {}, process);
}

// [sample]
TEST(EchoServer, SurvivesClientsThatSayNothing) {
  net::FakeKernel kernel;  // Linux's TCP over loopback, in memory
  net::FakeProcess& client = kernel.NewProcess({.name = "client"});
  net::FakeProcess& server = kernel.NewProcess({.name = "server"});
  net::FakeKernel::Participant self(kernel, "test");
  EchoServer echo(server);
  net::FakeKernel::Thread thread(kernel, "server", [&] { echo.Run(); });
  absl::StatusOr<net::Socket> silent = ConnectTo(client);
  char byte;
  EXPECT_THAT(silent->Recv(absl::MakeSpan(&byte, 1)), IsOkAndHolds(0U));
  EXPECT_EQ(kernel.Now(), absl::Seconds(30));  // and the test took none
  echo.Stop();
}
// [/sample]

TEST(EchoServer, SurvivesClientsThatReset) {
  net::FakeKernel kernel;
  net::FakeProcess& client = kernel.NewProcess({.name = "client"});
  net::FakeProcess& server = kernel.NewProcess({.name = "server"});
  const net::FakeKernel::Participant self(kernel, "test");
  EchoServer echo(server);
  net::FakeKernel::Thread thread(kernel, "server", [&] { echo.Run(); });

  absl::StatusOr<net::Socket> rude = ConnectTo(client);
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  EXPECT_THAT(client.SetSockOpt(rude->fd(), SOL_SOCKET, SO_LINGER, &reset,
                                sizeof(reset)),
              IsOk());
  EXPECT_THAT(rude->Close(), IsOk());
  EXPECT_TRUE(thread.AwaitBlocked());
  EXPECT_THAT(ConnectTo(client), IsOk());
  echo.Stop();
}

// The report that README.md shows: each side waits for the other to speak
// first.
TEST(Deadlock, IsReported) {
  net::FakeKernel kernel;
  kernel.ExpectDeadlock();
  net::FakeProcess& client = kernel.NewProcess({.name = "client"});
  net::FakeProcess& server = kernel.NewProcess({.name = "server"});
  const auto listener = net::tcp::Listen(net::ip::kLocalV4, kPort, {}, server);
  const net::FakeKernel::Participant self(kernel, "test");
  const auto waits = [](const net::Socket& socket) {
    char byte = 0;
    EXPECT_THAT(socket.Recv(absl::MakeSpan(&byte, 1)), IsErrno(EDEADLK));
  };
  net::FakeKernel::Thread thread(
      kernel, "server", [&] { waits(net::tcp::Accept(*listener).value()); });

  waits(ConnectTo(client).value());

  EXPECT_EQ(kernel.Deadlock(), R"(deadlock: every thread that takes part waits
  test: waits in recv(3) of process client
  server: waits in recv(4) of process server
State      Recv-Q Send-Q  Local                        Peer
ESTAB           0      0  127.0.0.1:7007               127.0.0.1:32769
ESTAB           0      0  127.0.0.1:32769              127.0.0.1:7007
LISTEN          0     10  127.0.0.1:7007               *
)");
}

}  // namespace
