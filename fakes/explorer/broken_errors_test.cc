// Scenarios with one bug each in what they do with errnos, counts and data. The
// explorer must find it and nothing else, with the plan that a person would
// have written to show it.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/expect_finding.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
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

// --- EINTR -------------------------------------------------------------------

// Sends a byte from the client to the server.
absl::Status SendByte(Syscalls& sys, const kit::Pair& pair) {
  return ToStatus(
      kit::RetryOnEintr([&] { return kit::SendOnce(sys, pair.client, "x"); }),
      "send");
}

absl::Status TakesEintrForFailure(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    absl::Status status = SendByte(sys, pair);
    char byte = 0;
    if (status.ok()) {
      status = ToStatus(kit::RecvOnce(sys, pair.server, &byte, 1), "recv");
    }
    return status;
  });
}

TEST(BrokenErrors, EintrTakenForFailure) {
  ExpectFinding(TakesEintrForFailure, FindingKind::kNotRetried, "recv=EINTR");
}

absl::Status AcceptsOnce(Syscalls& sys) {
  return kit::WithListener(sys, [&](int listener, uint16_t port, int client) {
    const SysResult connected = kit::ConnectPatiently(sys, client, port);
    if (!connected.ok()) return ToStatus(connected, "connect");
    const SysResult server = kit::AcceptFrom(sys, listener);  // The bug.
    if (!server.ok()) return ToStatus(server, "accept");
    return CloseIt(sys, server.fd());
  });
}

TEST(BrokenErrors, AcceptNotRetried) {
  ExpectFinding(AcceptsOnce, FindingKind::kNotRetried, "accept4=EINTR");
}

absl::Status PollsOnce(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    return ToStatus(kit::AwaitWritable(sys, pair.client), "poll");  // The bug.
  });
}

TEST(BrokenErrors, PollNotRetried) {
  ExpectFinding(PollsOnce, FindingKind::kNotRetried, "poll=EINTR");
}

absl::Status GivesUpAfterThree(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    SysResult sent;
    for (int attempt = 0; attempt < 3; ++attempt) {
      sent = kit::SendOnce(sys, pair.client, "x");
      if (sent.error() != EINTR) break;
    }
    return ToStatus(sent, "send");
  });
}

TEST(BrokenErrors, EintrRetriedThreeTimesOnly) {
  ExpectFinding(GivesUpAfterThree, FindingKind::kNotRetried, "send=EINTR");
}

absl::Status ConnectsAgainAfterEintr(Syscalls& sys) {
  return kit::WithListener(sys, [&](int /*listener*/, uint16_t port,
                                    int client) {
    // The bug: the attempt goes on in the kernel. The second connect(2)
    // returns its outcome, the third one fails with EISCONN.
    return ToStatus(
        kit::RetryOnEintr([&] { return kit::ConnectTo(sys, client, port); }),
        "connect");
  });
}

TEST(BrokenErrors, ConnectCalledAgainAfterEintr) {
  ExpectFinding(ConnectsAgainAfterEintr, FindingKind::kFailsOtherwise,
                "connect=EINTR*2");
}

// --- Which errno -------------------------------------------------------------

absl::Status ReportsErrnoOfCleanUp(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  const absl::Status closed = CloseIt(sys, made.fd());
  if (!closed.ok()) return closed;  // The bug: the first error is lost.
  return ToStatus(bound, "bind");
}

TEST(BrokenErrors, ErrnoOfTheCleanUp) {
  ExpectFinding(ReportsErrnoOfCleanUp, FindingKind::kMasked,
                "bind=EADDRINUSE; close=EIO");
}

absl::Status ReportsAnyErrorAsEinval(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult listening = kit::StartListening(sys, made.fd());
  const absl::Status closed = CloseIt(sys, made.fd());
  if (!listening.ok()) return ErrnoError(EINVAL, "listen");  // The bug.
  return closed;
}

