// Connect when a system call fails. The faults are injected; a real peer shows
// the result of the attempt.

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
#include "conformance/cases/connect_scene.h"
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

namespace net::conformance {
namespace {

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
    Context& c, const ConnectScene& scene, absl::string_view plan, int error,
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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

// EINTR, EINPROGRESS, EALREADY and EISCONN may mean that the attempt continues.
// Other cases are about them.
void ConnectFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
  for (const int error :
       ErrnosBut(SyscallId::kConnect,
                 {EINTR, EINPROGRESS, EALREADY, EISCONN, EAGAIN})) {
    EXPECT_TRUE(ExpectReported(c, scene, Rule("connect", error), error));
  }
}

// On Linux a connect(2) of TCP does not fail with EAGAIN.
void ConnectIsNotRetried(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
  EXPECT_TRUE(
      ExpectReported(c, scene, "connect#1=ENETUNREACH", ENETUNREACH,
                     [&] { EXPECT_EQ(scene.faults->Count("connect"), 1); }));
}

// Other cases check the errno: a library may ignore an option's failure, or
// translate an errno.
void ClosedOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
  for (const char* close : {"", "; close=EINTR", "; close=EIO"}) {
    const std::string plan = absl::StrCat("connect=ECONNREFUSED", close);
    EXPECT_TRUE(ExpectReported(c, scene, plan, ECONNREFUSED,
                               [&] { ExpectClosedOnce(*scene.faults); }));
  }
}

void FailedConnectLeavesNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
  EXPECT_TRUE(ExpectReported(c, scene, "connect=ENOBUFS after", ENOBUFS));
  ExpectPeerSeesTheEnd(scene);
}

// A new blocking socket has neither an attempt in progress nor a connection. A
// library whose own descriptor is non-blocking rightly waits.
void NonsenseOfBlockingConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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

void WorksAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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
  ASSERT_OK_AND_ASSIGN(const ConnectScene scene, MakeConnectScene(c));
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

constexpr Need kClosing = Need::kFaults | Need::kFaultsOfClose;

}  // namespace

const std::vector<Case>& FaultsConnectCases() {
  static const auto& cases = *new std::vector<Case>{
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
  return cases;
}

}  // namespace net::conformance
