// Accept when a system call fails or is interrupted. The faults are injected;
// the peer is real.

#include "fakes/faults/faults.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/connected.h"
#include "conformance/cases/fault_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;
using ::testing::AnyOf;

// The number of faults that stands for "without a limit".
constexpr int kMany = 500;

// A listener of the implementation.
struct Scene {
  Faults* faults;
  Sock listener;
  ip::Endpoint at;
};

Result<Scene> MakeScene(Context& c, const ListenOptions& options = {}) {
  const Result<Faults*> faults = TakeCharge(c);
  if (!faults.ok()) return faults.As<Scene>();
  Result<Sock> listener = c.Listen(options);
  if (!listener.ok()) return listener.As<Scene>();
  const Result<ip::Endpoint> at = listener->LocalEndpoint();
  if (!at.ok()) return at.As<Scene>();
  return Scene{*faults, *std::move(listener), *at};
}

// A client that has sent its data.
absl::StatusOr<RawSocket> MakeClient(Context& c, const Scene& scene) {
  absl::StatusOr<RawSocket> client = loopback::ConnectTo(c.sys(), scene.at);
  if (!client.ok()) return client;
  const absl::Status sent = loopback::SendAll(*client, "it is me");
  if (!sent.ok()) return sent;
  return client;
}

void ExpectClientsData(const Sock& server) {
  EXPECT_THAT(server.RecvExactly(8), IsOkAndHolds("it is me"));
}

// Arms a plan about accept, connects a client, and calls Accept until it
// returns the connection. An event loop accepts when the client connects, so
// the plan is armed before.
//
// Returns how often Accept reported a failure. It must be one of `errors`.
int AcceptDespite(Context& c, const Scene& scene, absl::string_view plan,
                  const std::vector<int>& errors) {
  const Armed armed(*scene.faults, plan);
  const absl::StatusOr<RawSocket> client = MakeClient(c, scene);
  EXPECT_THAT(client, IsOk());
  int reports = 0;
  for (; reports <= kMany; ++reports) {
    const Result<Sock> server = scene.listener.Accept();
    if (server.ok()) {
      ExpectClientsData(*server);
      break;
    }
    bool is_planned = false;
    for (const int error : errors) {
      is_planned = is_planned || testing::Value(server, Fails(error));
    }
    EXPECT_TRUE(is_planned) << server;
    if (!is_planned) break;
  }
  EXPECT_TRUE(armed.applied()) << plan;
  return reports;
}

void AcceptInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const int reports = AcceptDespite(c, scene, "accept=EINTR*3", {EINTR});
  if (reports > 0) c.Variation("reports_eintr");
}

void AcceptAborted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const int reports =
      AcceptDespite(c, scene, "accept=ECONNABORTED*3 before", {ECONNABORTED});
  if (reports > 0) c.Variation("reports_econnaborted");
}

void AcceptWithoutBound(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const std::string plan =
      absl::StrCat("accept every 2=ECONNABORTED*", kMany / 2,
                   " before; accept=EINTR*", kMany / 2);
  const int reports = AcceptDespite(c, scene, plan, {EINTR, ECONNABORTED});
  if (reports == 0) return;
  // One of the two errnos is reported, or both.
  c.Variation(reports > kMany / 2 ? "reports_both" : "reports_one");
}

void AcceptRetryEndsInAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c, {.nonblock = true}));
  for (const int error : {EINTR, ECONNABORTED}) {
    const Armed armed(*scene.faults, Rule("accept", error, "*1 before"));
    const Result<Sock> server = scene.listener.Accept();
    if (!armed.applied()) {
      return NoteNoSuchCall(c, "calls no accept(2) while no connection waits");
    }
    if (testing::Value(server, Fails(error))) {
      c.Variation(absl::StrCat("reports_", ErrnoSymbol(error)));
      continue;
    }
    EXPECT_THAT(server, Fails(EAGAIN));
    if (scene.faults->Count("accept") < 2) c.Variation("does_not_retry");
  }
}

// Calls Accept in a task. If it waits although a connection was there, another
// client ends the wait, and `waited` is true.
struct Accepted {
  Result<Sock> server = Error{.text = "Accept was not called"};
  bool waited = false;
  std::optional<RawSocket> waker;
};

Accepted AcceptOrWake(Context& c, const Scene& scene) {
  Accepted accepted;
  const std::unique_ptr<Task> task =
      c.env().Start([&] { accepted.server = scene.listener.Accept(); });
  accepted.waited = task->AwaitBlocked();
  if (accepted.waited) {
    absl::StatusOr<RawSocket> waker = MakeClient(c, scene);
    EXPECT_THAT(waker, IsOk());
    if (waker.ok()) accepted.waker = *std::move(waker);
  }
  task->Join();
  return accepted;
}

