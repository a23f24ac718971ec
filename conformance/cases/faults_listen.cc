// Listen when a system call fails. Calls that the real kernel does not let fail
// are made to fail by injection. The real kernel shows what Listen left behind.

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/fault_helpers.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/option_lists.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

// The value of a port variable before an assignment.
constexpr uint16_t kUntouched = 7;

struct Scene {
  Faults* faults;
  ListenOptions options;  // Those that the implementation supports.
};

Result<Scene> MakeScene(Context& c) {
  const Result<Faults*> faults = TakeCharge(c);
  if (!faults.ok()) return faults.As<Scene>();
  return Scene{*faults, SupportedListenOptions(c)};
}

// The options, so that Listen makes every call that it can make.
ListenOptions EveryOption(const Scene& scene, uint16_t& port) {
  ListenOptions options = scene.options;
  options.port = &port;
  return options;
}

// Expects that Listen fails under `plan`, reports `error`, closes its
// descriptor and assigns no port; then calls `check` while the plan is armed.
// Returns whether the plan has applied.
bool ExpectReported(
    Context& c, const Scene& scene, absl::string_view plan, int error,
    absl::FunctionRef<void()> check = [] {}) {
  SCOPED_TRACE(plan);
  const Armed armed(*scene.faults, plan);
  uint16_t port = kUntouched;
  const Result<Sock> listener = c.Listen(EveryOption(scene, port));
  if (!armed.applied()) return false;
  EXPECT_THAT(listener, Fails(error));
  if (listener.ok()) return true;
  ExpectNothingLeft(*scene.faults);
  EXPECT_EQ(port, kUntouched);
  check();
  return true;
}

// Expects that Listen reports each errno that `id` can have. All calls fail
// that `call` selects, because a library may try again with other arguments.
void ExpectEachReported(Context& c, absl::string_view call, SyscallId id) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error : ErrnosBut(id, {})) {
    if (!ExpectReported(c, scene, Rule(call, error), error)) {
      return NoteNoSuchCall(c, absl::StrCat("Listen makes no ", call, "(2)"));
    }
  }
}

void SocketFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const int error : ErrnosBut(SyscallId::kSocket, {})) {
    EXPECT_TRUE(ExpectReported(c, scene, Rule("socket", error), error, [&] {
      for (const char* call : {"setsockopt", "bind", "listen"}) {
        EXPECT_EQ(scene.faults->Count(call), 0)
            << call << " was called without a socket";
      }
    }));
  }
}

// Listen must check the result of each option that it was given.
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
    NoteNoSuchCall(c, "Listen has no option that it sets by setsockopt(2)");
  }
}

void BindFails(Context& c) { ExpectEachReported(c, "bind", SyscallId::kBind); }

void ListenFails(Context& c) {
  ExpectEachReported(c, "listen", SyscallId::kListen);
}

void GetSockNameFails(Context& c) {
  ExpectEachReported(c, "getsockname", SyscallId::kGetSockName);
}

// Expects that nothing listens at `at`, and that a socket without SO_REUSEADDR
// and SO_REUSEPORT can bind the port.
void ExpectNothingBound(Context& c, const ip::Endpoint& at) {
  ExpectRefused(c, at);
  EXPECT_THAT(loopback::ListenOn(c.sys(), at), IsOk())
      << "the port is still bound";
}

// Each plan lets a call take effect and then fail, so Listen must undo its
// effect.
void NothingLeftOf(Context& c, std::initializer_list<const char*> plans) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, FreeEndpoint(c));
  for (const char* plan : plans) {
    SCOPED_TRACE(plan);
    {
      const Armed armed(*scene.faults, plan);
      uint16_t port = kUntouched;
      const Result<Sock> listener = c.Listen(at, EveryOption(scene, port));
      if (!armed.applied()) {
        return NoteNoSuchCall(
            c, absl::StrCat("Listen makes no such call: ", plan));
      }
      // Other cases judge which errno is reported.
      if (listener.ok()) continue;
      ExpectNothingLeft(*scene.faults);
    }
    ExpectNothingBound(c, at);
  }
}

