// Connect when a system call fails or is interrupted. The faults are injected;
// a real peer shows the result of the attempt.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/connected.h"
#include "conformance/cases/fault_helpers.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

// A peer to connect to.
struct Scene {
  loopback::Listener listener;
  Faults* faults;
  ConnectOptions options;  // Those that the implementation supports.
};

Result<Scene> MakeScene(Context& c) {
  const Result<Faults*> faults = TakeCharge(c);
  if (!faults.ok()) return faults.As<Scene>();
  absl::StatusOr<loopback::Listener> listener =
      loopback::ListenAnywhere(c.sys(), c.family());
  if (!listener.ok()) return Error{.text = listener.status().ToString()};
  const ConnectOptions options = SupportedConnectOptions(c);
  return Scene{*std::move(listener), *faults, options};
}

// Expects that the connection that the kernel had made is ended.
void ExpectPeerSeesTheEnd(const Scene& scene) {
  // An open descriptor has been reported, and the peer would block.
  if (!scene.faults->OpenDescriptors().empty()) return;
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket peer, scene.listener.Accept());
  EXPECT_THAT(loopback::RecvUntilEof(peer), IsOkAndHolds(""));
}

// Expects that the connection carries data.
void ExpectEcho(const Scene& scene, const Sock& client) {
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket peer, scene.listener.Accept());
  ASSERT_THAT(client.SendAll("hello"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(peer, 5), IsOkAndHolds("hello"));
}

// Expects that one of the connections in the queue has sent `text`. A library
// that has tried twice leaves two there.
void ExpectOneSays(const loopback::Listener& listener, absl::string_view text) {
  constexpr int kMost = 3;
  for (int i = 0; i < kMost; ++i) {
    ASSERT_OK_AND_ASSIGN(const loopback::RawSocket peer, listener.Accept());
    const absl::StatusOr<std::string> said = loopback::RecvUntilEof(peer);
    if (said.ok() && *said == text) return;
  }
  ADD_FAILURE() << "no connection has sent " << text;
}

// Expects that Connect reports `error` under `plan`, and then calls `check`
// while the plan is armed. Returns whether the plan has applied.
bool ExpectReported(
    Context& c, const Scene& scene, absl::string_view plan, int error,
    absl::FunctionRef<void()> check = [] {}) {
  SCOPED_TRACE(plan);
  const Armed armed(*scene.faults, plan);
  const Result<Sock> client =
      c.Connect(scene.listener.endpoint(), scene.options);
  if (!armed.applied()) return false;
  EXPECT_THAT(client, Fails(error));
  if (!client.ok()) ExpectNothingLeft(*scene.faults);
  check();
  return true;
}

// Every call fails, because a library may try again with other arguments.
void SocketFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error : ErrnosBut(SyscallId::kSocket, {})) {
    EXPECT_TRUE(ExpectReported(c, scene, Rule("socket", error), error, [&] {
      for (const char* call : {"setsockopt", "connect"}) {
        EXPECT_EQ(scene.faults->Count(call), 0)
            << call << " was called without a socket";
      }
    }));
  }
}

void SetSockOptFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  bool has_applied = false;
  for (const std::string& call : CallsOfOptions(scene.options)) {
    for (const int error : ErrnosBut(SyscallId::kSetSockOpt, {})) {
      if (!ExpectReported(c, scene, Rule(call, error), error)) break;
      has_applied = true;
    }
  }
  if (!has_applied) {
    NoteNoSuchCall(c, "Connect has no option that it sets by setsockopt(2)");
  }
}

// EINTR, EINPROGRESS, EALREADY and EISCONN may mean that the attempt goes on:
// see below.
void ConnectFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error :
       ErrnosBut(SyscallId::kConnect,
                 {EINTR, EINPROGRESS, EALREADY, EISCONN, EAGAIN})) {
    EXPECT_TRUE(ExpectReported(c, scene, Rule("connect", error), error));
  }
}

// On Linux a connect(2) of TCP does not fail with EAGAIN.
void ConnectIsNotRetried(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  EXPECT_TRUE(
      ExpectReported(c, scene, "connect#1=ENETUNREACH", ENETUNREACH,
                     [&] { EXPECT_EQ(scene.faults->Count("connect"), 1); }));
}

