// Connect when a system call fails or is interrupted. The faults are injected;
// a real peer shows the result of the attempt.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
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

namespace net::conformance {
namespace {

using ::testing::IsEmpty;

// A peer to connect to, and the injector between the implementation and it.
struct Scene {
  loopback::Listener listener;
  FaultInjector* injector;

  // Plans a fault at the `nth` next call of `call`.
  void Fail(Call call, int error, When when = When::kBefore, int nth = 1) {
    injector->Fail(call, injector->count(call) + nth, error, when);
  }
};

Result<Scene> MakeScene(Context& c) {
  const Result<FaultInjector*> injector = c.InjectFaults();
  if (!injector.ok()) return injector.As<Scene>();
  absl::StatusOr<loopback::Listener> listener =
      loopback::ListenAnywhere(c.sys(), c.family());
  if (!listener.ok()) return Error{.text = listener.status().ToString()};
  return Scene{*std::move(listener), *injector};
}

// Expects that a failed Connect has closed its descriptor, once.
void ExpectClosed(const Scene& scene) {
  EXPECT_THAT(scene.injector->Unfired(), IsEmpty())
      << "Connect did not make the call of a planned fault";
  EXPECT_THAT(scene.injector->OpenDescriptors(), IsEmpty())
      << "Connect left a descriptor open";
  EXPECT_EQ(scene.injector->StrayCloses(), 0)
      << "Connect closed a descriptor twice";
}

// Expects that the connection that the kernel had made is ended.
void ExpectPeerSeesTheEnd(const Scene& scene) {
  // ExpectClosed() has reported an open descriptor, and the peer would block.
  if (!scene.injector->OpenDescriptors().empty()) return;
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket peer, scene.listener.Accept());
  EXPECT_THAT(loopback::RecvUntilEof(peer), IsOkAndHolds(""));
}

// Expects that the connection carries data.
void ExpectEcho(const Scene& scene, const Sock& client) {
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket peer, scene.listener.Accept());
  ASSERT_THAT(client.SendAll("hello"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(peer, 5), IsOkAndHolds("hello"));
}

// Expects that Connect reports each errno with which the next call of `call`
// fails.
void ExpectReported(Context& c, Scene& scene, Call call,
                    const std::vector<int>& errors) {
  for (const int error : errors) {
    const Fault fault{.call = call, .error = error};
    SCOPED_TRACE(fault);
    scene.Fail(call, error);
    EXPECT_THAT(c.Connect(scene.listener.endpoint(), {.keepalive = true}),
                Fails(error));
    ExpectClosed(scene);
  }
}

void SocketFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  ExpectReported(c, scene, Call::kSocket,
                 {EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM,
                  EPROTONOSUPPORT});
  for (const Call call : {Call::kSetSockOpt, Call::kConnect, Call::kClose}) {
    EXPECT_EQ(scene.injector->count(call), 0)
        << call << " was called without a socket";
  }
}

void SetSockOptFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  ExpectReported(c, scene, Call::kSetSockOpt,
                 {EACCES, EDOM, EINVAL, ENOBUFS, ENOMEM, ENOPROTOOPT, EPERM});
  EXPECT_EQ(scene.injector->count(Call::kConnect), 0);
}

void ConnectFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  ExpectReported(c, scene, Call::kConnect,
                 {EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN,
                  ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EINVAL, ENETUNREACH,
                  ENOBUFS, ENOMEM, EPERM, ETIMEDOUT});
}

void ConnectIsNotRetried(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  scene.Fail(Call::kConnect, EAGAIN);
  EXPECT_THAT(c.Connect(scene.listener.endpoint()), Fails(EAGAIN));
  EXPECT_EQ(scene.injector->count(Call::kConnect), 1);
  EXPECT_EQ(scene.injector->count(Call::kPoll), 0);
}

void ClosedOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  int closes = 0;
  for (const Call call : {Call::kSetSockOpt, Call::kConnect}) {
    SCOPED_TRACE(call);
    scene.Fail(call, ENOBUFS);
    EXPECT_THAT(c.Connect(scene.listener.endpoint(), {.keepalive = true}),
                Fails(ENOBUFS));
    ExpectClosed(scene);
    EXPECT_EQ(scene.injector->count(Call::kClose), ++closes);
  }
}

