#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "absl/status/status.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/planted_races.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/run_tasks.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

SysResult AcceptWith(Syscalls& sys, int fd, int flags) {
  return sys.Accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | flags);
}

// A listener that does not block.
absl::Status MakeNonblockingListener(Syscalls& sys, int* fd, uint16_t* port) {
  const SysResult made =
      sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (!made.ok()) return kit::ToStatus(made, "socket");
  *fd = made.fd();
  absl::Status status = kit::ToStatus(kit::BindTo(sys, *fd, 0), "bind");
  if (status.ok()) {
    status = kit::ToStatus(kit::ReadPort(sys, *fd, port), "getsockname");
  }
  return status;
}

// Two threads poll a listener and then accept. There is one connection, so one
// of them blocks for ever.
absl::Status TwoAccepts(bool is_fixed, Syscalls& sys, FakeKernel& kernel) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status status = MakeNonblockingListener(sys, &listener, &port);
  if (status.ok()) {
    status = kit::ToStatus(kit::StartListening(sys, listener), "listen");
  }
  // The broken program has a listener that blocks.
  if (!is_fixed) static_cast<void>(sys.Fcntl(listener, F_SETFL, 0));
  const int client = kit::NewSocket(sys).fd();
  status = kit::FirstError(
      status, kit::ToStatus(kit::ConnectTo(sys, client, port), "connect"));
  const auto accept = [&] {
    pollfd fd = {.fd = listener, .events = POLLIN, .revents = 0};
    const SysResult polled = sys.Poll(&fd, 1, /*timeout_ms=*/0);
    if (!polled.ok() || polled.value() == 0) return;
    const SysResult accepted = kit::AcceptFrom(sys, listener);
    if (accepted.ok()) kit::Discard(sys, accepted.fd());
  };
  status = kit::FirstError(
      status, RunTasks(kernel, {{"one", accept}, {"two", accept}}));
  kit::Discard(sys, client);
  return kit::FirstError(status, kit::CloseIt(sys, listener));
}

// There is one free descriptor. While another thread has it, accept4(2) fails
// with EMFILE, and the server gives up.
absl::Status EmfileWhileAnotherCloses(bool is_fixed, Syscalls& sys,
                                      FakeKernel& kernel) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status status = kit::MakeListener(sys, &listener, &port);
  if (!status.ok()) return status;
  Event closed(sys);
  FakeProcess& peer = kernel.NewProcess({.name = "peer"});
  const int client = kit::NewSocket(peer).fd();
  status = kit::ToStatus(kit::ConnectTo(peer, client, port), "connect");
  const auto use_descriptor = [&] {
    const SysResult made = kit::NewSocket(sys);
    if (made.ok()) kit::Discard(sys, made.fd());
    closed.Set();
    return made.ok() || made.error() == EMFILE ? absl::OkStatus()
                                               : kit::ToStatus(made, "socket");
  };
  const auto accept = [&] {
    SysResult accepted = kit::AcceptFrom(sys, listener);
    if (is_fixed && accepted.error() == EMFILE) {
      closed.Await();
      accepted = kit::AcceptFrom(sys, listener);
    }
    if (accepted.ok()) kit::Discard(sys, accepted.fd());
    return kit::ToStatus(accepted, "accept");
  };
  status = kit::FirstError(status, RunTasks(kernel, {{"worker", use_descriptor},
                                                     {"acceptor", accept}}));
  kit::Discard(peer, client);
  return kit::FirstError(status, kit::CloseIt(sys, listener));
}

// Makes a socket with a fixed local port.
SysResult NewBoundSocket(Syscalls& sys) {
  constexpr uint16_t kLocalPort = 4000;
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return made;
  const SysResult bound = kit::BindTo(sys, made.fd(), kLocalPort);
  if (bound.ok()) return made;
  kit::Discard(sys, made.fd());
  return bound;
}

// A signal interrupts connect(2), and the program tries again with a new
// socket. The first attempt goes on in the kernel. If it has succeeded, the
// local port is in use.
absl::Status ConnectAgainAfterInterrupt(bool is_fixed, Syscalls& sys,
                                        FakeKernel& kernel) {
  FakeProcess& peer = kernel.NewProcess({.name = "peer"});
  const int listener = kit::NewSocket(peer).fd();
  uint16_t port = 0;
  const int waiting = kit::NewSocket(peer).fd();
  // One connection fills the accept queue.
  if (!kit::BindTo(peer, listener, 0).ok() || !peer.Listen(listener, 0).ok() ||
      !kit::ReadPort(peer, listener, &port).ok() ||
      !kit::ConnectTo(peer, waiting, port).ok()) {
    return absl::InternalError("the peer cannot listen");
  }
  absl::Status status;
  FakeKernel::Thread connector(kernel, "connector", [&] {
    SysResult made = NewBoundSocket(sys);
    SysResult connected = is_fixed ? kit::ConnectPatiently(sys, made.fd(), port)
                                   : kit::ConnectTo(sys, made.fd(), port);
    if (connected.error() == EINTR) {
      // The SYN is retransmitted after 1 s.
      constexpr timespec kTwoSeconds = {.tv_sec = 2, .tv_nsec = 0};
      static_cast<void>(sys.NanoSleep(&kTwoSeconds, nullptr));
      kit::Discard(sys, made.fd());
      made = NewBoundSocket(sys);
      connected = made.ok() ? kit::ConnectTo(sys, made.fd(), port) : made;
    }
    if (made.ok()) kit::Discard(sys, made.fd());
    status = kit::ToStatus(connected, "connect");
  });
  const SysResult accepted = kit::AcceptFrom(peer, listener);
  connector.Interrupt();
  connector.Join();
  for (const int fd : {listener, waiting, accepted.fd()}) {
    kit::Discard(peer, fd);
  }
  return status;
}