void NothingBound(Context& c) {
  NothingLeftOf(c, {"bind=EADDRINUSE after", "listen=EADDRINUSE"});
}

void NothingListensAfterListen(Context& c) {
  NothingLeftOf(c, {"listen=EADDRINUSE after"});
}

void NothingListensAfterGetSockName(Context& c) {
  NothingLeftOf(c, {"getsockname=ENOBUFS", "getsockname=ENOBUFS after"});
}

// Checks all assignments, also if the caller gave the port.
void PortAssignmentsUntouched(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint given, FreeEndpoint(c));
  for (const char* call : {"socket", "bind", "listen", "getsockname"}) {
    for (const uint16_t asked : {uint16_t{0}, given.port}) {
      const std::string plan = Rule(call, ENOMEM, " after");
      SCOPED_TRACE(testing::Message() << plan << ", port " << asked);
      const Armed armed(*scene.faults, plan);
      uint16_t first = kUntouched;
      uint16_t second = kUntouched;
      const Result<Sock> listener = c.ListenWithList(
          ip::Endpoint{c.Loopback(), asked},
          {.options = scene.options, .ports = {&first, &second}});
      if (listener.unsupported() != nullptr) return;
      if (!armed.applied()) continue;
      EXPECT_THAT(listener, Fails(ENOMEM));
      EXPECT_EQ(first, kUntouched);
      EXPECT_EQ(second, kUntouched);
    }
  }
}

std::vector<std::string> CallsThatFail(const Scene& scene) {
  std::vector<std::string> calls = CallsOfOptions(scene.options);
  calls.insert(calls.end(), {"bind", "listen", "getsockname"});
  return calls;
}

// Other cases check the errno: a library may ignore a failure, or translate an
// errno.
void ClosedOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const std::string& call : CallsThatFail(scene)) {
    SCOPED_TRACE(call);
    const Armed armed(*scene.faults, Rule(call, ENOMEM));
    uint16_t port = kUntouched;
    const Result<Sock> listener = c.Listen(EveryOption(scene, port));
    if (!listener.ok()) ExpectClosedOnce(*scene.faults);
  }
}

// Returns the error of Listen under `plan`; "" if it succeeds.
std::string ErrorUnder(Context& c, const Scene& scene, absl::string_view plan) {
  SCOPED_TRACE(plan);
  const Armed armed(*scene.faults, plan);
  uint16_t port = kUntouched;
  const Result<Sock> listener = c.Listen(EveryOption(scene, port));
  if (listener.ok()) return "";
  ExpectClosedOnce(*scene.faults);
  return listener.error() == nullptr ? "" : ErrorName(*listener.error());
}

// Expects the same error with and without a failure of close(2).
void CloseFailsToo(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const std::string& call : CallsThatFail(scene)) {
    const std::string plan = Rule(call, EADDRINUSE);
    const std::string first = ErrorUnder(c, scene, plan);
    for (const char* close : {"; close=EINTR", "; close=EIO"}) {
      EXPECT_EQ(ErrorUnder(c, scene, absl::StrCat(plan, close)), first)
          << plan << close;
    }
  }
}

void WorksAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, FreeEndpoint(c));
  std::vector<std::string> calls = CallsThatFail(scene);
  calls.insert(calls.begin(), "socket");
  for (const std::string& call : calls) {
    SCOPED_TRACE(call);
    uint16_t port = kUntouched;
    {
      const Armed armed(*scene.faults, Rule(call, ENOMEM));
      static_cast<void>(c.Listen(at, EveryOption(scene, port)));
    }
    ASSERT_OK_AND_ASSIGN(const Sock listener,
                         c.Listen(at, EveryOption(scene, port)));
    EXPECT_EQ(port, at.port);
    ExpectTakes(c, listener, at);
  }
}