TEST(BrokenErrors, WrongErrno) {
  ExpectFinding(ReportsAnyErrorAsEinval, FindingKind::kWrongErrno,
                "listen=EADDRINUSE");
}

absl::Status UsesAnOptionThatWasNotRead(Syscalls& sys) {
  kit::Pair pair;
  const absl::Status status = kit::MakePair(sys, &pair);
  if (!status.ok()) return status;
  int error = 0;
  socklen_t size = sizeof(error);
  // The bug: the value is used whatever getsockopt(2) returns.
  static_cast<void>(
      sys.GetSockOpt(pair.client, SOL_SOCKET, SO_ERROR, &error, &size));
  const absl::Status closed = kit::ClosePair(sys, pair);
  return error != 0 ? absl::UnknownError("the connection has failed") : closed;
}

TEST(BrokenErrors, OutParameterOfAFailedCall) {
  ExpectFinding(UsesAnOptionThatWasNotRead, FindingKind::kWrongErrno,
                "getsockopt=ENOPROTOOPT");
}

absl::Status IgnoresAnOption(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  static_cast<void>(kit::TurnOn(sys, made.fd(), SO_REUSEADDR));  // The bug.
  return CloseIt(sys, made.fd());
}

TEST(BrokenErrors, SwallowedErrno) {
  ExpectFinding(IgnoresAnOption, FindingKind::kSwallowed,
                "setsockopt=ENOPROTOOPT");
}

absl::Status IgnoresCloseOfTheSecond(Syscalls& sys) {
  kit::Pair pair;
  const absl::Status status = kit::MakePair(sys, &pair);
  if (!status.ok()) return status;
  const absl::Status closed = CloseIt(sys, pair.client);
  Discard(sys, pair.server);  // The bug.
  return closed;
}

TEST(BrokenErrors, SwallowedErrnoOfTheLastClose) {
  ExpectFinding(IgnoresCloseOfTheSecond, FindingKind::kSwallowed,
                "close#3=EIO");
}

absl::Status TakesPollErrorForReadiness(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    absl::Status status = SendByte(sys, pair);
    pollfd readable = {.fd = pair.server, .events = POLLIN, .revents = 0};
    // The bug: -1 is not 0, so this looks ready.
    const SysResult polled =
        kit::RetryOnEintr([&] { return sys.Poll(&readable, 1, 1000); });
    const bool is_ready = !polled.ok() || polled.value() != 0;
    char byte = 0;
    if (status.ok() && is_ready) {
      status = ToStatus(kit::RetryOnEintr([&] {
                          return kit::RecvOnce(sys, pair.server, &byte, 1);
                        }),
                        "recv");
    }
    return status;
  });
}

TEST(BrokenErrors, PollErrorTakenForReadiness) {
  ExpectFinding(TakesPollErrorForReadiness, FindingKind::kSwallowed,
                "poll=ENOMEM");
}

absl::Status WaitsForTheEndAnyway(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    // The bug: if shutdown(2) has failed, the end of the stream never comes.
    static_cast<void>(sys.Shutdown(pair.client, SHUT_WR));
    char byte = 0;
    const SysResult received = kit::RetryOnEintr(
        [&] { return kit::RecvOnce(sys, pair.server, &byte, 1); });
    return ToStatus(received, "recv");
  });
}

TEST(BrokenErrors, HangAfterAnIgnoredError) {
  ExpectFinding(WaitsForTheEndAnyway, FindingKind::kHang, "shutdown=EBADF");
}

// --- Out-parameters ----------------------------------------------------------

// Returns the port before it is certain that the listener is one.
absl::Status ListenEarly(Syscalls& sys, int* fd, uint16_t* port) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  absl::Status status = ToStatus(kit::BindTo(sys, made.fd(), 0), "bind");
  if (status.ok()) {
    status = ToStatus(kit::ReadPort(sys, made.fd(), port), "getsockname");
  }
  if (status.ok()) {
    status = ToStatus(kit::StartListening(sys, made.fd()), "listen");
  }
  if (!status.ok()) {
    Discard(sys, made.fd());
    return status;
  }
  *fd = made.fd();
  return absl::OkStatus();
}

