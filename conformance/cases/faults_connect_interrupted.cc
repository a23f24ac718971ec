// Connect that is interrupted, non-blocking or slow, and the number of its
// system calls. The faults are injected; a real peer shows the result of the
// attempt.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/connect_scene.h"
#include "conformance/cases/connected.h"
#include "conformance/cases/fault_helpers.h"
#include "conformance/cases/helpers.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

// The kernel continues an attempt whose connect(2) failed with EINTR.
void Interrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
  const Armed armed(*scene.faults, "connect#1=EINTR");
  const Result<Sock> client = c.Connect(scene.listener.endpoint());
  EXPECT_TRUE(armed.applied());
  EXPECT_EQ(scene.faults->Count("socket"), 1);
  if (scene.faults->Count("connect") > 1) c.Variation("connects_again");
}

// An event loop polls without having been interrupted.
void InterruptedAgainInPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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

void NonblockingInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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

// Slow calls change nothing.
void Delayed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
  const Armed armed(*scene.faults, "connect#1=delay(5ms)");
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(scene.listener.endpoint()));
  EXPECT_TRUE(armed.applied());
  scene.faults->Arm({});
  ExpectEcho(scene, client);
}

void CallsOfSuccess(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
  scene.faults->Arm({});
  EXPECT_THAT(c.ConnectWithList(scene.listener.endpoint(),
                                {.unknown_flag = kUnknownFlag}),
              Fails(EINVAL));
  const int calls = scene.faults->Count("*");
  if (calls != 0) c.Variation("leaves_the_check_to_linux");
}

}  // namespace

const std::vector<Case>& FaultsConnectInterruptedCases() {
  static const auto& cases = *new std::vector<Case>{
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
  return cases;
}

}  // namespace net::conformance