// Whether the errno is the right one is the subject of other cases: a library
// may ignore an option's failure, or translate an errno.
void ClosedOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  std::vector<std::string> calls = CallsOfOptions(scene.options);
  calls.emplace_back("connect");
  for (const std::string& call : calls) {
    SCOPED_TRACE(call);
    const Armed armed(*scene.faults, Rule(call, ENOBUFS));
    const Result<Sock> client =
        c.Connect(scene.listener.endpoint(), scene.options);
    if (!client.ok()) ExpectClosedOnce(*scene.faults);
  }
}

// Expects the same error with and without a failure of close(2).
void CloseFailsToo(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const char* close : {"", "; close=EINTR", "; close=EIO"}) {
    const std::string plan = absl::StrCat("connect=ECONNREFUSED", close);
    EXPECT_TRUE(ExpectReported(c, scene, plan, ECONNREFUSED,
                               [&] { ExpectClosedOnce(*scene.faults); }));
  }
}

void FailedConnectLeavesNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  EXPECT_TRUE(ExpectReported(c, scene, "connect=ENOBUFS after", ENOBUFS));
  ExpectPeerSeesTheEnd(scene);
}

// The kernel continues an attempt whose connect(2) failed with EINTR.
void Interrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const Armed armed(*scene.faults, "connect#1=EINTR");
  Result<Sock> client = c.Connect(scene.listener.endpoint());
  EXPECT_TRUE(armed.applied());
  if (testing::Value(client, Fails(EINTR))) {
    ExpectNothingLeft(*scene.faults);
    ExpectPeerSeesTheEnd(scene);
    return c.Variation("reports_eintr");
  }
  ASSERT_OK_AND_ASSIGN(const Sock connected, std::move(client));
  ExpectEcho(scene, connected);
}

// A second connect(2) is no mistake on Linux: it waits for the same attempt.
// POSIX promises EALREADY.
void InterruptedConnectsOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const Armed armed(*scene.faults, "connect#1=EINTR");
  const Result<Sock> client = c.Connect(scene.listener.endpoint());
  EXPECT_TRUE(armed.applied());
  EXPECT_EQ(scene.faults->Count("socket"), 1);
  if (scene.faults->Count("connect") > 1) c.Variation("connects_again");
}

// An event loop polls without having been interrupted.
void InterruptedAgainInPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const Armed armed(*scene.faults, "connect#1=EINTR; poll=EINTR*3");
  Result<Sock> client = c.Connect(scene.listener.endpoint());
  if (testing::Value(client, Fails(EINTR))) {
    ExpectNothingLeft(*scene.faults);
    return c.Variation("reports_eintr");
  }
  if (client.ok() && !armed.applied()) {
    return NoteNoSuchCall(c, "Connect makes no poll(2)");
  }
  EXPECT_TRUE(armed.applied());
  ASSERT_OK_AND_ASSIGN(const Sock connected, std::move(client));
  ExpectEcho(scene, connected);
}

// connect(2) fails with EINTR, and then a call fails that reads the outcome.
void ExpectReportedAfterInterruption(Context& c, absl::string_view call,
                                     SyscallId id) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error : ErrnosBut(id, {EINTR, EAGAIN})) {
    const std::string plan =
        absl::StrCat("connect#1=EINTR; ", Rule(call, error));
    SCOPED_TRACE(plan);
    const Armed armed(*scene.faults, plan);
    const Result<Sock> client = c.Connect(scene.listener.endpoint());
    if (testing::Value(client, Fails(EINTR))) {
      ExpectNothingLeft(*scene.faults);
      return c.Variation("reports_eintr");
    }
    if (!armed.applied()) {
      return NoteNoSuchCall(c, absl::StrCat("Connect makes no ", call, "(2)"));
    }
    EXPECT_THAT(client, Fails(error));
    if (client.ok()) continue;
    ExpectNothingLeft(*scene.faults);
    ExpectPeerSeesTheEnd(scene);
  }
}

void PollFails(Context& c) {
  ExpectReportedAfterInterruption(c, "poll", SyscallId::kPoll);
}

