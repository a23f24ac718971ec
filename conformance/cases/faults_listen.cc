// Listen when a system call fails. Calls that the real kernel does not let fail
// are made to fail by injection. The real kernel shows what Listen left behind.

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/option_lists.h"
#include "fakes/call.h"
#include "fakes/fault_injector.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using ::testing::IsEmpty;

// The value of a port variable before an assignment.
constexpr uint16_t kUntouched = 7;

// Returns all options, so that Listen makes every call that it can make.
ListenOptions EveryOption(uint16_t& port) {
  return {.keepalive = true,
          .reuseaddr = true,
          .reuseport = true,
          .backlog = 5,
          .port = &port};
}

// Expects that Listen fails on `fault`, reports `expected`, closes its
// descriptor and assigns no port.
void ExpectFailure(Context& c, FaultInjector& injector, const ip::Endpoint& at,
                   const Fault& fault, int expected) {
  injector.Fail(fault.call, injector.count(fault.call) + fault.nth, fault.error,
                fault.when);
  uint16_t port = kUntouched;
  EXPECT_THAT(c.Listen(at, EveryOption(port)), Fails(expected));
  EXPECT_THAT(injector.Unfired(), IsEmpty())
      << "Listen did not make the call of a planned fault";
  EXPECT_THAT(injector.OpenDescriptors(), IsEmpty())
      << "Listen left a descriptor open";
  EXPECT_EQ(injector.StrayCloses(), 0) << "Listen closed a descriptor twice";
  EXPECT_EQ(port, kUntouched);
}

// Expects that Listen reports each errno with which the `nth` call of `call`
// fails.
void ExpectReported(Context& c, Call call, int nth,
                    const std::vector<int>& errors) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  for (const int error : errors) {
    const Fault fault{.call = call, .nth = nth, .error = error};
    SCOPED_TRACE(fault);
    ExpectFailure(c, *injector, {c.Loopback(), 0}, fault, error);
  }
}

void SocketFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  for (const int error : {EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM,
                          EPERM, EPROTONOSUPPORT}) {
    const Fault fault{.call = Call::kSocket, .error = error};
    SCOPED_TRACE(fault);
    ExpectFailure(c, *injector, {c.Loopback(), 0}, fault, error);
  }
  for (const Call call :
       {Call::kSetSockOpt, Call::kBind, Call::kListen, Call::kClose}) {
    EXPECT_EQ(injector->count(call), 0)
        << call << " was called without a socket";
  }
}

// The options take three calls. Listen must check the result of each.
void SetSockOptFails(Context& c) {
  for (const int nth : {1, 2, 3}) {
    ExpectReported(c, Call::kSetSockOpt, nth,
                   {EACCES, EDOM, EINVAL, ENOBUFS, ENOMEM, ENOPROTOOPT, EPERM});
  }
}

void BindFails(Context& c) {
  ExpectReported(c, Call::kBind, 1,
                 {EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL,
                  ENOBUFS, ENOMEM, EPERM});
}

void ListenFails(Context& c) {
  ExpectReported(c, Call::kListen, 1,
                 {EACCES, EADDRINUSE, EINVAL, ENOBUFS, ENOMEM, EOPNOTSUPP});
}

void GetSockNameFails(Context& c) {
  ExpectReported(c, Call::kGetSockName, 1, {EINVAL, ENOBUFS, ENOMEM});
}

// Expects that nothing listens at `at`, and that a socket without SO_REUSEADDR
// and SO_REUSEPORT can bind the port.
void ExpectNothingLeft(Context& c, const ip::Endpoint& at) {
  ExpectRefused(c, at);
  EXPECT_THAT(loopback::ListenOn(c.sys(), at), IsOk())
      << "the port is still bound";
}

void NothingLeftOf(Context& c, const std::vector<Fault>& faults) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  const ip::Endpoint at{c.Loopback(), kPort};
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault);
    ExpectFailure(c, *injector, at, fault, fault.error);
    ExpectNothingLeft(c, at);
  }
}

// The call takes effect and then reports a failure, so Listen must undo its
// effect.
void NothingBound(Context& c) {
  NothingLeftOf(c, {{Call::kBind, 1, ENOMEM, When::kAfter},
                    {Call::kListen, 1, EADDRINUSE}});
}

void NothingListensAfterListen(Context& c) {
  NothingLeftOf(c, {{Call::kListen, 1, EADDRINUSE, When::kAfter}});
}

void NothingListensAfterGetSockName(Context& c) {
  NothingLeftOf(c, {{Call::kGetSockName, 1, ENOBUFS},
                    {Call::kGetSockName, 1, ENOBUFS, When::kAfter}});
}

