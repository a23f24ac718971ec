// The operations on a connected socket when a system call fails, is interrupted
// or moves few bytes. The faults are injected; the peer is real.

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/connected.h"
#include "conformance/cases/fault_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using ::testing::Eq;
using ::testing::Optional;

// Connects a socket for each errno that `call` can have, and passes it to
// `check` with the errno.
void ForEachErrno(
    Context& c, SyscallId call, std::initializer_list<int> but,
    const std::function<void(Faults&, Connected&, int error)>& check) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  for (const int error : ErrnosBut(call, but)) {
    SCOPED_TRACE(ErrnoSymbol(error));
    ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
    check(*faults, end, error);
    if (c.unsupported().has_value()) return;
  }
}

void PeerAddrFails(Context& c) {
  ForEachErrno(
      c, SyscallId::kGetPeerName, {},
      [&](Faults& faults, Connected& end, int error) {
        ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
        {
          const Armed armed(faults, Rule("getpeername#1", error));
          const auto failed = end.sock.PeerAddr();
          if (!armed.applied()) {
            return NoteNoSuchCall(
                c, "PeerAddr makes no getpeername(2): the address is stored");
          }
          if (testing::Value(failed, Fails(error))) {
            c.Variation("reports_the_errno");
          } else {
            EXPECT_THAT(failed, IsOkAndHolds(Eq(std::nullopt)));
          }
        }
        EXPECT_THAT(end.sock.PeerAddr(), IsOkAndHolds(Optional(peer)));
      });
}

// Expects that `query` reports each errno that `call` can have, and succeeds
// once the call does. `rule` lets the first call fail. If none is made, the
// case ends with the claim `no_call`.
template <typename Query>
void QueryFails(Context& c, SyscallId call, absl::string_view rule,
                absl::string_view no_call, Query query) {
  ForEachErrno(c, call, {}, [&](Faults& faults, Connected& end, int error) {
    {
      const Armed armed(faults, Rule(rule, error));
      const auto failed = query(end.sock);
      if (failed.unsupported() != nullptr) return;
      if (!armed.applied()) return NoteNoSuchCall(c, no_call);
      EXPECT_THAT(failed, Fails(error));
    }
    EXPECT_THAT(query(end.sock), IsOk());
  });
}

void LocalAddrFails(Context& c) {
  QueryFails(c, SyscallId::kGetSockName, "getsockname#1",
             "LocalAddr makes no getsockname(2): the address is stored",
             [](const Sock& sock) { return sock.LocalAddr(); });
}

void PendingErrorFails(Context& c) {
  QueryFails(c, SyscallId::kGetSockOpt, "getsockopt#1",
             "PendingError makes no getsockopt(2)",
             [](const Sock& sock) { return sock.PendingError(); });
}

void ShutdownFails(Context& c) {
  ForEachErrno(c, SyscallId::kShutdown, {},
               [&](Faults& faults, Connected& end, int error) {
                 {
                   const Armed armed(faults, Rule("shutdown#1", error));
                   EXPECT_THAT(end.sock.Shutdown(SHUT_WR), Fails(error));
                   EXPECT_TRUE(armed.applied());
                 }
                 if (!end.sock.Shutdown(SHUT_WR).ok()) {
                   c.Variation("an_error_ends_the_stream");
                   return;
                 }
                 EXPECT_THAT(loopback::RecvUntilEof(end.peer),
                             IsOkAndHolds(""));
               });
}

// Linux closes the descriptor, whatever close(2) returns.
void CloseFails(Context& c) {
  ForEachErrno(c, SyscallId::kClose, {EBADF},
               [&](Faults& faults, Connected& end, int error) {
                 const Armed armed(faults, Rule("close#1", error));
                 const Result<Done> closed = end.sock.Close();
                 EXPECT_TRUE(armed.applied());
                 if (closed.ok()) {
                   c.Variation("not_reported");
                 } else {
                   EXPECT_THAT(closed, Fails(error));
                 }
                 EXPECT_THAT(loopback::RecvUntilEof(end.peer),
                             IsOkAndHolds(""));
                 ExpectNothingLeft(faults);
               });
}

