// net::tcp has no bad error path: each operation, each option, and the life of
// a connection, under every fault and every ordered pair of faults.

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/expect_finding.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/net_tcp_scenarios.h"
#include "fakes/explorer/out_parameter.h"
#include "fakes/fake_kernel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "tcp/tcp.h"

namespace net {
namespace {

constexpr uint16_t kPort = 4711;

class NetTcp : public testing::TestWithParam<ip::Addr> {
 protected:
  // Expects that the scenario has no finding. `declarations` come after those
  // of net::tcp.
  static void Expect(const Scenario& scenario,
                     std::vector<Declaration> declarations = {},
                     bool allows_inherited = false) {
    ExploreOptions options;
    options.declarations = NetTcpDeclarations();
    for (Declaration& declaration : declarations) {
      options.declarations.push_back(std::move(declaration));
    }
    options.allows_inherited = allows_inherited;
    const ExploreResult result = ExploreFaults(options, scenario);
    EXPECT_THAT(result, HasNoFindings());
    EXPECT_GT(result.counts.plans, 10);
  }

  // A connection whose server side is in a process that has no faults.
  struct Connected {
    Socket listener;
    Socket server;
    absl::StatusOr<Socket> client;
  };
  static Connected ConnectTo(const ip::Addr& addr, Syscalls& sys,
                             FakeKernel& kernel) {
    FakeProcess& process = kernel.NewProcess({.name = "server"});
    Connected connected;
    connected.listener =
        tcp::Listen(addr, kPort, {tcp::ReuseAddr{}}, process).value();
    connected.client = tcp::Connect(addr, kPort, {}, sys);
    if (connected.client.ok()) {
      connected.server = tcp::Accept(connected.listener).value();
    }
    return connected;
  }

