#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

// The samples of README.md and docs/LINKS.md.

namespace {

// [sample]
// The code under test: waits for a request, and shall notice that the client's
// machine is gone.
absl::StatusOr<size_t> AwaitRequest(const net::Socket& client) {
  const auto set = [&](int level, int name, int value) {
    EXPECT_THAT(client.syscalls().SetSockOpt(client.fd(), level, name, &value,
                                             sizeof(value)),
                net::IsOk());
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);   // seconds
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);  // seconds
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);     // probes
  char data[512];
  return client.Recv(absl::MakeSpan(data));
}
// [/sample]

// [sample]
TEST(ServerTest, NoticesThatTheClientsMachineDiedWithoutAWord) {
  constexpr net::ip::Addr kServer = net::ip::Addr::V4(10, 0, 0, 1);
  constexpr net::ip::Addr kPhone = net::ip::Addr::V4(10, 0, 0, 2);
  net::FakeKernel kernel({.addresses = {kServer}});
  net::FakeHost& phone =
      kernel.AddHost({.name = "phone", .addresses = {kPhone}});
  net::FakeProcess& server = kernel.NewProcess();
  net::FakeProcess& app = kernel.NewProcess({.host = &phone});
  const net::FakeKernel::Participant self(kernel);

  const net::Socket listener =
      net::tcp::Listen(kServer, 7007, {}, server).value();
  const net::Socket connection =
      net::tcp::Connect(kServer, 7007, {}, app).value();
  const net::Socket client = net::tcp::Accept(listener).value();
  phone.PowerOff();  // No FIN, no reset.

  EXPECT_EQ(net::ErrnoOf(AwaitRequest(client).status()), ETIMEDOUT);
  EXPECT_EQ(kernel.Now(), absl::Seconds(60 + 3 * 10));  // Takes no real time.
}
// [/sample]

}  // namespace