// A second close(2) would close the descriptor that another thread has opened
// meanwhile.
void CloseIsNotRetried(Context& c) {
  ForEachErrno(c, SyscallId::kClose, {EBADF},
               [&](Faults& faults, Connected& end, int error) {
                 const Armed armed(faults, Rule("close#1", error));
                 static_cast<void>(end.sock.Close());
                 EXPECT_TRUE(armed.applied());
                 EXPECT_EQ(faults.StrayCloses(), 0)
                     << "close(2) was called again";
               });
}

void SendInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
  std::string expected = "more";
  {
    const Armed armed(*faults, "send=EINTR*1");
    const Result<size_t> sent = end.sock.Send("once");
    EXPECT_TRUE(armed.applied());
    if (sent.ok()) {
      c.Variation("retries");
      expected = absl::StrCat(std::string("once").substr(0, *sent), expected);
    } else {
      EXPECT_THAT(sent, Fails(EINTR));
    }
  }
  ASSERT_THAT(end.sock.SendAll("more"), IsOk());
  ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(end.peer), IsOkAndHolds(expected));
}

void RecvInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
  std::string received;
  {
    const Armed armed(*faults, "recv=EINTR*1");
    ASSERT_THAT(loopback::SendAll(end.peer, "kept"), IsOk());
    const Result<std::string> first = RecvOnce(end.sock);
    EXPECT_TRUE(armed.applied());
    if (first.ok()) {
      c.Variation("retries");
      received = *first;
    } else {
      EXPECT_THAT(first, Fails(EINTR));
    }
  }
  ASSERT_OK_AND_ASSIGN(const std::string rest,
                       end.sock.RecvExactly(4 - received.size()));
  EXPECT_EQ(absl::StrCat(received, rest), "kept");
}

// EAGAIN is left out of both: an event loop rightly waits for the next event.
void SendFails(Context& c) {
  ForEachErrno(
      c, SyscallId::kSend, {EAGAIN, EINTR, EPIPE},
      [&](Faults& faults, Connected& end, int error) {
        {
          const Armed armed(faults, Rule("send#1", error));
          const Result<size_t> sent = end.sock.Send("refused");
          EXPECT_TRUE(armed.applied());
          if (sent.ok()) {
            c.Variation(absl::StrCat("retries_", ErrnoSymbol(error)));
            EXPECT_THAT(loopback::RecvExactly(end.peer, *sent), IsOk());
          } else {
            EXPECT_THAT(sent, Fails(error));
          }
        }
        if (!end.sock.SendAll("taken").ok()) {
          c.Variation("an_error_ends_the_stream");
          return;
        }
        EXPECT_THAT(loopback::RecvExactly(end.peer, 5), IsOkAndHolds("taken"));
      });
}

// A trap raises SIGPIPE with the errno, as Linux does, unless MSG_NOSIGNAL is
// given.
void SendBrokenPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
  const Armed armed(*faults, "send#1=EPIPE");
  EXPECT_THAT(end.sock.Send("refused"), Fails(EPIPE));
  EXPECT_TRUE(armed.applied());
}

void RecvFails(Context& c) {
  ForEachErrno(c, SyscallId::kRecv, {EAGAIN, EINTR},
               [&](Faults& faults, Connected& end, int error) {
                 {
                   const Armed armed(faults, Rule("recv#1", error));
                   ASSERT_THAT(loopback::SendAll(end.peer, "kept"), IsOk());
                   EXPECT_THAT(RecvOnce(end.sock), Fails(error));
                   EXPECT_TRUE(armed.applied());
                 }
                 const Result<std::string> next = end.sock.RecvExactly(4);
                 if (!next.ok() || next->empty()) {
                   c.Variation("an_error_ends_the_stream");
                   return;
                 }
                 EXPECT_THAT(next, IsOkAndHolds("kept"));
               });
}

// The kernel takes fewer bytes than it was offered.
void SendShort(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  for (const int bytes : {1, 3}) {
    SCOPED_TRACE(bytes);
    ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
    const Armed armed(*faults, absl::StrCat("send=short(", bytes, ")"));
    ASSERT_THAT(end.sock.SendAll("all of it"), IsOk());
    EXPECT_TRUE(armed.applied());
    ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
    EXPECT_THAT(loopback::RecvUntilEof(end.peer), IsOkAndHolds("all of it"));
  }
}