  // Runs an operation of a connected socket, and closes it.
  static Scenario WithClient(
      const ip::Addr& addr,
      const std::function<absl::Status(const Socket& client,
                                       const Socket& server)>& operation) {
    return [addr, operation](Syscalls& sys, FakeKernel& kernel) {
      Connected connected = ConnectTo(addr, sys, kernel);
      if (!connected.client.ok()) return connected.client.status();
      const absl::Status status =
          operation(*connected.client, connected.server);
      return status.ok() ? connected.client->Close() : status;
    };
  }
};

// --- Listen ------------------------------------------------------------------

TEST_P(NetTcp, ListenWithEachOption) {
  const ip::Addr addr = GetParam();
  const std::vector<tcp::ListenOption> each = {
      tcp::KeepAlive{},  tcp::ReuseAddr{},     tcp::ReusePort{},
      tcp::Backlog{128}, SockFlags::kNonblock, SockFlags::kNone,
  };
  for (const tcp::ListenOption& option : each) {
    SCOPED_TRACE(option.index());
    Expect([addr, option](Syscalls& sys) {
      absl::StatusOr<Socket> listener = tcp::Listen(addr, 0, {option}, sys);
      return listener.ok() ? listener->Close() : listener.status();
    });
  }
}

TEST_P(NetTcp, ListenWithoutCloexec) {
  const ip::Addr addr = GetParam();
  Expect(
      [addr](Syscalls& sys) {
        absl::StatusOr<Socket> listener =
            tcp::Listen(addr, 0, {SockFlags::kNoCloexec}, sys);
        return listener.ok() ? listener->Close() : listener.status();
      },
      {}, /*allows_inherited=*/true);
}

TEST_P(NetTcp, ListenWithAllOptionsOnAFixedPort) {
  const ip::Addr addr = GetParam();
  Expect([addr](Syscalls& sys) {
    OutParameter<uint16_t> port(sys);
    OutParameter<uint16_t> same_port(sys);
    absl::StatusOr<Socket> listener =
        tcp::Listen(addr, kPort,
                    {tcp::ReusePort{}, tcp::PortAssignment{port.pointer()},
                     tcp::KeepAlive{}, tcp::ReuseAddr{}, tcp::Backlog{1},
                     tcp::PortAssignment{same_port.pointer()}},
                    sys);
    if (!listener.ok()) return listener.status();
    if (port.value() != kPort || same_port.value() != kPort) {
      return absl::InternalError("another port");
    }
    return listener->Close();
  });
}

// --- Connect -----------------------------------------------------------------

TEST_P(NetTcp, ConnectWithEachOption) {
  const ip::Addr addr = GetParam();
  const std::vector<std::vector<tcp::ConnectOption>> all = {
      {},
      {tcp::KeepAlive{}},
      {SockFlags::kNone},
      {tcp::KeepAlive{}, SockFlags::kNoCloexec}};
  for (const std::vector<tcp::ConnectOption>& options : all) {
    SCOPED_TRACE(options.size());
    Expect(
        [addr, options](Syscalls& sys, FakeKernel& kernel) {
          FakeProcess& process = kernel.NewProcess({.name = "server"});
          const Socket listener =
              tcp::Listen(addr, kPort, {tcp::ReuseAddr{}}, process).value();
          absl::StatusOr<Socket> client =
              tcp::Connect(addr, kPort, options, sys);
          return client.ok() ? client->Close() : client.status();
        },
        {}, /*allows_inherited=*/options.size() == 2);
  }
}

TEST_P(NetTcp, ConnectWithoutBlocking) {
  const ip::Addr addr = GetParam();
  Expect(
      [addr](Syscalls& sys, FakeKernel& kernel) {
        FakeProcess& process = kernel.NewProcess({.name = "server"});
        const Socket listener =
            tcp::Listen(addr, kPort, {tcp::ReuseAddr{}}, process).value();
        absl::StatusOr<Socket> client =
            tcp::Connect(addr, kPort, {SockFlags::kNonblock}, sys);
        if (!client.ok()) return client.status();
        const absl::Status pending = client->PendingError();
        return pending.ok() ? client->Close() : pending;
      },
      {Ignores(Call::kConnect, EINPROGRESS, "the attempt goes on"),
       Ignores(Call::kConnect, EINTR, "the attempt goes on")});
}

// --- Accept ------------------------------------------------------------------

TEST_P(NetTcp, AcceptWithEachFlag) {
  const ip::Addr addr = GetParam();
  for (const SockFlags flags :
       {SockFlags::kNone, SockFlags::kNonblock, SockFlags::kNoCloexec}) {
    const bool is_inherited = flags == SockFlags::kNoCloexec;
    Expect(
        [addr, flags](Syscalls& sys, FakeKernel& kernel) {
          absl::StatusOr<Socket> listener =
              tcp::Listen(addr, kPort, {tcp::ReuseAddr{}}, sys);
          if (!listener.ok()) return listener.status();
          FakeProcess& process = kernel.NewProcess({.name = "client"});
          const Socket client = tcp::Connect(addr, kPort, {}, process).value();
          absl::StatusOr<Socket> server = tcp::Accept(*listener, flags);
          if (!server.ok()) return server.status();
          absl::Status status = server->Close();
          status.Update(listener->Close());
          return status;
        },
        {}, is_inherited);
  }
}

// --- A connection ------------------------------------------------------------

TEST_P(NetTcp, Addresses) {
  Expect(WithClient(GetParam(), [](const Socket& client, const Socket&) {
    absl::Status status = client.LocalAddr().status();
    if (status.ok()) status = client.PeerAddr().status();
    return status;
  }));
}

TEST_P(NetTcp, PeerAddrWithoutAnErrno) {
  Expect(WithClient(GetParam(),
                    [](const Socket& client, const Socket&) {
                      return tcp::PeerAddr(client).has_value()
                                 ? absl::OkStatus()
                                 : absl::NotFoundError("no peer");
                    }),
         {Translates(Call::kGetPeerName, kAnyErrno, 0)});
}

TEST_P(NetTcp, PendingErrorAndShutdown) {
  Expect(WithClient(GetParam(), [](const Socket& client, const Socket&) {
    const absl::Status status = client.PendingError();
    return status.ok() ? client.Shutdown(SHUT_WR) : status;
  }));
}

TEST_P(NetTcp, SendReportsEintr) {
  Expect(WithClient(GetParam(),
                    [](const Socket& client, const Socket&) {
                      return client.Send("some data").status();
                    }),
         {Reports(Call::kSend, EINTR)});
}

TEST_P(NetTcp, SendAllContinues) {
  Expect(WithClient(GetParam(), [](const Socket& client, const Socket&) {
    const Socket::SendAllResult result = client.SendAll("some data");
    const bool is_whole = result.sent == 9;
    if (result.ok() && !is_whole) return absl::DataLossError("not all");
    return result.status;
  }));
}

TEST_P(NetTcp, RecvReportsEintr) {
  Expect(WithClient(GetParam(),
                    [](const Socket& client, const Socket& server) {
                      const absl::Status sent = server.SendAll("x").status;
                      if (!sent.ok()) return sent;
                      char byte = 0;
                      return client.Recv(absl::MakeSpan(&byte, 1)).status();
                    }),
         {Reports(Call::kRecv, EINTR)});
}

TEST_P(NetTcp, MovingAndDestroying) {
  const ip::Addr addr = GetParam();
  Expect(
      [addr](Syscalls& sys) {
        absl::StatusOr<Socket> first = tcp::Listen(addr, 0, {}, sys);
        if (!first.ok()) return first.status();
        absl::StatusOr<Socket> second = tcp::Listen(addr, 0, {}, sys);
        if (!second.ok()) return second.status();
        *first = *std::move(second);
        return first->Close();
      },
      {Ignores(Call::kClose, kAnyErrno,
               "assignment and the destructor lose the errno")});
}

// Pruning leaves out nothing that would be found.
TEST_P(NetTcp, ListenConnectAccept) {
  const ip::Addr addr = GetParam();
  ExpectNoFinding(
      {.declarations = NetTcpDeclarations()},
      [addr](Syscalls& sys) { return ListenConnectAccept(addr, sys); });
}

TEST_P(NetTcp, Echo) {
  const ip::Addr addr = GetParam();
  ExpectNoFinding({.declarations = NetTcpDeclarations()},
                  [addr](Syscalls& sys) { return Echo(addr, sys); });
}

INSTANTIATE_TEST_SUITE_P(Families, NetTcp,
                         testing::Values(ip::kLocalV4, ip::kLocalV6),
                         [](const auto& tested) {
                           return std::string(
                               tested.param.family() == AF_INET ? "v4" : "v6");
                         });

}  // namespace
}  // namespace net
