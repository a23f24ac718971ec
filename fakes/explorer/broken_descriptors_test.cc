// Scenarios with one bug each in what they do with descriptors. The explorer
// must find it and nothing else, with the plan that a person would have written
// to show it.

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "absl/status/status.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/expect_finding.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario_kit.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using kit::CloseIt;
using kit::Discard;
using kit::ToStatus;

// --- Leaks -------------------------------------------------------------------

absl::Status LeaksIfListenFails(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  if (!bound.ok()) {
    Discard(sys, made.fd());
    return ToStatus(bound, "bind");
  }
  const SysResult listening = kit::StartListening(sys, made.fd());
  if (!listening.ok()) return ToStatus(listening, "listen");  // The bug.
  return CloseIt(sys, made.fd());
}

TEST(BrokenDescriptors, LeakOnOnePathOnly) {
  ExpectFinding(LeaksIfListenFails, FindingKind::kLeak, "listen=EADDRINUSE");
}

absl::Status LeaksIfSecondOptionFails(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult reuse = kit::TurnOn(sys, made.fd(), SO_REUSEADDR);
  if (!reuse.ok()) {
    Discard(sys, made.fd());
    return ToStatus(reuse, "setsockopt");
  }
  const SysResult keep_alive = kit::TurnOn(sys, made.fd(), SO_KEEPALIVE);
  if (!keep_alive.ok()) return ToStatus(keep_alive, "setsockopt");  // The bug.
  return CloseIt(sys, made.fd());
}

TEST(BrokenDescriptors, LeakIfTheSecondOptionFails) {
  ExpectFinding(LeaksIfSecondOptionFails, FindingKind::kLeak,
                "setsockopt#2=ENOPROTOOPT");
}

absl::Status LeaksFirstIfSecondSocketFails(Syscalls& sys) {
  const SysResult first = kit::NewSocket(sys);
  if (!first.ok()) return ToStatus(first, "socket");
  const SysResult second = kit::NewSocket(sys);
  if (!second.ok()) return ToStatus(second, "socket");  // The bug.
  const absl::Status closed = CloseIt(sys, first.fd());
  return kit::FirstError(closed, CloseIt(sys, second.fd()));
}

TEST(BrokenDescriptors, LeakOfTheFirstIfTheSecondFails) {
  ExpectFinding(LeaksFirstIfSecondSocketFails, FindingKind::kLeak,
                "socket#2=EMFILE");
}

absl::Status LeaksIfConnectFails(Syscalls& sys) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status status = kit::MakeListener(sys, &listener, &port);
  if (!status.ok()) return status;
  const SysResult client = kit::NewSocket(sys);
  if (!client.ok()) {
    Discard(sys, listener);
    return ToStatus(client, "socket");
  }
  const SysResult connected = kit::ConnectPatiently(sys, client.fd(), port);
  if (!connected.ok()) {  // The bug: closes the listener only.
    Discard(sys, listener);
    return ToStatus(connected, "connect");
  }
  status = CloseIt(sys, client.fd());
  return kit::FirstError(status, CloseIt(sys, listener));
}

TEST(BrokenDescriptors, LeakIfConnectFails) {
  ExpectFinding(LeaksIfConnectFails, FindingKind::kLeak,
                "connect=ECONNREFUSED");
}

absl::Status LeaksConnectionWithoutPeer(Syscalls& sys) {
  kit::Pair pair;
  absl::Status status = kit::MakePair(sys, &pair);
  if (!status.ok()) return status;
  sockaddr_storage peer;
  socklen_t size = sizeof(peer);
  const SysResult named =
      sys.GetPeerName(pair.server, reinterpret_cast<sockaddr*>(&peer), &size);
  if (!named.ok()) {  // The bug: forgets the server's side.
    Discard(sys, pair.client);
    return ToStatus(named, "getpeername");
  }
  return kit::ClosePair(sys, pair);
}

TEST(BrokenDescriptors, LeakIfThePeerHasNoName) {
  ExpectFinding(LeaksConnectionWithoutPeer, FindingKind::kLeak,
                "getpeername=ENOTCONN");
}

