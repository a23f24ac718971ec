// Accept and the operations on a socket when a system call fails or is
// interrupted. The faults are injected; the peer is real.

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/cases/connected.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "fakes/call.h"
#include "fakes/fault_injector.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;

// The number of faults that stands for "without a limit".
constexpr int kMany = 500;

// Plans a fault at the `nth` next call of `call`.
void FailNext(FaultInjector& injector, Call call, int error,
              When when = When::kBefore, int nth = 1) {
  injector.Fail(call, injector.count(call) + nth, error, when);
}

// A listener of the implementation behind the injector, and a client of it.
// (The listener is non-blocking in cases where an additional Accept must fail
// instead of blocking.)
struct Scene {
  FaultInjector* injector;
  Sock listener;
  loopback::RawSocket client;
};

Result<Scene> MakeScene(Context& c, const ListenOptions& options = {}) {
  const Result<FaultInjector*> injector = c.InjectFaults();
  if (!injector.ok()) return injector.As<Scene>();
  Result<Sock> listener = c.Listen(options);
  if (!listener.ok()) return listener.As<Scene>();
  const Result<ip::Endpoint> at = listener->LocalEndpoint();
  if (!at.ok()) return at.As<Scene>();
  absl::StatusOr<loopback::RawSocket> client =
      loopback::ConnectTo(c.sys(), *at);
  if (!client.ok()) return Error{.text = client.status().ToString()};
  return Scene{*injector, *std::move(listener), *std::move(client)};
}

// Expects that Accept returns the connection of the scene's client.
void ExpectAccepts(const Scene& scene) {
  ASSERT_OK_AND_ASSIGN(Sock server, scene.listener.Accept());
  ASSERT_THAT(loopback::SendAll(scene.client, "it is me"), IsOk());
  EXPECT_THAT(server.RecvExactly(8), IsOkAndHolds("it is me"));
}

void ExpectRetried(Context& c, const std::vector<int>& errors) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  int nth = 0;
  for (const int error : errors) {
    FailNext(*scene.injector, Call::kAccept4, error, When::kBefore, ++nth);
  }
  ExpectAccepts(scene);
  EXPECT_THAT(scene.injector->Unfired(), IsEmpty());
  EXPECT_EQ(scene.injector->count(Call::kAccept4), nth + 1);
}

void AcceptInterrupted(Context& c) { ExpectRetried(c, {EINTR, EINTR, EINTR}); }

void AcceptAborted(Context& c) {
  ExpectRetried(c, {ECONNABORTED, ECONNABORTED, ECONNABORTED});
}

void AcceptWithoutBound(Context& c) {
  std::vector<int> errors;
  for (int i = 0; i < kMany; ++i) {
    errors.push_back(i % 2 == 0 ? EINTR : ECONNABORTED);
  }
  ExpectRetried(c, errors);
}

void AcceptRetryEndsInAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen({.nonblock = true}));
  for (const int error : {EINTR, ECONNABORTED}) {
    FailNext(*injector, Call::kAccept4, error);
    EXPECT_THAT(listener.Accept(), Fails(EAGAIN));
    EXPECT_THAT(injector->Unfired(), IsEmpty());
  }
  EXPECT_EQ(injector->count(Call::kAccept4), 4);
}

void AcceptFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  int calls = 0;
  for (const int error :
       {EAGAIN,          EBADF,      EFAULT,   EHOSTDOWN,   EHOSTUNREACH,
        EINVAL,          EMFILE,     ENETDOWN, ENETUNREACH, ENFILE,
        ENOBUFS,         ENOMEM,     ENONET,   ENOPROTOOPT, ENOSR,
        ENOTSOCK,        EOPNOTSUPP, EPERM,    EPROTO,      EPROTONOSUPPORT,
        ESOCKTNOSUPPORT, ETIMEDOUT}) {
    const Fault fault{.call = Call::kAccept4, .error = error};
    SCOPED_TRACE(fault);
    FailNext(*scene.injector, Call::kAccept4, error);
    EXPECT_THAT(scene.listener.Accept(), Fails(error));
    EXPECT_EQ(scene.injector->count(Call::kAccept4), ++calls)
        << "the number of accept4(2) calls: Accept has retried";
  }
}

void AcceptWorksAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    FailNext(*scene.injector, Call::kAccept4, error);
    ASSERT_THAT(scene.listener.Accept(), Fails(error));
  }
  ExpectAccepts(scene);
}

void AcceptLeavesListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c, {.nonblock = true}));
  const std::vector<int> before = scene.injector->OpenDescriptors();
  FailNext(*scene.injector, Call::kAccept4, EPROTO, When::kAfter);
  EXPECT_THAT(scene.listener.Accept(), Fails(EPROTO));
  EXPECT_EQ(scene.injector->OpenDescriptors(), before);
  EXPECT_EQ(scene.injector->count(Call::kClose), 0)
      << "close(2) was called although accept4(2) made no descriptor";
}

// Returns how many system calls `operation` makes.
template <typename Operation>
int CallsOf(const FaultInjector& injector, Operation operation) {
  int calls = 0;
  for (const Call call : AllCalls()) calls -= injector.count(call);
  EXPECT_THAT(operation(), IsOk());
  for (const Call call : AllCalls()) calls += injector.count(call);
  return calls;
}

void CallsOfAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c, {.nonblock = true}));
  std::optional<Sock> server;
  const int calls = CallsOf(*scene.injector, [&] {
    Result<Sock> accepted =
        scene.listener.Accept({.nonblock = true, .no_cloexec = true});
    const bool ok = accepted.ok();
    if (ok) server = *std::move(accepted);
    return ok ? Result<Done>(Done{}) : accepted.As<Done>();
  });
  EXPECT_EQ(scene.injector->count(Call::kAccept4), 1);
  EXPECT_EQ(calls, 1) << "the number of all system calls";
  EXPECT_THAT(scene.listener.AcceptWithList({.unknown_flag = kUnknownFlag}),
              Fails(EINVAL));
  EXPECT_EQ(scene.injector->count(Call::kAccept4), 1);
}

// A connected socket of the implementation behind the injector.
struct Linked {
  FaultInjector* injector;
  Connected end;
};

Result<Linked> MakeLinked(Context& c) {
  const Result<FaultInjector*> injector = c.InjectFaults();
  if (!injector.ok()) return injector.As<Linked>();
  Result<Connected> end = ConnectToPeer(c);
  if (!end.ok()) return end.As<Linked>();
  return Linked{*injector, *std::move(end)};
}

void PeerAddrFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer,
                       linked.end.peer.LocalEndpoint());
  for (const int error : {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK}) {
    const Fault fault{.call = Call::kGetPeerName, .error = error};
    SCOPED_TRACE(fault);
    FailNext(*linked.injector, Call::kGetPeerName, error);
    EXPECT_THAT(sock.PeerAddr(), IsOkAndHolds(Eq(std::nullopt)));
    EXPECT_THAT(linked.injector->Unfired(), IsEmpty());
    EXPECT_THAT(sock.PeerAddr(), IsOkAndHolds(Optional(peer)));
  }
}

void LocalAddrFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  for (const int error : {EINVAL, ENOBUFS, ENOMEM}) {
    const Fault fault{.call = Call::kGetSockName, .error = error};
    SCOPED_TRACE(fault);
    FailNext(*linked.injector, Call::kGetSockName, error);
    EXPECT_THAT(sock.LocalAddr(), Fails(error));
    EXPECT_THAT(sock.LocalAddr(), IsOk());
  }
}

void ShutdownFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  for (const int error : {EINVAL, ENOTCONN, ENOBUFS}) {
    const Fault fault{.call = Call::kShutdown, .error = error};
    SCOPED_TRACE(fault);
    FailNext(*linked.injector, Call::kShutdown, error);
    EXPECT_THAT(sock.Shutdown(SHUT_WR), Fails(error));
  }
  EXPECT_THAT(sock.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(linked.end.peer), IsOkAndHolds(""));
}

void PendingErrorFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  for (const int error : {EINVAL, ENOBUFS}) {
    const Fault fault{.call = Call::kGetSockOpt, .error = error};
    SCOPED_TRACE(fault);
    FailNext(*linked.injector, Call::kGetSockOpt, error);
    EXPECT_THAT(sock.PendingError(), Fails(error));
    EXPECT_THAT(sock.PendingError(), IsOk());
  }
}

// Linux closes the descriptor, whatever close(2) returns.
void CloseFails(Context& c) {
  for (const int error : {EINTR, EIO}) {
    const Fault fault{.call = Call::kClose, .error = error};
    SCOPED_TRACE(fault);
    ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
    Sock& sock = linked.end.sock;
    ASSERT_OK_AND_ASSIGN(const Witness witness, sock.Inspect());
    FailNext(*linked.injector, Call::kClose, error, When::kAfter);
    EXPECT_THAT(sock.Close(), Fails(error));
    EXPECT_THAT(witness.CloseOnExec(), IsErrno(EBADF));
    EXPECT_THAT(loopback::RecvUntilEof(linked.end.peer), IsOkAndHolds(""));
  }
}