// Expects that Accept reports `error`, and that the next Accept returns a
// connection. (accept(2) may have taken the first client's connection, as Linux
// does with EFAULT, so there is another client.)
void ExpectReported(Context& c, int error) {
  SCOPED_TRACE(ErrnoSymbol(error));
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const Armed armed(*scene.faults, Rule("accept#1", error));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, MakeClient(c, scene));
  {
    const Accepted first = AcceptOrWake(c, scene);
    EXPECT_TRUE(armed.applied());
    scene.faults->Arm({});
    EXPECT_THAT(first.server, Fails(error));
  }
  ASSERT_OK_AND_ASSIGN(const RawSocket other, MakeClient(c, scene));
  ASSERT_OK_AND_ASSIGN(const Sock server, scene.listener.Accept());
  ExpectClientsData(server);
}

// EAGAIN is left out: an event loop rightly waits for the next event after it.
void AcceptFails(Context& c) {
  for (const int error :
       ErrnosBut(SyscallId::kAccept4,
                 {EAGAIN, EINTR, ECONNABORTED, EMFILE, ENFILE})) {
    ExpectReported(c, error);
  }
}

void AcceptTooManyFiles(Context& c) {
  for (const int error : {EMFILE, ENFILE}) ExpectReported(c, error);
}

void AcceptWorksAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error : {ENOBUFS, ENOMEM}) {
    SCOPED_TRACE(ErrnoSymbol(error));
    AcceptDespite(c, scene, Rule("accept", error, "*1"), {error});
  }
}

void AcceptLeavesListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  {
    const Armed armed(*scene.faults, "accept#1=EPROTO after");
    ASSERT_OK_AND_ASSIGN(const RawSocket client, MakeClient(c, scene));
    // Event loops report it too late for a non-blocking listener.
    const Accepted first = AcceptOrWake(c, scene);
    EXPECT_TRUE(armed.applied());
    EXPECT_EQ(scene.faults->StrayCloses(), 0);
    scene.faults->Arm({});
  }
  ASSERT_OK_AND_ASSIGN(const RawSocket client, MakeClient(c, scene));
  ASSERT_OK_AND_ASSIGN(const Sock server, scene.listener.Accept());
  ExpectClientsData(server);
}

// Each call that Accept makes: also those after accept(2), whose failure must
// not leak the connection. Leaks show when the listener is closed, because an
// event loop accepts in advance.
void EachCallOfAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  std::optional<RawSocket> client;
  Accepted accepted;
  FailEachCall(
      *scene.faults,
      [&] {
        absl::StatusOr<RawSocket> made = MakeClient(c, scene);
        EXPECT_THAT(made, IsOk());
        if (made.ok()) client = *std::move(made);
        accepted = AcceptOrWake(c, scene);
        return accepted.server.ok();
      },
      [&](bool succeeded) {
        scene.faults->Arm({});
        if (succeeded) ExpectClientsData(*accepted.server);
        accepted = {};
        // A connection may still be in the queue.
        ASSERT_OK_AND_ASSIGN(const RawSocket next, MakeClient(c, scene));
        ASSERT_OK_AND_ASSIGN(const Sock server, scene.listener.Accept());
        ExpectClientsData(server);
      });
}

// The peer resets the connection before accept(2) returns it.
void AcceptReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  {
    const Armed armed(*scene.faults, "accept#1=reset");
    ASSERT_OK_AND_ASSIGN(const RawSocket client,
                         loopback::ConnectTo(c.sys(), scene.at));
    const Accepted first = AcceptOrWake(c, scene);
    EXPECT_TRUE(armed.applied());
    scene.faults->Arm({});
    if (first.waited) {
      c.Variation("drops_the_connection");
    } else if (first.server.ok()) {
      EXPECT_THAT(first.server->PeerAddr(),
                  AnyOf(IsOk(), Fails(ENOTCONN), Fails(EINVAL)));
    }
  }
  ASSERT_OK_AND_ASSIGN(const RawSocket client, MakeClient(c, scene));
  ASSERT_OK_AND_ASSIGN(const Sock server, scene.listener.Accept());
  ExpectClientsData(server);
}

// Returns how many system calls `operation` makes.
template <typename Operation>
int CallsOf(Faults& faults, Operation operation) {
  faults.Arm({});
  EXPECT_THAT(operation(), IsOk());
  return faults.Count("*");
}

// A library may make more calls than net::tcp.
void ExpectCalls(Context& c, int actual, int expected) {
  if (actual != expected) c.Variation("makes_other_calls");
}

// Slow calls change nothing.
void AcceptDelayed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  EXPECT_EQ(AcceptDespite(c, scene, "accept#1=delay(5ms)", {}), 0);
}

void CallsOfAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, MakeClient(c, scene));
  std::optional<Sock> server;
  const int calls = CallsOf(*scene.faults, [&] {
    Result<Sock> accepted = scene.listener.Accept();
    if (!accepted.ok()) return accepted.As<Done>();
    server = *std::move(accepted);
    return Result<Done>(Done{});
  });
  ExpectCalls(c, calls, 1);
}

// A connected socket of the implementation.
struct Linked {
  Faults* faults;
  Connected end;
};

