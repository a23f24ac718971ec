// Scenarios without a bug. The explorer must find nothing.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/expect_finding.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/out_parameter.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/fake_kernel.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using kit::CloseIt;
using kit::Discard;
using kit::ToStatus;

constexpr absl::string_view kMessage = "a message of some length";

// Closes the descriptor when it goes out of scope; the errno is lost.
class Owner {
 public:
  Owner(Syscalls& sys, int fd) : sys_(sys), fd_(fd) {}
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { Discard(sys_, fd_); }

 private:
  Syscalls& sys_;
  const int fd_;
};

Declaration OwnersIgnoreClose() {
  return Ignores(Call::kClose, kAnyErrno, "a destructor cannot report it");
}

TEST(CorrectScenarios, ASocket) {
  ExpectNoFinding({}, [](Syscalls& sys) {
    const SysResult made = kit::NewSocket(sys);
    if (!made.ok()) return ToStatus(made, "socket");
    return CloseIt(sys, made.fd());
  });
}

TEST(CorrectScenarios, AListenerWithOutParameters) {
  ExpectNoFinding({}, [](Syscalls& sys) {
    OutParameter<int> fd(sys);
    OutParameter<uint16_t> port(sys);
    const absl::Status status =
        kit::MakeListener(sys, fd.pointer(), port.pointer());
    if (!status.ok()) return status;
    static_cast<void>(port.value());
    return CloseIt(sys, fd.value());
  });
}

TEST(CorrectScenarios, AConnectedPair) {
  ExpectNoFinding({}, [](Syscalls& sys) {
    return kit::WithPair(sys,
                         [](const kit::Pair&) { return absl::OkStatus(); });
  });
}

TEST(CorrectScenarios, DestructorsThatClose) {
  ExpectNoFinding({.declarations = {OwnersIgnoreClose()}}, [](Syscalls& sys) {
    const SysResult first = kit::NewSocket(sys);
    if (!first.ok()) return ToStatus(first, "socket");
    const Owner first_owner(sys, first.fd());
    const SysResult second = kit::NewSocket(sys);
    if (!second.ok()) return ToStatus(second, "socket");
    const Owner second_owner(sys, second.fd());
    const SysResult bound = kit::BindTo(sys, second.fd(), 0);
    return ToStatus(bound, "bind");
  });
}

// The server closes first, so its port stays in TIME-WAIT, and a second run
// could not bind to it at once.
TEST(CorrectScenarios, AServerWithAPortOfItsOwn) {
  constexpr uint16_t kPort = 4711;
  ExpectNoFinding({}, [](Syscalls& sys) {
    const SysResult listener = kit::NewSocket(sys);
    if (!listener.ok()) return ToStatus(listener, "socket");
    const auto serve_one = [&] {
      const SysResult client = kit::NewSocket(sys);
      if (!client.ok()) return ToStatus(client, "socket");
      absl::Status status =
          ToStatus(kit::ConnectPatiently(sys, client.fd(), kPort), "connect");
      if (status.ok()) {
        const SysResult server = kit::RetryOnEintr(
            [&] { return kit::AcceptFrom(sys, listener.fd()); });
        status = server.ok() ? CloseIt(sys, server.fd())
                             : ToStatus(server, "accept");
      }
      return kit::FirstError(status, CloseIt(sys, client.fd()));
    };
    absl::Status status =
        ToStatus(kit::BindTo(sys, listener.fd(), kPort), "bind");
    if (status.ok()) {
      status = ToStatus(kit::StartListening(sys, listener.fd()), "listen");
    }
    if (status.ok()) status = serve_one();
    return kit::FirstError(status, CloseIt(sys, listener.fd()));
  });
}