// Each call that Listen makes, its own options among them. Listen may ignore
// the failure of an option that nobody asked for.
void EachCall(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  uint16_t port = 0;
  std::vector<Sock> listeners;
  FailEachCall(
      *scene.faults,
      [&] {
        Result<Sock> listener = c.Listen(EveryOption(scene, port));
        const bool succeeded = listener.ok();
        if (succeeded) listeners.push_back(*std::move(listener));
        return succeeded;
      },
      [&](bool succeeded) {
        if (!succeeded) return ExpectNothingLeft(*scene.faults);
        scene.faults->Arm({});
        ExpectTakes(c, listeners.back(), {c.Loopback(), port});
        listeners.clear();
      });
}

// Expects how many calls Listen makes. A library may make more.
void ExpectCalls(Context& c, const Scene& scene, const ListenOptionList& list,
                 bool has_list, int expected) {
  scene.faults->Arm({});
  ASSERT_OK_AND_ASSIGN(const Sock listener, has_list ? c.ListenWithList(list)
                                                     : c.Listen(list.options));
  EXPECT_EQ(scene.faults->Count("socket"), 1);
  EXPECT_EQ(scene.faults->Count("bind"), 1);
  EXPECT_EQ(scene.faults->Count("listen"), 1);
  int calls = scene.faults->Count("*");
  // The protocol's `listen` always asks for the port.
  const bool asks_for_port = list.options.port == nullptr && list.ports.empty();
  if (c.env().faults() != nullptr && asks_for_port) --calls;
  if (calls != expected) c.Variation("makes_other_calls");
}

void CallsWithoutOptions(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  ExpectCalls(c, scene, {}, /*has_list=*/false, 3);
}

void CallsOfEachOption(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  for (const bool keepalive : {false, true}) {
    for (const bool reuseaddr : {false, true}) {
      const ListenOptions options = {
          .keepalive = keepalive && scene.options.keepalive,
          .reuseaddr = reuseaddr && scene.options.reuseaddr,
          .backlog = scene.options.backlog};
      ExpectCalls(
          c, scene, {.options = options}, /*has_list=*/false,
          3 + (options.keepalive ? 1 : 0) + (options.reuseaddr ? 1 : 0));
    }
  }
}

void CallsOfPortAssignments(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  uint16_t ports[3] = {};
  ExpectCalls(c, scene, {.ports = {&ports[0], &ports[1], &ports[2]}},
              /*has_list=*/true, 4);
}

// When one call fails, the calls that were made show their order.
void CallsInOrder(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Scene scene, MakeScene(c));
  const std::vector<std::string> order = {"socket", "setsockopt", "bind",
                                          "listen", "getsockname"};
  for (size_t failing = 0; failing < order.size(); ++failing) {
    const std::string plan = Rule(order[failing], ENOBUFS);
    SCOPED_TRACE(plan);
    const Armed armed(*scene.faults, plan);
    uint16_t port = kUntouched;
    const Result<Sock> listener = c.Listen(EveryOption(scene, port));
    if (!armed.applied() || listener.ok()) continue;
    for (size_t i = failing + 1; i < order.size(); ++i) {
      if (scene.faults->Count(order[i]) > 0) c.Variation("another_order");
    }
  }
}

constexpr Need kClosing = Need::kFaults | Need::kFaultsOfClose;

std::vector<Case> Reported() {
  return {
      {.id = "faults.listen.socket",
       .requirement = "Listen must report the errno of a failing socket(2), "
                      "and make no further system call.",
       .source = "contract: any failure; socket(2) ERRORS",
       .needs = Need::kFaults,
       .run = &SocketFails},
      {.id = "faults.listen.setsockopt",
       .requirement = "Listen must report the errno of a failing "
                      "setsockopt(2), whichever requested option it sets.",
       .source = "contract: any failure; setsockopt(2) ERRORS",
       .needs = Need::kFaults,
       .run = &SetSockOptFails},
      {.id = "faults.listen.bind",
       .requirement = "Listen must report the errno of a failing bind(2), and "
                      "close the descriptor.",
       .source = "contract: any failure; bind(2) ERRORS",
       .needs = Need::kFaults,
       .run = &BindFails},
      {.id = "faults.listen.listen",
       .requirement = "Listen must report the errno of a failing listen(2), "
                      "and close the descriptor.",
       .source = "contract: any failure; listen(2) ERRORS",
       .needs = Need::kFaults,
       .run = &ListenFails},
      {.id = "faults.listen.getsockname",
       .requirement = "Listen must report the errno of a failing "
                      "getsockname(2), and close the descriptor.",
       .source = "contract: any failure; getsockname(2) ERRORS",
       .needs = Need::kFaults,
       .run = &GetSockNameFails},
      {.id = "faults.listen.first_errno_wins",
       .requirement = "Listen must report the errno of the system call that "
                      "failed, not that of the close(2) that cleans up.",
       .source = "contract: any failure",
       .needs = kClosing,
       .run = &CloseFailsToo},
  };
}