void RecvShort(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  for (const int bytes : {1, 3}) {
    SCOPED_TRACE(bytes);
    ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
    const Armed armed(*faults, absl::StrCat("recv=short(", bytes, ")"));
    ASSERT_THAT(loopback::SendAll(end.peer, "all of it"), IsOk());
    ASSERT_THAT(end.peer.HalfClose(), IsOk());
    EXPECT_THAT(end.sock.RecvUntilEnd(), IsOkAndHolds("all of it"));
    EXPECT_TRUE(armed.applied());
  }
}

// Some bytes have gone when send(2) is interrupted: Linux then returns their
// number, so EINTR means that none has gone. A library that sends in a loop
// must go on behind them.
void SendShortThenInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
  const Armed armed(*faults, "send#1=short(3); send#2=EINTR");
  std::string rest = "all of it";
  for (int calls = 0; !rest.empty() && calls < 20; ++calls) {
    const Result<size_t> sent = end.sock.Send(rest);
    if (sent.ok()) {
      rest.erase(0, *sent);
    } else {
      EXPECT_THAT(sent, Fails(EINTR));
    }
  }
  EXPECT_TRUE(armed.applied());
  ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(end.peer), IsOkAndHolds("all of it"));
}

// Some bytes have come when the connection fails. They must not be lost.
void RecvThenReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
  const Armed armed(*faults, "recv#1=short(3); recv#2=ECONNRESET");
  ASSERT_THAT(loopback::SendAll(end.peer, "all of it"), IsOk());
  EXPECT_THAT(end.sock.RecvExactly(3), IsOkAndHolds("all"));
  EXPECT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
  EXPECT_TRUE(armed.applied());
}

// Slow calls change nothing.
void Delayed(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
  const Armed armed(*faults, "send#1=delay(5ms); recv#1=delay(5ms)");
  ASSERT_THAT(loopback::SendAll(end.peer, "ping"), IsOk());
  EXPECT_THAT(end.sock.RecvExactly(4), IsOkAndHolds("ping"));
  ASSERT_THAT(end.sock.SendAll("pong"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(end.peer, 4), IsOkAndHolds("pong"));
  EXPECT_TRUE(armed.applied());
}

// EINTR at each call of an exchange, several times.
void InterruptedEverywhere(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, TakeCharge(c));
  ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c));
  const Armed armed(*faults, "send=EINTR*5; recv=EINTR*5; poll=EINTR*5");
  ASSERT_THAT(loopback::SendAll(end.peer, "ping"), IsOk());
  std::string received;
  std::string rest = "pong";
  int reports = 0;
  for (int calls = 0; received.size() < 4 && calls < 20; ++calls) {
    const Result<std::string> some = RecvOnce(end.sock);
    if (some.ok()) {
      received += *some;
    } else {
      EXPECT_THAT(some, Fails(EINTR));
      ++reports;
    }
  }
  for (int calls = 0; !rest.empty() && calls < 20; ++calls) {
    const Result<size_t> sent = end.sock.Send(rest);
    if (sent.ok()) {
      rest.erase(0, *sent);
    } else {
      EXPECT_THAT(sent, Fails(EINTR));
      ++reports;
    }
  }
  EXPECT_EQ(received, "ping");
  EXPECT_THAT(loopback::RecvExactly(end.peer, 4), IsOkAndHolds("pong"));
  if (reports == 0) c.Variation("retries");
}

constexpr Need kClosing = Need::kFaults | Need::kFaultsOfClose;