void CloseFailsToo(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  for (const Call call : {Call::kSetSockOpt, Call::kConnect}) {
    for (const int error : {EINTR, EIO}) {
      const Fault clean_up{.call = Call::kClose, .error = error};
      SCOPED_TRACE(testing::Message() << call << " fails, then " << clean_up);
      scene.Fail(call, ENOBUFS);
      scene.Fail(Call::kClose, error, When::kAfter);
      EXPECT_THAT(c.Connect(scene.listener.endpoint(), {.keepalive = true}),
                  Fails(ENOBUFS));
      ExpectClosed(scene);
    }
  }
}

void FailedConnectLeavesNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  scene.Fail(Call::kConnect, ENOBUFS, When::kAfter);
  EXPECT_THAT(c.Connect(scene.listener.endpoint()), Fails(ENOBUFS));
  ExpectClosed(scene);
  ExpectPeerSeesTheEnd(scene);
}

// The kernel continues an attempt whose connect(2) failed with EINTR.
void Interrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  scene.Fail(Call::kConnect, EINTR, When::kAfter);
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(scene.listener.endpoint()));
  EXPECT_THAT(scene.injector->Unfired(), IsEmpty());
  ExpectEcho(scene, client);
}

void InterruptedConnectsOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  scene.Fail(Call::kConnect, EINTR, When::kAfter);
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(scene.listener.endpoint()));
  EXPECT_EQ(scene.injector->count(Call::kConnect), 1);
  EXPECT_EQ(scene.injector->count(Call::kSocket), 1);
}

void InterruptedAgainInPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  scene.Fail(Call::kConnect, EINTR, When::kAfter);
  for (const int nth : {1, 2, 3}) {
    scene.Fail(Call::kPoll, EINTR, When::kBefore, nth);
  }
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(scene.listener.endpoint()));
  EXPECT_THAT(scene.injector->Unfired(), IsEmpty());
  EXPECT_EQ(scene.injector->count(Call::kConnect), 1);
  ExpectEcho(scene, client);
}

// connect(2) fails with EINTR, and then a call fails that reads the outcome.
void ExpectReportedAfterInterruption(Context& c, Call call,
                                     const std::vector<int>& errors) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  for (const int error : errors) {
    const Fault fault{.call = call, .error = error};
    SCOPED_TRACE(fault);
    scene.Fail(Call::kConnect, EINTR, When::kAfter);
    scene.Fail(call, error);
    EXPECT_THAT(c.Connect(scene.listener.endpoint()), Fails(error));
    ExpectClosed(scene);
    ExpectPeerSeesTheEnd(scene);
  }
}

void PollFails(Context& c) {
  ExpectReportedAfterInterruption(c, Call::kPoll, {EINVAL, ENOMEM});
}

void GetSockOptFails(Context& c) {
  ExpectReportedAfterInterruption(c, Call::kGetSockOpt, {EINVAL, ENOBUFS});
}

// A new blocking socket has neither an attempt in progress nor a connection.
void NonsenseOfBlockingConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  for (const int error : {EINPROGRESS, EALREADY, EISCONN}) {
    const Fault fault{.call = Call::kConnect, .error = error};
    SCOPED_TRACE(fault);
    scene.Fail(Call::kConnect, error, When::kAfter);
    EXPECT_THAT(c.Connect(scene.listener.endpoint()), Fails(error));
    ExpectClosed(scene);
    ExpectPeerSeesTheEnd(scene);
  }
}

void NonblockingInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  scene.Fail(Call::kConnect, EINTR, When::kAfter);
  ASSERT_OK_AND_ASSIGN(
      Sock client, c.Connect(scene.listener.endpoint(), {.nonblock = true}));
  EXPECT_EQ(scene.injector->count(Call::kConnect), 1);
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PendingError(), IsOk());
  ExpectEcho(scene, client);
}

void NonblockingDoesNotWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  ASSERT_OK_AND_ASSIGN(
      Sock client, c.Connect(scene.listener.endpoint(), {.nonblock = true}));
  scene.Fail(Call::kConnect, EINTR, When::kAfter);
  ASSERT_OK_AND_ASSIGN(Sock interrupted, c.Connect(scene.listener.endpoint(),
                                                   {.nonblock = true}));
  EXPECT_EQ(scene.injector->count(Call::kPoll), 0);
  EXPECT_EQ(scene.injector->count(Call::kPPoll), 0);
  EXPECT_EQ(scene.injector->count(Call::kGetSockOpt), 0);
}

void NonblockingFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  for (const int error : {EADDRNOTAVAIL, EAGAIN, EALREADY, ECONNREFUSED,
                          EISCONN, ENETUNREACH, ENOBUFS}) {
    const Fault fault{.call = Call::kConnect, .error = error};
    SCOPED_TRACE(fault);
    scene.Fail(Call::kConnect, error);
    EXPECT_THAT(c.Connect(scene.listener.endpoint(), {.nonblock = true}),
                Fails(error));
    ExpectClosed(scene);
  }
}

void WorksAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  for (const Call call : {Call::kSocket, Call::kSetSockOpt, Call::kConnect}) {
    SCOPED_TRACE(call);
    scene.Fail(call, ENOBUFS);
    ASSERT_THAT(c.Connect(scene.listener.endpoint(), {.keepalive = true}),
                Fails(ENOBUFS));
    ASSERT_OK_AND_ASSIGN(
        Sock client, c.Connect(scene.listener.endpoint(), {.keepalive = true}));
    ExpectEcho(scene, client);
  }
}

void CallsOfSuccess(Context& c) {
  for (const bool keepalive : {false, true}) {
    SCOPED_TRACE(keepalive ? "with keepalive" : "without options");
    ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
    ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(scene.listener.endpoint(),
                                                {.keepalive = keepalive}));
    EXPECT_EQ(scene.injector->count(Call::kSocket), 1);
    EXPECT_EQ(scene.injector->count(Call::kSetSockOpt), keepalive ? 1 : 0);
    EXPECT_EQ(scene.injector->count(Call::kConnect), 1);
    int all = 0;
    for (const Call call : AllCalls()) all += scene.injector->count(call);
    EXPECT_EQ(all, keepalive ? 3 : 2) << "the number of all system calls";
  }
}

void NoCallsForNonsense(Context& c) {
  ASSERT_OK_AND_ASSIGN(Scene scene, MakeScene(c));
  EXPECT_THAT(c.ConnectWithList(scene.listener.endpoint(),
                                {.unknown_flag = kUnknownFlag}),
              Fails(EINVAL));
  EXPECT_EQ(scene.injector->count(Call::kSocket), 0);
}

std::vector<Case> Failures() {
  return {
      {.id = "faults.connect.socket",
       .requirement = "Connect must report the errno of a failing socket(2), "
                      "and make no further system call.",
       .source = "contract: any failure; socket(2) ERRORS",
       .run = &SocketFails},
      {.id = "faults.connect.setsockopt",
       .requirement = "Connect must report the errno of a failing "
                      "setsockopt(2), and not call connect(2).",
       .source = "contract: any failure; setsockopt(2) ERRORS",
       .run = &SetSockOptFails},
      {.id = "faults.connect.connect",
       .requirement = "Connect must report the errno of a failing connect(2), "
                      "and close the descriptor.",
       .source = "contract: any failure; connect(2) ERRORS",
       .run = &ConnectFails},
      {.id = "faults.connect.not_retried",
       .requirement = "Connect must not call connect(2) again after connect(2) "
                      "has failed.",
       .source = "contract: blocking Connect + EINTR; connect(2) NOTES",
       .run = &ConnectIsNotRetried},
      {.id = "faults.connect.closed_once",
       .requirement = "A failing Connect must close its descriptor exactly "
                      "once.",
       .source = "contract: any failure; close(2) NOTES",
       .run = &ClosedOnce},
      {.id = "faults.connect.first_errno_wins",
       .requirement = "Connect must report the errno of the system call that "
                      "failed, not that of the close(2) that cleans up.",
       .source = "contract: any failure",
       .run = &CloseFailsToo},
      {.id = "faults.connect.nothing_goes_on",
       .requirement = "Connect must end a connection that was established "
                      "although connect(2) reported a failure.",
       .source = "contract: any failure",
       .run = &FailedConnectLeavesNothing},
      {.id = "faults.connect.nonsense",
       .requirement =
           "A blocking Connect must report EINPROGRESS, EALREADY and EISCONN "
           "from connect(2) as errors, and end the attempt.",
       .source = "contract: EINPROGRESS, EALREADY, EISCONN on a blocking "
                 "connect",
       .run = &NonsenseOfBlockingConnect},
      {.id = "faults.connect.works_afterwards",
       .requirement = "After a Connect that failed, whichever system call it "
                      "was, the same Connect must succeed.",
       .source = "contract: any failure",
       .run = &WorksAfterwards},
  };
}