TEST(CorrectScenarios, AnEcho) {
  ExpectNoFinding({}, [](Syscalls& sys) {
    return kit::WithPair(sys, [&](const kit::Pair& pair) {
      std::array<char, kMessage.size()> data;
      absl::Status status = kit::SendAll(sys, pair.client, kMessage);
      if (status.ok()) {
        status = kit::RecvAll(sys, pair.server, data.data(), data.size());
      }
      if (status.ok()) {
        status = kit::SendAll(sys, pair.server, {data.data(), data.size()});
      }
      if (status.ok()) {
        status = kit::RecvAll(sys, pair.client, data.data(), data.size());
      }
      return status;
    });
  });
}

TEST(CorrectScenarios, TheEndOfAStream) {
  ExpectNoFinding({}, [](Syscalls& sys) {
    return kit::WithPair(sys, [&](const kit::Pair& pair) {
      absl::Status status =
          ToStatus(sys.Shutdown(pair.client, SHUT_WR), "shutdown");
      char byte = 0;
      if (status.ok()) {
        status = ToStatus(kit::RetryOnEintr([&] {
                            return kit::RecvOnce(sys, pair.server, &byte, 1);
                          }),
                          "recv");
      }
      return status;
    });
  });
}

// Waits before it tries again, because EMFILE stays.
SysResult AcceptPatiently(Syscalls& sys, int listener) {
  while (true) {
    const SysResult accepted = kit::AcceptFrom(sys, listener);
    const int error = accepted.error();
    if (error == EMFILE || error == ENFILE) {
      const timespec pause = {.tv_sec = 0, .tv_nsec = 1000000};
      static_cast<void>(sys.NanoSleep(&pause, nullptr));
    } else if (error != EINTR && error != ECONNABORTED) {
      return accepted;
    }
  }
}

TEST(CorrectScenarios, AnAcceptLoopThatWaits) {
  const ExploreOptions options = {
      .declarations = {Retries(Call::kAccept4, EMFILE),
                       Retries(Call::kAccept4, ENFILE), OwnersIgnoreClose()}};
  ExpectNoFinding(options, [](Syscalls& sys) {
    int listener = -1;
    uint16_t port = 0;
    const absl::Status status = kit::MakeListener(sys, &listener, &port);
    if (!status.ok()) return status;
    const Owner listener_owner(sys, listener);
    const SysResult client = kit::NewSocket(sys);
    if (!client.ok()) return ToStatus(client, "socket");
    const Owner client_owner(sys, client.fd());
    const SysResult connected = kit::ConnectPatiently(sys, client.fd(), port);
    if (!connected.ok()) return ToStatus(connected, "connect");
    const SysResult server = AcceptPatiently(sys, listener);
    if (!server.ok()) return ToStatus(server, "accept");
    return CloseIt(sys, server.fd());
  });
}

TEST(CorrectScenarios, ANonblockingConnect) {
  const ExploreOptions options = {
      .declarations = {
          OwnersIgnoreClose(),
          Ignores(Call::kConnect, EINPROGRESS, "the attempt goes on"),
          Ignores(Call::kConnect, EINTR, "the attempt goes on"),
          Translates(Call::kGetPeerName, ENOTCONN, ECONNREFUSED)}};
  ExpectNoFinding(options, [](Syscalls& sys) {
    int listener = -1;
    uint16_t port = 0;
    const absl::Status status = kit::MakeListener(sys, &listener, &port);
    if (!status.ok()) return status;
    const Owner listener_owner(sys, listener);
    const SysResult client =
        sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (!client.ok()) return ToStatus(client, "socket");
    const Owner client_owner(sys, client.fd());
    const SysResult connected = kit::ConnectTo(sys, client.fd(), port);
    if (!connected.ok() && connected.error() != EINPROGRESS &&
        connected.error() != EINTR) {
      return ToStatus(connected, "connect");
    }
    const SysResult polled =
        kit::RetryOnEintr([&] { return kit::AwaitWritable(sys, client.fd()); });
    if (!polled.ok()) return ToStatus(polled, "poll");
    sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    const SysResult named =
        sys.GetPeerName(client.fd(), reinterpret_cast<sockaddr*>(&peer), &size);
    if (named.error() == ENOTCONN) return ErrnoError(ECONNREFUSED, "connect");
    return ToStatus(named, "getpeername");
  });
}