std::vector<Case> Errors() {
  return {
      {.id = "faults.peeraddr.errors",
       .requirement = "PeerAddr must return no peer when getpeername(2) fails, "
                      "whatever the errno, and the peer again when the next "
                      "getpeername(2) succeeds.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ERRORS",
       .needs = Need::kFaults,
       .run = &PeerAddrFails},
      {.id = "faults.localaddr.errors",
       .requirement =
           "LocalAddr must report the errno of a failing getsockname(2).",
       .source = "getsockname(2) ERRORS",
       .needs = Need::kFaults,
       .run = &LocalAddrFails},
      {.id = "faults.shutdown.errors",
       .requirement = "Shutdown must report the errno of a failing "
                      "shutdown(2), and shut down nothing.",
       .source = "shutdown(2) ERRORS",
       .needs = Need::kFaults,
       .run = &ShutdownFails},
      {.id = "faults.pending_error.errors",
       .requirement =
           "PendingError must report the errno of a failing getsockopt(2).",
       .source = "getsockopt(2) ERRORS",
       .needs = Need::kFaults,
       .run = &PendingErrorFails},
      {.id = "faults.close.errors",
       .requirement = "Close must report the errno of close(2), and the "
                      "descriptor must be closed all the same.",
       .source = "contract: Close; close(2) NOTES",
       .needs = kClosing,
       .run = &CloseFails},
      {.id = "faults.close.not_retried",
       .requirement = "Close must call close(2) once, whatever it returns.",
       .source = "contract: Close; close(2) NOTES",
       .needs = kClosing,
       .run = &CloseIsNotRetried},
      {.id = "faults.send.errors",
       .requirement = "Send must report the errno of a failing send(2), and "
                      "the next Send must succeed.",
       .source = "send(2) ERRORS",
       .needs = Need::kFaults,
       .run = &SendFails},
      {.id = "faults.send.broken_pipe",
       .requirement = "Send must report EPIPE, and not raise SIGPIPE.",
       .source = "contract: Send, Recv; send(2) EPIPE",
       .needs = Need::kFaults,
       .run = &SendBrokenPipe},
      {.id = "faults.recv.errors",
       .requirement = "Recv must report the errno of a failing recv(2), and "
                      "the next Recv must return the data.",
       .source = "recv(2) ERRORS",
       .needs = Need::kFaults,
       .run = &RecvFails},
  };
}

std::vector<Case> Transfers() {
  return {
      {.id = "faults.send.interrupted",
       .requirement =
           "Send should report EINTR from send(2), and send none of its data.",
       .source = "contract: Send, Recv; send(2) EINTR",
       .level = Level::kShould,
       .needs = Need::kFaults,
       .run = &SendInterrupted},
      {.id = "faults.recv.interrupted",
       .requirement =
           "Recv should report EINTR from recv(2), and lose no data.",
       .source = "contract: Send, Recv; recv(2) EINTR",
       .level = Level::kShould,
       .needs = Need::kFaults,
       .run = &RecvInterrupted},
      {.id = "faults.send.short",
       .requirement = "Send must report the number of bytes that send(2) took, "
                      "also if they are few.",
       .source = "send(2) RETURN VALUE",
       .needs = Need::kFaults,
       .run = &SendShort},
      {.id = "faults.recv.short",
       .requirement = "Recv must return what recv(2) received, also if it is a "
                      "part of what has arrived.",
       .source = "recv(2) RETURN VALUE",
       .needs = Need::kFaults,
       .run = &RecvShort},
      {.id = "faults.send.short.then_interrupted",
       .requirement = "Send must neither lose nor repeat data when send(2) "
                      "takes a part and is then interrupted.",
       .source = "send(2) RETURN VALUE, EINTR",
       .needs = Need::kFaults,
       .run = &SendShortThenInterrupted},
      {.id = "faults.recv.short.then_reset",
       .requirement = "Recv must return the data that recv(2) received before "
                      "it fails with ECONNRESET, and then report that.",
       .source = "recv(2) RETURN VALUE; tcp(7) ERRORS",
       .needs = Need::kFaults,
       .run = &RecvThenReset},
      {.id = "faults.transfer.delayed",
       .requirement = "Send and Recv must succeed when send(2) and recv(2) "
                      "take a long time.",
       .source = "send(2) DESCRIPTION; recv(2) DESCRIPTION",
       .needs = Need::kFaults,
       .run = &Delayed},
      {.id = "faults.transfer.interrupted",
       .requirement = "Send and Recv must lose no data when send(2), recv(2) "
                      "and poll(2) fail with EINTR several times in a row.",
       .source = "contract: Send, Recv; signal(7)",
       .needs = Need::kFaults,
       .run = &InterruptedEverywhere},
  };
}

}  // namespace

const std::vector<Case>& FaultsSocketsCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(Errors());
    const std::vector<Case> transfers = Transfers();
    all->insert(all->end(), transfers.begin(), transfers.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