void GetSockOptFails(Context& c) {
  ExpectReportedAfterInterruption(c, "getsockopt(SO_ERROR)",
                                  SyscallId::kGetSockOpt);
}

// A new blocking socket has neither an attempt in progress nor a connection. A
// library whose own descriptor is non-blocking rightly waits.
void NonsenseOfBlockingConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error : {EINPROGRESS, EALREADY, EISCONN}) {
    const std::string plan = Rule("connect#1", error, " after");
    SCOPED_TRACE(plan);
    const Armed armed(*scene.faults, plan);
    const Result<Sock> client = c.Connect(scene.listener.endpoint());
    EXPECT_TRUE(armed.applied());
    if (client.ok()) {
      ExpectEcho(scene, *client);
      c.Variation("waits_for_the_attempt");
      continue;
    }
    EXPECT_THAT(client, Fails(error));
    ExpectNothingLeft(*scene.faults);
    ExpectPeerSeesTheEnd(scene);
  }
}

void NonblockingInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const Armed armed(*scene.faults, "connect#1=EINTR");
  Result<Sock> client =
      c.Connect(scene.listener.endpoint(), {.nonblock = true});
  if (testing::Value(client, Fails(EINTR))) {
    ExpectNothingLeft(*scene.faults);
    return c.Variation("reports_eintr");
  }
  ASSERT_OK_AND_ASSIGN(const Sock connected, std::move(client));
  EXPECT_TRUE(armed.applied());
  ASSERT_THAT(WaitFor(c, connected, POLLOUT), IsOk());
  EXPECT_THAT(connected.PendingError(), IsOk());
  ExpectEcho(scene, connected);
}

void NonblockingDoesNotWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const char* plan : {"", "connect#1=EINTR"}) {
    SCOPED_TRACE(plan);
    const Armed armed(*scene.faults, plan);
    const Result<Sock> client =
        c.Connect(scene.listener.endpoint(), {.nonblock = true});
    if (testing::Value(client, Fails(EINTR))) {
      return c.Variation("reports_eintr");
    }
    ASSERT_THAT(client, IsOk());
    EXPECT_EQ(scene.faults->Count("poll"), 0);
    EXPECT_EQ(scene.faults->Count("getsockopt"), 0);
  }
}

void NonblockingFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error :
       {EADDRNOTAVAIL, ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EACCES}) {
    const std::string plan = Rule("connect", error);
    SCOPED_TRACE(plan);
    const Armed armed(*scene.faults, plan);
    const Result<Sock> client =
        c.Connect(scene.listener.endpoint(), {.nonblock = true});
    if (client.ok()) {
      // An event loop reports it with the outcome.
      ASSERT_TRUE(armed.applied());
      EXPECT_THAT(client->PendingError(), Fails(error));
      c.Variation("reported_with_the_outcome");
      continue;
    }
    EXPECT_TRUE(armed.applied());
    EXPECT_THAT(client, Fails(error));
    ExpectNothingLeft(*scene.faults);
  }
}

void WorksAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  std::vector<std::string> calls = CallsOfOptions(scene.options);
  calls.insert(calls.end(), {"socket", "connect"});
  for (const std::string& call : calls) {
    SCOPED_TRACE(call);
    {
      const Armed armed(*scene.faults, Rule(call, ENOBUFS));
      static_cast<void>(c.Connect(scene.listener.endpoint(), scene.options));
    }
    // Another listener, because the attempt may have reached the first one.
    ASSERT_OK_AND_ASSIGN(const Connected end, ConnectToPeer(c, scene.options));
    ASSERT_THAT(end.sock.SendAll("hello"), IsOk());
    EXPECT_THAT(loopback::RecvExactly(end.peer, 5), IsOkAndHolds("hello"));
  }
}