void CloseIsNotRetried(Context& c) {
  for (const int error : {EINTR, EIO}) {
    const Fault fault{.call = Call::kClose, .error = error};
    SCOPED_TRACE(fault);
    ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
    FailNext(*linked.injector, Call::kClose, error, When::kAfter);
    EXPECT_FALSE(linked.end.sock.Close().ok());
    EXPECT_EQ(linked.injector->count(Call::kClose), 1);
    EXPECT_EQ(linked.injector->StrayCloses(), 0);
  }
}

void SendInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  FailNext(*linked.injector, Call::kSend, EINTR);
  EXPECT_THAT(sock.Send("once"), Fails(EINTR));
  EXPECT_EQ(linked.injector->count(Call::kSend), 1);
  ASSERT_THAT(sock.SendAll("more"), IsOk());
  ASSERT_THAT(sock.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(linked.end.peer), IsOkAndHolds("more"));
}

void RecvInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  ASSERT_THAT(loopback::SendAll(linked.end.peer, "kept"), IsOk());
  FailNext(*linked.injector, Call::kRecv, EINTR);
  ASSERT_THAT(RecvOnce(sock), Fails(EINTR));
  EXPECT_EQ(linked.injector->count(Call::kRecv), 1);
  EXPECT_THAT(sock.RecvExactly(4), IsOkAndHolds("kept"));
}

void SendFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  for (const int error :
       {EACCES, EAGAIN, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EINVAL,
        ENETUNREACH, ENOBUFS, ENOMEM, ENOTCONN, EPIPE, ETIMEDOUT}) {
    const Fault fault{.call = Call::kSend, .error = error};
    SCOPED_TRACE(fault);
    FailNext(*linked.injector, Call::kSend, error);
    EXPECT_THAT(sock.Send("refused"), Fails(error));
    EXPECT_THAT(linked.injector->Unfired(), IsEmpty());
  }
  ASSERT_THAT(sock.SendAll("taken"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(linked.end.peer, 5), IsOkAndHolds("taken"));
}

void RecvFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const Sock& sock = linked.end.sock;
  ASSERT_THAT(loopback::SendAll(linked.end.peer, "kept"), IsOk());
  for (const int error : {EAGAIN, ECONNREFUSED, ECONNRESET, EHOSTUNREACH,
                          EINVAL, ENOMEM, ENOTCONN, ETIMEDOUT}) {
    const Fault fault{.call = Call::kRecv, .error = error};
    SCOPED_TRACE(fault);
    FailNext(*linked.injector, Call::kRecv, error);
    EXPECT_THAT(RecvOnce(sock), Fails(error));
    EXPECT_THAT(linked.injector->Unfired(), IsEmpty());
  }
  EXPECT_THAT(sock.RecvExactly(4), IsOkAndHolds("kept"));
}

void CallsOnSocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  const FaultInjector& injector = *linked.injector;
  Sock& sock = linked.end.sock;
  ASSERT_THAT(loopback::SendAll(linked.end.peer, "x"), IsOk());
  EXPECT_EQ(CallsOf(injector, [&] { return sock.Send("x"); }), 1);
  EXPECT_EQ(CallsOf(injector, [&] { return RecvOnce(sock); }), 1);
  EXPECT_EQ(CallsOf(injector, [&] { return sock.PeerAddr(); }), 1);
  EXPECT_EQ(CallsOf(injector, [&] { return sock.LocalAddr(); }), 1);
  EXPECT_EQ(CallsOf(injector, [&] { return sock.PendingError(); }), 1);
  EXPECT_EQ(CallsOf(injector, [&] { return sock.Shutdown(SHUT_WR); }), 1);
  EXPECT_EQ(CallsOf(injector, [&] { return sock.Close(); }), 1);
}