// Checks all assignments, also if the caller gave the port.
void PortAssignmentsUntouched(Context& c) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  for (const Call call : {Call::kSocket, Call::kSetSockOpt, Call::kBind,
                          Call::kListen, Call::kGetSockName}) {
    for (const uint16_t asked : {uint16_t{0}, kPort}) {
      SCOPED_TRACE(testing::Message() << call << " fails, port " << asked);
      injector->Fail(call, injector->count(call) + 1, ENOMEM, When::kAfter);
      uint16_t first = kUntouched;
      uint16_t second = kUntouched;
      EXPECT_THAT(c.ListenWithList(ip::Endpoint{c.Loopback(), asked},
                                   {.options = {.keepalive = true},
                                    .ports = {&first, &second}}),
                  Fails(ENOMEM));
      EXPECT_EQ(first, kUntouched);
      EXPECT_EQ(second, kUntouched);
    }
  }
}

void ClosedOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  int closes = 0;
  for (const Call call :
       {Call::kSetSockOpt, Call::kBind, Call::kListen, Call::kGetSockName}) {
    SCOPED_TRACE(call);
    ExpectFailure(c, *injector, {c.Loopback(), 0}, {call, 1, ENOMEM}, ENOMEM);
    EXPECT_EQ(injector->count(Call::kClose), ++closes);
  }
}

void CloseFailsToo(Context& c) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  for (const Call call :
       {Call::kSetSockOpt, Call::kBind, Call::kListen, Call::kGetSockName}) {
    for (const int error : {EINTR, EIO}) {
      const Fault clean_up{Call::kClose, injector->count(Call::kClose) + 1,
                           error, When::kAfter};
      SCOPED_TRACE(testing::Message() << call << " fails, then " << clean_up);
      injector->Fail(clean_up.call, clean_up.nth, error, clean_up.when);
      ExpectFailure(c, *injector, {c.Loopback(), 0}, {call, 1, EADDRINUSE},
                    EADDRINUSE);
    }
  }
}

void WorksAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  const ip::Endpoint at{c.Loopback(), kPort};
  for (const Call call : {Call::kSocket, Call::kSetSockOpt, Call::kBind,
                          Call::kListen, Call::kGetSockName}) {
    SCOPED_TRACE(call);
    ExpectFailure(c, *injector, at, {call, 1, ENOMEM}, ENOMEM);
    uint16_t port = kUntouched;
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen(at, EveryOption(port)));
    EXPECT_EQ(port, kPort);
    ExpectTakes(c, listener, at);
  }
}

// Expects how often `listen` makes each call.
void ExpectCalls(Context& c, absl::FunctionRef<Result<Sock>()> listen,
                 int setsockopts, int getsocknames) {
  ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
  ASSERT_OK_AND_ASSIGN(Sock listener, listen());
  EXPECT_EQ(injector->count(Call::kSocket), 1);
  EXPECT_EQ(injector->count(Call::kSetSockOpt), setsockopts);
  EXPECT_EQ(injector->count(Call::kBind), 1);
  EXPECT_EQ(injector->count(Call::kListen), 1);
  EXPECT_EQ(injector->count(Call::kGetSockName), getsocknames);
  int all = 0;
  for (const Call call : AllCalls()) all += injector->count(call);
  EXPECT_EQ(all, 3 + setsockopts + getsocknames)
      << "the number of all system calls";
}

void CallsWithoutOptions(Context& c) {
  ExpectCalls(
      c, [&] { return c.Listen(); }, 0, 0);
}

void CallsOfEachOption(Context& c) {
  for (const ListenOptions& options :
       {ListenOptions{.keepalive = true}, ListenOptions{.reuseaddr = true},
        ListenOptions{.reuseport = true}}) {
    SCOPED_TRACE(testing::Message()
                 << "keepalive " << options.keepalive << ", reuseaddr "
                 << options.reuseaddr << ", reuseport " << options.reuseport);
    ExpectCalls(
        c, [&] { return c.Listen(options); }, 1, 0);
  }
  const ListenOptionList list{.options = {.nonblock = true, .no_cloexec = true},
                              .backlogs = {5, 7}};
  ExpectCalls(
      c, [&] { return c.ListenWithList(list); }, 0, 0);
}

void CallsOfPortAssignments(Context& c) {
  uint16_t ports[3] = {};
  const ListenOptionList list{.ports = {&ports[0], &ports[1], &ports[2]}};
  ExpectCalls(
      c, [&] { return c.ListenWithList(list); }, 0, 1);
}

// When one call fails, the calls that were made show their order.
void CallsInOrder(Context& c) {
  const std::vector<Call> order = {Call::kSocket, Call::kSetSockOpt,
                                   Call::kBind, Call::kListen,
                                   Call::kGetSockName};
  for (size_t failing = 0; failing < order.size(); ++failing) {
    SCOPED_TRACE(testing::Message() << order[failing] << " fails");
    ASSERT_OK_AND_ASSIGN(FaultInjector* const injector, c.InjectFaults());
    injector->Fail(order[failing], 1, ENOBUFS);
    uint16_t port = kUntouched;
    EXPECT_THAT(c.Listen(EveryOption(port)), Fails(ENOBUFS));
    for (size_t i = 0; i < order.size(); ++i) {
      EXPECT_EQ(injector->count(order[i]) > 0, i <= failing) << order[i];
    }
  }
}