// Each call that Connect makes, its own options among them. Connect may ignore
// the failure of an option that nobody asked for.
void EachCall(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  std::optional<loopback::Listener> listener;
  std::optional<Sock> client;
  FailEachCall(
      *scene.faults,
      [&] {
        absl::StatusOr<loopback::Listener> made =
            loopback::ListenAnywhere(c.sys(), c.family());
        EXPECT_THAT(made, IsOk());
        if (!made.ok()) return false;
        listener = *std::move(made);
        Result<Sock> connected = c.Connect(listener->endpoint(), scene.options);
        const bool succeeded = connected.ok();
        if (succeeded) client = *std::move(connected);
        return succeeded;
      },
      [&](bool succeeded) {
        if (!succeeded) return ExpectNothingLeft(*scene.faults);
        scene.faults->Arm({});
        ASSERT_THAT(client->SendAll("hello"), IsOk());
        client.reset();
        ExpectOneSays(*listener, "hello");
      });
}

// Slow calls change nothing.
void Delayed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const Armed armed(*scene.faults, "connect#1=delay(5ms)");
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(scene.listener.endpoint()));
  EXPECT_TRUE(armed.applied());
  scene.faults->Arm({});
  ExpectEcho(scene, client);
}

void CallsOfSuccess(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  std::vector<ConnectOptions> all = {{}};
  if (scene.options.keepalive) all.push_back({.keepalive = true});
  for (const ConnectOptions& options : all) {
    scene.faults->Arm({});
    ASSERT_OK_AND_ASSIGN(const Sock client,
                         c.Connect(scene.listener.endpoint(), options));
    EXPECT_EQ(scene.faults->Count("socket"), 1);
    EXPECT_EQ(scene.faults->Count("connect"), 1);
    const int expected = options.keepalive ? 3 : 2;
    if (scene.faults->Count("*") != expected) c.Variation("makes_other_calls");
  }
}

void NoCallsForNonsense(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  scene.faults->Arm({});
  EXPECT_THAT(c.ConnectWithList(scene.listener.endpoint(),
                                {.unknown_flag = kUnknownFlag}),
              Fails(EINVAL));
  const int calls = scene.faults->Count("*");
  if (calls != 0) c.Variation("leaves_the_check_to_linux");
}

constexpr Need kClosing = Need::kFaults | Need::kFaultsOfClose;