absl::Status LeaksIfBothAddressesFail(Syscalls& sys) {
  int listener = -1;
  uint16_t port = 0;
  const absl::Status status = kit::MakeListener(sys, &listener, &port);
  if (!status.ok()) return status;
  SysResult client;
  SysResult connected;
  for (int attempt = 0; attempt < 2; ++attempt) {
    client = kit::NewSocket(sys);
    if (!client.ok()) {
      Discard(sys, listener);
      return ToStatus(client, "socket");
    }
    connected = kit::ConnectPatiently(sys, client.fd(), port);
    if (connected.ok()) break;
    if (attempt == 0) Discard(sys, client.fd());  // The bug: not the last one.
  }
  if (connected.ok()) Discard(sys, client.fd());
  Discard(sys, listener);
  return ToStatus(connected, "connect");
}

TEST(BrokenDescriptors, LeakIfTwoCallsFail) {
  ExploreOptions options;
  options.declarations = {
      Ignores(Call::kConnect, kAnyErrno, "tries the next address"),
      Ignores(kAnyCall, kAnyErrno, "of the second attempt, and of close(2)"),
  };
  options.declarations.push_back(Reports(Call::kSocket, kAnyErrno));
  ExpectFinding(options, LeaksIfBothAddressesFail, FindingKind::kLeak,
                "connect=ECONNREFUSED");
}

absl::Status NeverCloses(Syscalls& sys) {
  return ToStatus(kit::NewSocket(sys), "socket");
}

TEST(BrokenDescriptors, LeakWithoutAFault) {
  ExpectFinding(NeverCloses, FindingKind::kLeak, "");
}

absl::Status TakesZeroForAnError(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  const int fd = made.ok() ? made.fd() : -1;
  if (fd <= 0) return ErrnoError(made.ok() ? EMFILE : made.error(), "socket");
  return CloseIt(sys, fd);
}

TEST(BrokenDescriptors, DescriptorZeroTakenForAnError) {
  ExpectFinding(TakesZeroForAnError, FindingKind::kLeak, "socket=fd0");
}

// --- Closes ------------------------------------------------------------------

absl::Status ClosesAgainIfCloseFails(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  if (!bound.ok()) {
    if (!sys.Close(made.fd()).ok()) Discard(sys, made.fd());  // The bug.
    return ToStatus(bound, "bind");
  }
  return CloseIt(sys, made.fd());
}

TEST(BrokenDescriptors, DoubleCloseOnTheSecondFault) {
  ExpectFinding(ClosesAgainIfCloseFails, FindingKind::kDoubleClose,
                "bind=EADDRINUSE; close=EIO");
}

absl::Status RetriesClose(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  return ToStatus(kit::RetryOnEintr([&] { return sys.Close(made.fd()); }),
                  "close");
}

TEST(BrokenDescriptors, CloseRetriedAfterEintr) {
  ExpectFinding(RetriesClose, FindingKind::kDoubleClose, "close=EINTR");
}

absl::Status ClosesTwiceAndGoesOn(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  if (!bound.ok()) {
    Discard(sys, made.fd());
    Discard(sys, made.fd());  // The bug. The rest is its consequence.
    static_cast<void>(sys.Shutdown(made.fd(), SHUT_RDWR));
    return ToStatus(bound, "bind");
  }
  return CloseIt(sys, made.fd());
}

TEST(BrokenDescriptors, AWrongUseAndItsConsequenceAreOneFinding) {
  ExpectFinding(ClosesTwiceAndGoesOn, FindingKind::kDoubleClose,
                "bind=EADDRINUSE");
}

absl::Status ClosesInBothPlaces(Syscalls& sys) {
  kit::Pair pair;
  const absl::Status status = kit::MakePair(sys, &pair);
  if (!status.ok()) return status;
  const SysResult sent =
      kit::RetryOnEintr([&] { return kit::SendOnce(sys, pair.client, "x"); });
  if (!sent.ok()) Discard(sys, pair.client);
  // The bug: closes the client a second time.
  const absl::Status closed = kit::ClosePair(sys, pair);
  return sent.ok() ? closed : ToStatus(sent, "send");
}

TEST(BrokenDescriptors, DoubleCloseByTwoOwners) {
  ExpectFinding(ClosesInBothPlaces, FindingKind::kDoubleClose, "send=EPIPE");
}