std::vector<Case> OfAccept() {
  return {
      {.id = "faults.accept.interrupted",
       .requirement = "Accept must retry when accept4(2) fails with EINTR.",
       .source = "contract: Accept; accept(2) EINTR",
       .run = &AcceptInterrupted},
      {.id = "faults.accept.aborted",
       .requirement =
           "Accept must retry when accept4(2) fails with ECONNABORTED.",
       .source = "contract: Accept; accept(2) ECONNABORTED",
       .run = &AcceptAborted},
      {.id = "faults.accept.without_bound",
       .requirement = "Accept must retry after EINTR and ECONNABORTED without "
                      "a limit on the number of retries.",
       .source = "contract: Accept",
       .run = &AcceptWithoutBound},
      {.id = "faults.accept.retry_ends_in_again",
       .requirement =
           "Accept on a non-blocking listener must fail with EAGAIN when a "
           "retry after EINTR or ECONNABORTED finds no connection.",
       .source = "contract: Accept; accept(2) EAGAIN",
       .run = &AcceptRetryEndsInAgain},
      {.id = "faults.accept.errors",
       .requirement = "Accept must report every errno except EINTR and "
                      "ECONNABORTED, and not retry.",
       .source = "contract: Accept; accept(2) ERRORS",
       .run = &AcceptFails},
      {.id = "faults.accept.works_afterwards",
       .requirement = "After Accept has failed for lack of resources, the next "
                      "Accept must return the connection.",
       .source = "contract: Accept; accept(2) EMFILE",
       .run = &AcceptWorksAfterwards},
      {.id = "faults.accept.closes_nothing",
       .requirement = "An Accept that fails must close nothing: neither a "
                      "descriptor, as none was made, nor the listener.",
       .source = "contract: any failure",
       .run = &AcceptLeavesListener},
      {.id = "faults.accept.calls",
       .requirement =
           "Accept should make one accept4(2) and no other system call, "
           "whatever its flags, and no system call at all for an unknown flag.",
       .source = "contract: flags; contract: Accept",
       .level = Level::kShould,
       .needs = Need::kOptionLists,
       .run = &CallsOfAccept},
  };
}

std::vector<Case> OfSockets() {
  return {
      {.id = "faults.peeraddr.errors",
       .requirement = "PeerAddr must return no peer when getpeername(2) fails, "
                      "whatever the errno, and the peer again when the next "
                      "getpeername(2) succeeds.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ERRORS",
       .run = &PeerAddrFails},
      {.id = "faults.localaddr.errors",
       .requirement =
           "LocalAddr must report the errno of a failing getsockname(2).",
       .source = "getsockname(2) ERRORS",
       .run = &LocalAddrFails},
      {.id = "faults.shutdown.errors",
       .requirement = "Shutdown must report the errno of a failing "
                      "shutdown(2), and shut down nothing.",
       .source = "shutdown(2) ERRORS",
       .run = &ShutdownFails},
      {.id = "faults.pending_error.errors",
       .requirement =
           "PendingError must report the errno of a failing getsockopt(2).",
       .source = "getsockopt(2) ERRORS",
       .run = &PendingErrorFails},
      {.id = "faults.close.errors",
       .requirement = "Close must report the errno of close(2), and the "
                      "descriptor must be closed all the same.",
       .source = "contract: Close; close(2) NOTES",
       .run = &CloseFails},
      {.id = "faults.close.not_retried",
       .requirement = "Close must call close(2) once, whatever it returns.",
       .source = "contract: Close; close(2) NOTES",
       .run = &CloseIsNotRetried},
      {.id = "faults.send.interrupted",
       .requirement =
           "Send should report EINTR from send(2), and send none of its data.",
       .source = "contract: Send, Recv; send(2) EINTR",
       .level = Level::kShould,
       .run = &SendInterrupted},
      {.id = "faults.recv.interrupted",
       .requirement =
           "Recv should report EINTR from recv(2), and lose no data.",
       .source = "contract: Send, Recv; recv(2) EINTR",
       .level = Level::kShould,
       .run = &RecvInterrupted},
      {.id = "faults.send.errors",
       .requirement = "Send must report the errno of a failing send(2), and "
                      "the next Send must succeed.",
       .source = "send(2) ERRORS",
       .run = &SendFails},
      {.id = "faults.recv.errors",
       .requirement = "Recv must report the errno of a failing recv(2), and "
                      "the next Recv must return the data.",
       .source = "recv(2) ERRORS",
       .run = &RecvFails},
      {.id = "faults.socket.calls",
       .requirement = "Each operation on a connected socket should make one "
                      "system call.",
       .source = "contract: any success",
       .level = Level::kShould,
       .run = &CallsOnSocket},
  };
}

}  // namespace

const std::vector<Case>& FaultsCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(OfAccept());
    const std::vector<Case> of_sockets = OfSockets();
    all->insert(all->end(), of_sockets.begin(), of_sockets.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