std::vector<Case> Failures() {
  return {
      {.id = "faults.connect.socket",
       .requirement = "Connect must report the errno of a failing socket(2), "
                      "and make no further system call.",
       .source = "contract: any failure; socket(2) ERRORS",
       .needs = Need::kFaults,
       .run = &SocketFails},
      {.id = "faults.connect.setsockopt",
       .requirement =
           "Connect must report the errno of a failing setsockopt(2) of an "
           "option that was requested.",
       .source = "contract: any failure; setsockopt(2) ERRORS",
       .needs = Need::kFaults,
       .run = &SetSockOptFails},
      {.id = "faults.connect.connect",
       .requirement = "Connect must report the errno of a failing connect(2), "
                      "and close the descriptor.",
       .source = "contract: any failure; connect(2) ERRORS",
       .needs = Need::kFaults,
       .run = &ConnectFails},
      {.id = "faults.connect.not_retried",
       .requirement = "Connect must not call connect(2) again after connect(2) "
                      "has failed.",
       .source = "contract: blocking Connect + EINTR; connect(2) NOTES",
       .needs = Need::kFaults,
       .run = &ConnectIsNotRetried},
      {.id = "faults.connect.closed_once",
       .requirement = "A failing Connect must close its descriptor exactly "
                      "once.",
       .source = "contract: any failure; close(2) NOTES",
       .needs = kClosing,
       .run = &ClosedOnce},
      {.id = "faults.connect.first_errno_wins",
       .requirement = "Connect must report the errno of the system call that "
                      "failed, not that of the close(2) that cleans up.",
       .source = "contract: any failure",
       .needs = kClosing,
       .run = &CloseFailsToo},
      {.id = "faults.connect.nothing_goes_on",
       .requirement = "Connect must end a connection that was established "
                      "although connect(2) reported a failure.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &FailedConnectLeavesNothing},
      {.id = "faults.connect.nonsense",
       .requirement =
           "A blocking Connect must report EINPROGRESS, EALREADY and EISCONN "
           "from connect(2) as errors, and end the attempt.",
       .source = "contract: EINPROGRESS, EALREADY, EISCONN on a blocking "
                 "connect",
       .needs = Need::kFaults,
       .run = &NonsenseOfBlockingConnect},
      {.id = "faults.connect.works_afterwards",
       .requirement = "After a Connect that failed, whichever system call it "
                      "was, the same Connect must succeed.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &WorksAfterwards},
      {.id = "faults.connect.each_call",
       .requirement =
           "Connect must leave no descriptor open when it fails, whichever of "
           "its system calls failed, and return a connection that works when "
           "it succeeds.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &EachCall},
  };
}

std::vector<Case> Interruptions() {
  return {
      {.id = "faults.connect.interrupted",
       .requirement = "A blocking Connect must wait for the attempt and "
                      "succeed when connect(2) fails with EINTR.",
       .source = "contract: blocking Connect + EINTR; connect(2) EINTR",
       .needs = Need::kFaults,
       .run = &Interrupted},
      {.id = "faults.connect.interrupted.connects_once",
       .requirement = "An interrupted Connect must call neither connect(2) nor "
                      "socket(2) a second time.",
       .source = "contract: blocking Connect + EINTR; POSIX connect() EINTR",
       .needs = Need::kFaults,
       .run = &InterruptedConnectsOnce},
      {.id = "faults.connect.interrupted.in_poll",
       .requirement = "An interrupted Connect must continue to wait when "
                      "poll(2) fails with EINTR.",
       .source = "contract: blocking Connect + EINTR; poll(2) EINTR",
       .needs = Need::kFaults,
       .run = &InterruptedAgainInPoll},
      {.id = "faults.connect.interrupted.poll_fails",
       .requirement = "An interrupted Connect must report the errno of a "
                      "failing poll(2), and end the attempt.",
       .source = "contract: blocking Connect + EINTR; poll(2) ERRORS",
       .needs = Need::kFaults,
       .run = &PollFails},
      {.id = "faults.connect.interrupted.getsockopt_fails",
       .requirement = "An interrupted Connect must report the errno of a "
                      "failing getsockopt(2), and end the attempt.",
       .source = "contract: blocking Connect + EINTR; getsockopt(2) ERRORS",
       .needs = Need::kFaults,
       .run = &GetSockOptFails},
      {.id = "faults.connect.nonblocking_interrupted",
       .requirement = "A non-blocking Connect must succeed when connect(2) "
                      "fails with EINTR, because the attempt continues.",
       .source = "contract: NONBLOCK Connect; connect(2) EINTR",
       .needs = Need::kFaults,
       .run = &NonblockingInterrupted},
      {.id = "faults.connect.nonblocking_does_not_wait",
       .requirement =
           "A non-blocking Connect must neither wait for the outcome nor read "
           "the pending error, even if connect(2) fails with EINTR.",
       .source = "contract: NONBLOCK Connect; connect(2) EINPROGRESS",
       .needs = Need::kFaults,
       .run = &NonblockingDoesNotWait},
      {.id = "faults.connect.nonblocking_fails",
       .requirement = "A non-blocking Connect must report every errno of "
                      "connect(2) except EINPROGRESS and EINTR.",
       .source = "contract: NONBLOCK Connect; connect(2) ERRORS",
       .needs = Need::kFaults,
       .run = &NonblockingFails},
      {.id = "faults.connect.delayed",
       .requirement = "Connect must succeed when connect(2) takes a long time.",
       .source = "connect(2) DESCRIPTION",
       .needs = Need::kFaults,
       .run = &Delayed},
      {.id = "faults.connect.calls",
       .requirement =
           "Connect should call socket(2) and connect(2) once each, "
           "setsockopt(2) once if keep-alive is given, and nothing else.",
       .source = "contract: any success",
       .level = Level::kShould,
       .needs = Need::kFaults,
       .run = &CallsOfSuccess},
      {.id = "faults.connect.calls.none_for_nonsense",
       .requirement = "Connect with an unknown flag must fail with EINVAL "
                      "before it makes any system call.",
       .source = "contract: flags",
       .needs = Need::kFaults | Need::kOptionLists,
       .run = &NoCallsForNonsense},
  };
}

}  // namespace

const std::vector<Case>& FaultsConnectCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(Failures());
    const std::vector<Case> interruptions = Interruptions();
    all->insert(all->end(), interruptions.begin(), interruptions.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