absl::Status GoesOnAfterClose(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult set = kit::TurnOn(sys, made.fd(), SO_REUSEADDR);
  if (!set.ok()) Discard(sys, made.fd());  // The bug: does not return.
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  if (!set.ok()) return ToStatus(set, "setsockopt");
  const absl::Status closed = CloseIt(sys, made.fd());
  return kit::FirstError(ToStatus(bound, "bind"), closed);
}

TEST(BrokenDescriptors, UseAfterClose) {
  ExpectFinding(GoesOnAfterClose, FindingKind::kUseAfterClose,
                "setsockopt=ENOPROTOOPT");
}

absl::Status ClosesAReusedNumber(Syscalls& sys) {
  const SysResult first = kit::NewSocket(sys);
  if (!first.ok()) return ToStatus(first, "socket");
  const SysResult set = kit::TurnOn(sys, first.fd(), SO_REUSEADDR);
  if (!set.ok()) Discard(sys, first.fd());
  const SysResult second = kit::NewSocket(sys);
  // The bug: it is closed already, and its number is the second one's.
  Discard(sys, first.fd());
  if (second.ok()) Discard(sys, second.fd());
  return kit::FirstError(ToStatus(set, "setsockopt"),
                         ToStatus(second, "socket"));
}

TEST(BrokenDescriptors, CloseOfAReusedNumber) {
  ExploreOptions options;
  options.declarations = {Ignores(Call::kClose, kAnyErrno, "not its subject")};
  options.max_faults = 1;
  ExpectFinding(options, ClosesAReusedNumber, FindingKind::kCloseOfReusedNumber,
                "setsockopt=ENOPROTOOPT");
}

// A scenario that uses a closed descriptor may hang because of that: this is
// one finding.
absl::Status HangsAfterUseOfAClosedDescriptor(Syscalls& sys) {
  kit::Pair pair;
  absl::Status status = kit::MakePair(sys, &pair);
  if (!status.ok()) return status;
  const SysResult set = kit::TurnOn(sys, pair.client, SO_KEEPALIVE);
  const int copy =
      set.ok() ? -1 : sys.Fcntl(pair.client, F_DUPFD_CLOEXEC, 0).fd();
  if (!set.ok()) Discard(sys, pair.client);
  // The bug: it goes on. Nothing is sent, and `copy` keeps the connection.
  status = ToStatus(
      kit::RetryOnEintr([&] { return kit::SendOnce(sys, pair.client, "x"); }),
      "send");
  char byte = 0;
  if (status.ok() || !set.ok()) {
    status = ToStatus(kit::RetryOnEintr([&] {
                        return kit::RecvOnce(sys, pair.server, &byte, 1);
                      }),
                      "recv");
  }
  if (copy >= 0) Discard(sys, copy);
  return kit::FirstError(status, kit::ClosePair(sys, pair));
}

TEST(BrokenDescriptors, HangAfterUseAfterClose) {
  ExpectFinding(HangsAfterUseOfAClosedDescriptor, FindingKind::kUseAfterClose,
                "setsockopt=ENOPROTOOPT");
}

// --- Flags -------------------------------------------------------------------

absl::Status DuplicatesWithoutCloexec(Syscalls& sys) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status status = kit::MakeListener(sys, &listener, &port);
  if (!status.ok()) return status;
  const SysResult copy = kit::RetryOnEintr(
      [&] { return sys.Fcntl(listener, F_DUPFD, 0); });  // The bug.
  status = ToStatus(copy, "fcntl");
  if (copy.ok()) status = CloseIt(sys, copy.fd());
  return kit::FirstError(status, CloseIt(sys, listener));
}

TEST(BrokenDescriptors, NotCloseOnExec) {
  ExpectFinding(DuplicatesWithoutCloexec, FindingKind::kNotCloseOnExec, "");
}

absl::Status LeaksIfNonblockingFails(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult set = sys.Fcntl(made.fd(), F_SETFL, O_NONBLOCK);
  if (!set.ok()) return ToStatus(set, "fcntl");  // The bug.
  return CloseIt(sys, made.fd());
}

TEST(BrokenDescriptors, LeakIfFcntlFails) {
  ExpectFinding(LeaksIfNonblockingFails, FindingKind::kLeak, "fcntl=EMFILE");
}

}  // namespace
}  // namespace net