// A server sets an option of its listener after listen(2). A connection that is
// established in between does not inherit it.
absl::Status OptionAfterListen(bool is_fixed, Syscalls& sys,
                               FakeKernel& kernel) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status made = MakeNonblockingListener(sys, &listener, &port);
  if (!made.ok()) return made;
  FakeProcess& peer = kernel.NewProcess({.name = "peer"});
  const auto serve = [&] {
    SysResult set;
    if (is_fixed) set = kit::TurnOn(sys, listener, SO_KEEPALIVE);
    const SysResult listened = kit::StartListening(sys, listener);
    if (!is_fixed) set = kit::TurnOn(sys, listener, SO_KEEPALIVE);
    if (!listened.ok() || !set.ok()) return absl::InternalError("setup");
    const SysResult accepted = AcceptWith(sys, listener, 0);
    // The client was refused, or comes later.
    if (accepted.error() == EAGAIN) return absl::OkStatus();
    int is_on = 0;
    socklen_t size = sizeof(is_on);
    const SysResult read =
        sys.GetSockOpt(accepted.fd(), SOL_SOCKET, SO_KEEPALIVE, &is_on, &size);
    kit::Discard(sys, accepted.fd());
    return read.ok() && is_on != 0
               ? absl::OkStatus()
               : absl::InternalError("a connection without keepalive");
  };
  const auto connect = [&] {
    const int fd = kit::NewSocket(peer).fd();
    static_cast<void>(kit::ConnectTo(peer, fd, port));
    kit::Discard(peer, fd);
  };
  const absl::Status status =
      RunTasks(kernel, {{"server", serve}, {"client", connect}});
  return kit::FirstError(status, kit::CloseIt(sys, listener));
}

// A program sends after it has seen that the connection is there. The peer
// resets it in between.
absl::Status SendAgainstReset(bool is_fixed, Syscalls& sys,
                              FakeKernel& kernel) {
  kit::Pair pair;
  absl::Status made = kit::MakePair(sys, &pair);
  if (!made.ok()) return made;
  constexpr linger kReset = {.l_onoff = 1, .l_linger = 0};
  static_cast<void>(sys.SetSockOpt(pair.server, SOL_SOCKET, SO_LINGER, &kReset,
                                   sizeof(kReset)));
  const auto send = [&] {
    pollfd fd = {.fd = pair.client, .events = POLLOUT, .revents = 0};
    const SysResult polled = sys.Poll(&fd, 1, /*timeout_ms=*/-1);
    if (!polled.ok()) return kit::ToStatus(polled, "poll");
    if ((fd.revents & (POLLERR | POLLHUP)) != 0) return absl::OkStatus();
    const SysResult sent = kit::SendOnce(sys, pair.client, "request");
    const bool is_gone = sent.error() == EPIPE || sent.error() == ECONNRESET;
    return is_fixed && is_gone ? absl::OkStatus() : kit::ToStatus(sent, "send");
  };
  const auto reset = [&] { return kit::CloseIt(sys, pair.server); };
  const absl::Status status =
      RunTasks(kernel, {{"sender", send}, {"peer", reset}});
  return kit::FirstError(status, kit::CloseIt(sys, pair.client));
}

}  // namespace

std::vector<PlantedRace> RacesOfConnections() {
  // The standard descriptors, the listener and the event; one is free.
  constexpr int kOneIsFree = 6;
  return {
      {"TwoAccepts", FindingKind::kHang, TwoAccepts},
      {"EmfileWhileAnotherCloses", FindingKind::kRace, EmfileWhileAnotherCloses,
       kOneIsFree},
      {"ConnectAgainAfterInterrupt", FindingKind::kRace,
       ConnectAgainAfterInterrupt},
      {"OptionAfterListen", FindingKind::kRace, OptionAfterListen},
      {"SendAgainstReset", FindingKind::kRace, SendAgainstReset},
  };
}

}  // namespace net