std::vector<Case> Interruptions() {
  return {
      {.id = "faults.connect.interrupted",
       .requirement = "A blocking Connect must wait for the attempt and "
                      "succeed when connect(2) fails with EINTR.",
       .source = "contract: blocking Connect + EINTR; connect(2) EINTR",
       .run = &Interrupted},
      {.id = "faults.connect.interrupted.connects_once",
       .requirement = "An interrupted Connect must call neither connect(2) nor "
                      "socket(2) a second time.",
       .source = "contract: blocking Connect + EINTR; POSIX connect() EINTR",
       .run = &InterruptedConnectsOnce},
      {.id = "faults.connect.interrupted.in_poll",
       .requirement = "An interrupted Connect must continue to wait when "
                      "poll(2) fails with EINTR.",
       .source = "contract: blocking Connect + EINTR; poll(2) EINTR",
       .run = &InterruptedAgainInPoll},
      {.id = "faults.connect.interrupted.poll_fails",
       .requirement = "An interrupted Connect must report the errno of a "
                      "failing poll(2), and end the attempt.",
       .source = "contract: blocking Connect + EINTR; poll(2) ERRORS",
       .run = &PollFails},
      {.id = "faults.connect.interrupted.getsockopt_fails",
       .requirement = "An interrupted Connect must report the errno of a "
                      "failing getsockopt(2), and end the attempt.",
       .source = "contract: blocking Connect + EINTR; getsockopt(2) ERRORS",
       .run = &GetSockOptFails},
      {.id = "faults.connect.nonblocking_interrupted",
       .requirement = "A non-blocking Connect must succeed when connect(2) "
                      "fails with EINTR, because the attempt continues.",
       .source = "contract: NONBLOCK Connect; connect(2) EINTR",
       .run = &NonblockingInterrupted},
      {.id = "faults.connect.nonblocking_does_not_wait",
       .requirement =
           "A non-blocking Connect must neither wait for the outcome nor read "
           "the pending error, even if connect(2) fails with EINTR.",
       .source = "contract: NONBLOCK Connect; connect(2) EINPROGRESS",
       .run = &NonblockingDoesNotWait},
      {.id = "faults.connect.nonblocking_fails",
       .requirement = "A non-blocking Connect must report every errno of "
                      "connect(2) except EINPROGRESS and EINTR.",
       .source = "contract: NONBLOCK Connect; connect(2) ERRORS",
       .run = &NonblockingFails},
      {.id = "faults.connect.calls",
       .requirement =
           "Connect should call socket(2) and connect(2) once each, "
           "setsockopt(2) once if keep-alive is given, and nothing else.",
       .source = "contract: any success",
       .level = Level::kShould,
       .run = &CallsOfSuccess},
      {.id = "faults.connect.calls.none_for_nonsense",
       .requirement = "Connect with an unknown flag must fail with EINVAL "
                      "before it makes any system call.",
       .source = "contract: flags",
       .needs = Need::kOptionLists,
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