TEST(BrokenErrors, OutParameterSetEarly) {
  const auto scenario = [](Syscalls& sys) {
    OutParameter<int> fd(sys);
    OutParameter<uint16_t> port(sys);
    const absl::Status status = ListenEarly(sys, fd.pointer(), port.pointer());
    if (!status.ok()) return status;
    static_cast<void>(port.value());
    return CloseIt(sys, fd.value());
  };
  ExpectFinding(scenario, FindingKind::kOutParameter, "listen=EADDRINUSE");
}

// --- Retries -----------------------------------------------------------------

absl::Status AcceptsUntilItSucceeds(Syscalls& sys) {
  return kit::WithListener(sys, [&](int listener, uint16_t port, int client) {
    const SysResult connected = kit::ConnectPatiently(sys, client, port);
    if (!connected.ok()) return ToStatus(connected, "connect");
    SysResult server;
    do {
      server = kit::AcceptFrom(sys, listener);
      // The bug: EMFILE stays until somebody closes a descriptor.
    } while (server.error() == EINTR || server.error() == ECONNABORTED ||
             server.error() == EMFILE);
    if (!server.ok()) return ToStatus(server, "accept");
    return CloseIt(sys, server.fd());
  });
}

TEST(BrokenErrors, AcceptLoopThatSpins) {
  ExploreOptions options;
  options.declarations = {Retries(Call::kAccept4, EMFILE),
                          Retries(Call::kAccept4, ECONNABORTED)};
  ExpectFinding(options, AcceptsUntilItSucceeds, FindingKind::kRetryStorm,
                "accept4=EMFILE");
}

absl::Status SendsUntilItSucceeds(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    while (!kit::SendOnce(sys, pair.client, "x").ok()) {
      // The bug: an error that stays makes it endless.
    }
    return absl::OkStatus();
  });
}

TEST(BrokenErrors, SendRepeatedAfterAnyError) {
  ExpectFinding(SendsUntilItSucceeds, FindingKind::kRetryStorm, "send=EPIPE");
}

// --- Counts and data ---------------------------------------------------------

// Shorter than the 16 segments that a new connection acknowledges immediately.
// With a longer one, send=short(1) makes Nagle's algorithm hold the rest back,
// so a single recv(2) returns a part. (Measured on Linux 6.18: 17 of 23 bytes.)
constexpr absl::string_view kMessage = "short message";

absl::Status TakesAPartForTheWhole(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    absl::Status status =
        ToStatus(kit::RetryOnEintr([&] {  // The bug.
                   return kit::SendOnce(sys, pair.client, kMessage);
                 }),
                 "send");
    std::array<char, kMessage.size()> data;
    if (status.ok()) {
      status = kit::RecvAll(sys, pair.server, data.data(), data.size());
    }
    return status;
  });
}

TEST(BrokenErrors, PartialSendTakenForWhole) {
  ExpectFinding(TakesAPartForTheWhole, FindingKind::kHang, "send=short(1)");
}

absl::Status ExpectsTheWholeAtOnce(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    absl::Status status = kit::SendAll(sys, pair.client, kMessage);
    std::array<char, kMessage.size()> data;
    if (status.ok()) {
      const SysResult received = kit::RetryOnEintr([&] {  // The bug.
        return kit::RecvOnce(sys, pair.server, data.data(), data.size());
      });
      status = ToStatus(received, "recv");
      if (received.ok() &&
          absl::string_view(data.data(), data.size()) != kMessage) {
        status = absl::DataLossError("another message");
      }
    }
    return status;
  });
}