std::vector<Case> Left() {
  return {
      {.id = "faults.listen.closed_once",
       .requirement =
           "A failing Listen must close its descriptor exactly once.",
       .source = "contract: any failure; close(2) NOTES",
       .needs = kClosing,
       .run = &ClosedOnce},
      {.id = "faults.listen.nothing_bound",
       .requirement = "The port must be free after a Listen that bound it and "
                      "then failed.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &NothingBound},
      {.id = "faults.listen.nothing_listens",
       .requirement = "Nothing must listen after a Listen whose listen(2) took "
                      "effect but reported a failure.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &NothingListensAfterListen},
      {.id = "faults.listen.nothing_listens_without_port",
       .requirement = "Nothing must listen after a Listen whose listen(2) "
                      "succeeded and whose getsockname(2) failed.",
       .source = "contract: any failure; contract: PortAssignment",
       .needs = Need::kFaults,
       .run = &NothingListensAfterGetSockName},
      {.id = "faults.listen.ports_untouched",
       .requirement =
           "A failing Listen must assign no port, whichever system call fails.",
       .source = "contract: any failure; contract: PortAssignment",
       .needs = Need::kFaults | Need::kOptionLists,
       .run = &PortAssignmentsUntouched},
      {.id = "faults.listen.works_afterwards",
       .requirement = "After a Listen that failed, whichever system call it "
                      "was, the same Listen must succeed.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &WorksAfterwards},
      {.id = "faults.listen.each_call",
       .requirement =
           "Listen must leave no descriptor open when it fails, whichever of "
           "its system calls failed, and return a listener that works when it "
           "succeeds.",
       .source = "contract: any failure",
       .needs = Need::kFaults,
       .run = &EachCall},
  };
}

std::vector<Case> Calls() {
  return {
      {.id = "faults.listen.calls",
       .requirement = "Listen without options should call socket(2), bind(2) "
                      "and listen(2) once each, and nothing else.",
       .source = "contract: any success",
       .level = Level::kShould,
       .needs = Need::kFaults,
       .run = &CallsWithoutOptions},
      {.id = "faults.listen.calls.options",
       .requirement =
           "Listen should call setsockopt(2) once for each socket option, and "
           "make no additional system call for a backlog.",
       .source = "contract: any success",
       .level = Level::kShould,
       .needs = Need::kFaults,
       .run = &CallsOfEachOption},
      {.id = "faults.listen.calls.port_assignments",
       .requirement = "Listen should call getsockname(2) once, however many "
                      "port assignments are given.",
       .source = "contract: PortAssignment",
       .level = Level::kShould,
       .needs = Need::kFaults | Need::kOptionLists,
       .run = &CallsOfPortAssignments},
      {.id = "faults.listen.calls.order",
       .requirement = "Listen should set options before bind(2), call bind(2) "
                      "before listen(2) and getsockname(2) last, and stop at "
                      "the first system call that fails.",
       .source = "contract: any success; contract: any failure",
       .level = Level::kShould,
       .needs = Need::kFaults,
       .run = &CallsInOrder},
  };
}

}  // namespace

const std::vector<Case>& FaultsListenCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>;
    for (const std::vector<Case>& part : {Reported(), Left(), Calls()}) {
      all->insert(all->end(), part.begin(), part.end());
    }
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