Result<Linked> MakeLinked(Context& c) {
  const Result<Faults*> faults = TakeCharge(c);
  if (!faults.ok()) return faults.As<Linked>();
  Result<Connected> end = ConnectToPeer(c);
  if (!end.ok()) return end.As<Linked>();
  return Linked{*faults, *std::move(end)};
}

void CallsOnSocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(Linked linked, MakeLinked(c));
  Faults& faults = *linked.faults;
  Sock& sock = linked.end.sock;
  ASSERT_THAT(loopback::SendAll(linked.end.peer, "x"), IsOk());
  ExpectCalls(c, CallsOf(faults, [&] { return sock.Send("x"); }), 1);
  ExpectCalls(c, CallsOf(faults, [&] { return RecvOnce(sock); }), 1);
  ExpectCalls(c, CallsOf(faults, [&] { return sock.PeerAddr(); }), 1);
  ExpectCalls(c, CallsOf(faults, [&] { return sock.LocalAddr(); }), 1);
  ExpectCalls(c, CallsOf(faults, [&] { return sock.Shutdown(SHUT_WR); }), 1);
  ExpectCalls(c, CallsOf(faults, [&] { return sock.Close(); }), 1);
}

constexpr Need kClosing = Need::kFaults | Need::kFaultsOfClose;

}  // namespace

const std::vector<Case>& FaultsCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "faults.accept.interrupted",
       .requirement = "Accept must retry when accept4(2) fails with EINTR.",
       .source = "contract: Accept; accept(2) EINTR",
       .needs = Need::kFaults,
       .run = &AcceptInterrupted},
      {.id = "faults.accept.aborted",
       .requirement =
           "Accept must retry when accept4(2) fails with ECONNABORTED.",
       .source = "contract: Accept; accept(2) ECONNABORTED",
       .needs = Need::kFaults,
       .run = &AcceptAborted},
      {.id = "faults.accept.without_bound",
       .requirement = "Accept must retry after EINTR and ECONNABORTED without "
                      "a limit on the number of retries.",
       .source = "contract: Accept",
       .needs = Need::kFaults,
       .run = &AcceptWithoutBound},
      {.id = "faults.accept.retry_ends_in_again",
       .requirement =
           "Accept on a non-blocking listener must fail with EAGAIN when a "
           "retry after EINTR or ECONNABORTED finds no connection.",
       .source = "contract: Accept; accept(2) EAGAIN",
       .needs = Need::kFaults,
       .run = &AcceptRetryEndsInAgain},
      {.id = "faults.accept.errors",
       .requirement =
           "Accept must report every errno except EINTR and ECONNABORTED, and "
           "the next Accept must return a connection.",
       .source = "contract: Accept; accept(2) ERRORS",
       .needs = Need::kFaults,
       .run = &AcceptFails},
      {.id = "faults.accept.too_many_files",
       .requirement = "Accept must report EMFILE and ENFILE, and the next "
                      "Accept must return a connection.",
       .source = "contract: Accept; accept(2) EMFILE",
       .needs = Need::kFaults,
       .run = &AcceptTooManyFiles},
      {.id = "faults.accept.works_afterwards",
       .requirement = "After Accept has failed for lack of memory, the next "
                      "Accept must return the connection.",
       .source = "contract: Accept; accept(2) ENOBUFS",
       .needs = Need::kFaults,
       .run = &AcceptWorksAfterwards},
      {.id = "faults.accept.closes_nothing",
       .requirement = "An Accept that fails must close nothing: neither a "
                      "descriptor, as none was made, nor the listener.",
       .source = "contract: any failure",
       .needs = kClosing,
       .run = &AcceptLeavesListener},
      {.id = "faults.accept.each_call",
       .requirement =
           "Accept must leave no descriptor open when it fails, whichever of "
           "its system calls failed, and the next Accept must succeed.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &EachCallOfAccept},
      {.id = "faults.accept.reset",
       .requirement = "A connection that is reset before accept4(2) returns it "
                      "must not disturb the listener.",
       .source = "accept(2) NOTES; measured on Linux 6.18",
       .needs = Need::kFaults,
       .run = &AcceptReset},
      {.id = "faults.accept.delayed",
       .requirement = "Accept must return the connection when accept4(2) takes "
                      "a long time.",
       .source = "accept(2) DESCRIPTION",
       .needs = Need::kFaults,
       .run = &AcceptDelayed},
      {.id = "faults.accept.calls",
       .requirement =
           "Accept should make one accept4(2) and no other system call.",
       .source = "contract: Accept",
       .level = Level::kShould,
       .needs = Need::kFaults,
       .run = &CallsOfAccept},
      {.id = "faults.socket.calls",
       .requirement = "Each operation on a connected socket should make one "
                      "system call.",
       .source = "contract: any success",
       .level = Level::kShould,
       .needs = kClosing,
       .run = &CallsOnSocket},
  };
  return cases;
}

}  // namespace net::conformance