std::vector<Case> Reported() {
  return {
      {.id = "faults.listen.socket",
       .requirement = "Listen must report the errno of a failing socket(2), "
                      "and make no further system call.",
       .source = "contract: any failure; socket(2) ERRORS",
       .run = &SocketFails},
      {.id = "faults.listen.setsockopt",
       .requirement = "Listen must report the errno of a failing "
                      "setsockopt(2), whichever option it sets.",
       .source = "contract: any failure; setsockopt(2) ERRORS",
       .run = &SetSockOptFails},
      {.id = "faults.listen.bind",
       .requirement = "Listen must report the errno of a failing bind(2), and "
                      "close the descriptor.",
       .source = "contract: any failure; bind(2) ERRORS",
       .run = &BindFails},
      {.id = "faults.listen.listen",
       .requirement = "Listen must report the errno of a failing listen(2), "
                      "and close the descriptor.",
       .source = "contract: any failure; listen(2) ERRORS",
       .run = &ListenFails},
      {.id = "faults.listen.getsockname",
       .requirement = "Listen must report the errno of a failing "
                      "getsockname(2), and close the descriptor.",
       .source = "contract: any failure; getsockname(2) ERRORS",
       .run = &GetSockNameFails},
      {.id = "faults.listen.first_errno_wins",
       .requirement = "Listen must report the errno of the system call that "
                      "failed, not that of the close(2) that cleans up.",
       .source = "contract: any failure",
       .run = &CloseFailsToo},
  };
}

std::vector<Case> Left() {
  return {
      {.id = "faults.listen.closed_once",
       .requirement =
           "A failing Listen must close its descriptor exactly once.",
       .source = "contract: any failure; close(2) NOTES",
       .run = &ClosedOnce},
      {.id = "faults.listen.nothing_bound",
       .requirement = "The port must be free after a Listen that bound it and "
                      "then failed.",
       .source = "contract: any failure",
       .needs = Need::kOwnNetwork,
       .run = &NothingBound},
      {.id = "faults.listen.nothing_listens",
       .requirement = "Nothing must listen after a Listen whose listen(2) took "
                      "effect but reported a failure.",
       .source = "contract: any failure",
       .needs = Need::kOwnNetwork,
       .run = &NothingListensAfterListen},
      {.id = "faults.listen.nothing_listens_without_port",
       .requirement = "Nothing must listen after a Listen whose listen(2) "
                      "succeeded and whose getsockname(2) failed.",
       .source = "contract: any failure; contract: PortAssignment",
       .needs = Need::kOwnNetwork,
       .run = &NothingListensAfterGetSockName},
      {.id = "faults.listen.ports_untouched",
       .requirement =
           "A failing Listen must assign no port, whichever system call fails.",
       .source = "contract: any failure; contract: PortAssignment",
       .needs = Need::kOwnNetwork | Need::kOptionLists,
       .run = &PortAssignmentsUntouched},
      {.id = "faults.listen.works_afterwards",
       .requirement = "After a Listen that failed, whichever system call it "
                      "was, the same Listen must succeed.",
       .source = "contract: any failure",
       .needs = Need::kOwnNetwork,
       .run = &WorksAfterwards},
  };
}

std::vector<Case> Calls() {
  return {
      {.id = "faults.listen.calls",
       .requirement = "Listen without options should call socket(2), bind(2) "
                      "and listen(2) once each, and nothing else.",
       .source = "contract: any success",
       .level = Level::kShould,
       .run = &CallsWithoutOptions},
      {.id = "faults.listen.calls.options",
       .requirement =
           "Listen should call setsockopt(2) once for each socket option, and "
           "make no additional system call for flags and backlogs.",
       .source = "contract: any success",
       .level = Level::kShould,
       .needs = Need::kOptionLists,
       .run = &CallsOfEachOption},
      {.id = "faults.listen.calls.port_assignments",
       .requirement = "Listen should call getsockname(2) once, however many "
                      "port assignments are given.",
       .source = "contract: PortAssignment",
       .level = Level::kShould,
       .needs = Need::kOptionLists,
       .run = &CallsOfPortAssignments},
      {.id = "faults.listen.calls.order",
       .requirement = "Listen should set options before bind(2), call bind(2) "
                      "before listen(2) and getsockname(2) last, and stop at "
                      "the first system call that fails.",
       .source = "contract: any success; contract: any failure",
       .level = Level::kShould,
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