TEST(CorrectScenarios, TheNextAddress) {
  const ExploreOptions options = {
      .declarations = {
          OwnersIgnoreClose(),
          Ignores(Call::kConnect, kAnyErrno, "tries the next address"),
          Ignores(Call::kPoll, kAnyErrno, "tries the next address"),
          Ignores(Call::kGetSockOpt, kAnyErrno, "tries the next address")}};
  ExpectNoFinding(options, [](Syscalls& sys) {
    int listener = -1;
    uint16_t port = 0;
    const absl::Status status = kit::MakeListener(sys, &listener, &port);
    if (!status.ok()) return status;
    const Owner listener_owner(sys, listener);
    SysResult connected;
    for (int attempt = 0; attempt < 2; ++attempt) {
      const SysResult client = kit::NewSocket(sys);
      if (!client.ok()) return ToStatus(client, "socket");
      const Owner client_owner(sys, client.fd());
      connected = kit::ConnectPatiently(sys, client.fd(), port);
      if (connected.ok()) break;
    }
    return ToStatus(connected, "connect");
  });
}

TEST(CorrectScenarios, ANonblockingReader) {
  const ExploreOptions options = {
      .declarations = {Retries(Call::kRecv, EAGAIN)}};
  ExpectNoFinding(options, [](Syscalls& sys) {
    kit::Pair pair;
    absl::Status status = kit::MakePair(sys, &pair);
    if (!status.ok()) return status;
    status = kit::SendAll(sys, pair.client, "x");
    char byte = 0;
    while (status.ok()) {
      const SysResult received = kit::RetryOnEintr(
          [&] { return sys.Recv(pair.server, &byte, 1, MSG_DONTWAIT); });
      if (received.error() != EAGAIN) {
        status = ToStatus(received, "recv");
        break;
      }
      pollfd readable = {.fd = pair.server, .events = POLLIN, .revents = 0};
      status = ToStatus(
          kit::RetryOnEintr([&] { return sys.Poll(&readable, 1, -1); }),
          "poll");
    }
    return kit::FirstError(status, kit::ClosePair(sys, pair));
  });
}

TEST(CorrectScenarios, APeerInAThreadOfAnotherProcess) {
  ExpectNoFinding({}, [](Syscalls& sys, FakeKernel& kernel) {
    int listener = -1;
    uint16_t port = 0;
    FakeProcess& server = kernel.NewProcess({.name = "server"});
    absl::Status status = kit::MakeListener(server, &listener, &port);
    if (!status.ok()) return status;
    FakeKernel::Thread peer(kernel, "server", [&] {
      const SysResult accepted = kit::AcceptFrom(server, listener);
      if (!accepted.ok()) return;
      char byte = 0;
      if (kit::RecvOnce(server, accepted.fd(), &byte, 1).ok()) {
        static_cast<void>(kit::SendOnce(server, accepted.fd(), "y"));
      }
      Discard(server, accepted.fd());
    });
    const SysResult client = kit::NewSocket(sys);
    status = ToStatus(client, "socket");
    if (client.ok()) {
      status =
          ToStatus(kit::ConnectPatiently(sys, client.fd(), port), "connect");
      if (status.ok()) status = kit::SendAll(sys, client.fd(), "x");
      char byte = 0;
      if (status.ok()) status = kit::RecvAll(sys, client.fd(), &byte, 1);
      status = kit::FirstError(status, CloseIt(sys, client.fd()));
    }
    static_cast<void>(server.Shutdown(listener, SHUT_RD));
    peer.Join();
    Discard(server, listener);
    return status;
  });
}

}  // namespace
}  // namespace net