TEST(BrokenErrors, PartialRecvTakenForWhole) {
  ExpectFinding(ExpectsTheWholeAtOnce, FindingKind::kShortCount,
                "recv=short(1)");
}

absl::Status SendsWithoutNosignal(Syscalls& sys) {
  return kit::WithPair(sys, [&](const kit::Pair& pair) {
    const SysResult sent = kit::RetryOnEintr(
        [&] { return sys.Send(pair.client, "x", 1, 0); });  // The bug.
    return ToStatus(sent, "send");
  });
}

TEST(BrokenErrors, CanRaiseSigpipe) {
  ExpectFinding(SendsWithoutNosignal, FindingKind::kSigpipe, "");
}

// --- What stays --------------------------------------------------------------

TEST(BrokenErrors, TheNextRunFails) {
  const auto scenario = [](Syscalls& sys, FakeKernel& kernel) {
    constexpr uint16_t kPort = 4711;
    FakeProcess& helper = kernel.NewProcess({.name = "helper"});
    const SysResult lock = kit::NewSocket(helper);
    const SysResult locked = kit::BindTo(helper, lock.fd(), kPort);
    if (!locked.ok()) {
      Discard(helper, lock.fd());
      return ToStatus(locked, "bind");
    }
    const SysResult made = kit::NewSocket(sys);
    if (!made.ok()) return ToStatus(made, "socket");  // The bug.
    const absl::Status closed = CloseIt(sys, made.fd());
    Discard(helper, lock.fd());
    return closed;
  };
  ExpectFinding(scenario, FindingKind::kLeftBehind, "socket=EMFILE");
}

TEST(BrokenErrors, FailsWithoutAFault) {
  const auto scenario = [](Syscalls& sys) {
    return ToStatus(kit::BindTo(sys, -1, 0), "bind");
  };
  ExpectFinding(scenario, FindingKind::kBroken, "");
}

TEST(BrokenErrors, CallsThatNoFaultCanHit) {
  const auto scenario = [](Syscalls& /*sys*/, FakeKernel& kernel) {
    FakeProcess& process = kernel.NewProcess();
    const SysResult made = kit::NewSocket(process);
    Discard(process, made.fd());
    return ToStatus(made, "socket");
  };
  const ExploreResult result = ExploreFaults(scenario);
  ASSERT_EQ(result.findings.size(), 1u) << result;
  EXPECT_EQ(result.findings[0].kind, FindingKind::kBroken);
}

TEST(BrokenErrors, NotDeterministic) {
  int runs = 0;
  const auto scenario = [&runs](Syscalls& sys) {
    const SysResult made = kit::NewSocket(sys);
    if (!made.ok()) return ToStatus(made, "socket");
    // The bug: no run after the first one calls listen(2).
    SysResult listening = SysResult::Ok();
    if (runs++ == 0) listening = kit::StartListening(sys, made.fd());
    const absl::Status closed = CloseIt(sys, made.fd());
    return kit::FirstError(ToStatus(listening, "listen"), closed);
  };
  const ExploreResult result = ExploreFaults(scenario);
  ASSERT_EQ(result.findings.size(), 1u) << result;
  EXPECT_EQ(result.findings[0].kind, FindingKind::kBroken);
}

// --- Crashes -----------------------------------------------------------------

absl::Status CrashesIfListenFails(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult listening = kit::StartListening(sys, made.fd());
  if (!listening.ok()) std::abort();  // The bug.
  return CloseIt(sys, made.fd());
}

TEST(BrokenErrors, Crash) {
  const ExploreOptions options = {.catch_crashes = true};
  const ExploreResult result = ExploreFaults(options, CrashesIfListenFails);
  ASSERT_EQ(result.findings.size(), 1u) << result;
  EXPECT_EQ(result.findings[0].kind, FindingKind::kCrash);
  EXPECT_EQ(result.findings[0].plan.ToString(), "listen=EADDRINUSE");
}

}  // namespace
}  // namespace net
