#include "fakes/faults/fault_plan.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fakes/faults/applicable.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "syscalls/net/ip_addr.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kNoLimit = std::numeric_limits<int>::max();

FaultRule OnlyRule(const std::string& text) {
  const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
  EXPECT_TRUE(plan.ok()) << plan.status();
  if (!plan.ok() || plan->rules.size() != 1) return FaultRule();
  EXPECT_EQ(plan->ToString(), text);
  return plan->rules[0];
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
  if (plan.ok()) return "none: " + plan->ToString();
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(plan.status().message());
}

TEST(FaultPlan, OfTheIssueIsReadAndPrinted) {
  const std::string text =
      "accept4#2=EMFILE; send=short(1); connect(127.0.0.1:*)=EINTR*3; close=EIO"
      " after";
  const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->ToString(), text);
  ASSERT_EQ(plan->rules.size(), 4u);
  EXPECT_EQ(plan->rules[0],
            (FaultRule{.selector = {.calls = "accept4", .occurrence = {2, 2}},
                       .action = {.error = EMFILE}}));
  EXPECT_EQ(plan->rules[1],
            (FaultRule{.selector = {.calls = "send"},
                       .action = {.kind = ActionKind::kShort, .bytes = 1}}));
  EXPECT_EQ(plan->rules[2],
            (FaultRule{.selector = {.calls = "connect",
                                    .remote = EndpointPattern{ip::kLocalV4,
                                                              std::nullopt}},
                       .action = {.error = EINTR},
                       .times = 3}));
  EXPECT_EQ(plan->rules[3],
            (FaultRule{.selector = {.calls = "close"},
                       .action = {.error = EIO, .effect = Effect::kAfter}}));
}

TEST(FaultPlan, MayBeEmpty) {
  ASSERT_TRUE(ParseFaultPlan("").ok());
  EXPECT_THAT(ParseFaultPlan(" ")->rules, IsEmpty());
  EXPECT_EQ(FaultPlan().ToString(), "");
}

TEST(FaultPlan, IgnoresSpaceBetweenWords) {
  const auto spaced = ParseFaultPlan(
      "\n accept4 ( listener ,local = *:80 ) # 2 .. 4 every 2 @ 7 .. p = 0.5 "
      "seed = 3 = EMFILE * 2 before ;close=EIO ");
  ASSERT_TRUE(spaced.ok()) << spaced.status();
  EXPECT_EQ(spaced->ToString(),
            "accept4(local=*:80, listener)#2..4 every 2@7.. p=0.5 seed=3=EMFILE"
            "*2 before; close=EIO");
}

TEST(FaultPlan, HasFiltersByRoleSocketOptionAndCallSite) {
  EXPECT_EQ(OnlyRule("*(listener)=EIO").selector.role, SocketRole::kListener);
  EXPECT_EQ(OnlyRule("*(connection)=EIO").selector.role,
            SocketRole::kConnection);
  EXPECT_EQ(OnlyRule("listen(socket 2)=EIO").selector.nth_socket, 2);
  EXPECT_EQ(OnlyRule("setsockopt(SO_REUSEADDR)=EIO").selector.option,
            "SO_REUSEADDR");
  EXPECT_EQ(OnlyRule("fcntl(F_SETFL)=EIO").selector.option, "F_SETFL");
  EXPECT_EQ(OnlyRule("bind(from=net::tcp::Listen)=EIO").selector.call_site,
            "net::tcp::Listen");
  const std::string quoted = R"x(bind(from="f(int, \"x\\y\")")=EIO)x";
  EXPECT_EQ(OnlyRule(quoted).selector.call_site, R"x(f(int, "x\y"))x");
}

TEST(FaultPlan, AnEndpointIsTheRemoteOneAndForBindTheLocalOne) {
  const EndpointPattern any_port = {ip::kLocalV6, std::nullopt};
  const EndpointPattern any_address = {std::nullopt, uint16_t{80}};
  EXPECT_EQ(OnlyRule("connect([::1]:*)=EIO").selector.remote, any_port);
  EXPECT_EQ(OnlyRule("connect(local=*:80)=EIO").selector.local, any_address);
  EXPECT_EQ(OnlyRule("bind([::1]:*)=EIO").selector.local, any_port);
  EXPECT_EQ(OnlyRule("bind(remote=*:80)=EIO").selector.remote, any_address);
  EXPECT_EQ(OnlyRule("send(*:*)=EIO").selector.remote, EndpointPattern());
}

TEST(FaultPlan, HasCounts) {
  EXPECT_EQ(OnlyRule("send#3=EIO").selector.occurrence, (CountRange{3, 3}));
  EXPECT_EQ(OnlyRule("send#3..5=EIO").selector.occurrence, (CountRange{3, 5}));
  EXPECT_EQ(OnlyRule("send#3..=EIO").selector.occurrence,
            (CountRange{3, kNoLimit}));
  EXPECT_EQ(OnlyRule("send every 3=EIO").selector.every, 3);
  EXPECT_EQ(OnlyRule("send@7=EIO").selector.position, (CountRange{7, 7}));
  EXPECT_EQ(OnlyRule("send@7..9=EIO").selector.position, (CountRange{7, 9}));
  const FaultSelector random = OnlyRule("send p=0.1 seed=42=EIO").selector;
  EXPECT_EQ(random.probability, 0.1);
  EXPECT_EQ(random.seed, 42u);
}

TEST(FaultPlan, HasActions) {
  EXPECT_EQ(OnlyRule("recv=ECONNRESET before").action,
            (FaultAction{.error = ECONNRESET, .effect = Effect::kBefore}));
  EXPECT_EQ(OnlyRule("recv=E4000").action.error, 4000);
  EXPECT_EQ(
      OnlyRule("send=EIO partial(7)").action,
      (FaultAction{.error = EIO, .effect = Effect::kPartial, .bytes = 7}));
  EXPECT_EQ(OnlyRule("recv=delay(1.5ms)").action,
            (FaultAction{.kind = ActionKind::kDelay,
                         .delay = absl::Microseconds(1500)}));
  EXPECT_EQ(OnlyRule("accept=fd0").action.kind, ActionKind::kDescriptorZero);
  EXPECT_EQ(OnlyRule("socket=reuse").action.kind, ActionKind::kReuseNumber);
  EXPECT_EQ(OnlyRule("accept4=truncated(4)").action,
            (FaultAction{.kind = ActionKind::kTruncatedAddress, .bytes = 4}));
  EXPECT_EQ(OnlyRule("getsockopt(SO_ERROR)=consumed*1").times, 1);
  EXPECT_EQ(OnlyRule("accept4=reset").action.kind,
            ActionKind::kResetBeforeAccept);
}

struct Mistake {
  const char* text;
  const char* error;
};

void PrintTo(const Mistake& mistake, std::ostream* os) { *os << mistake.text; }

class FaultPlanMistake : public testing::TestWithParam<Mistake> {};

TEST_P(FaultPlanMistake, IsReportedByColumn) {
  EXPECT_EQ(ErrorOf(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    OfCalls, FaultPlanMistake,
    testing::Values(
        Mistake{"acept4=EIO",
                "column 1: expected the name of a system call, a family or "
                "'*', not 'acept4'; did you mean 'accept4' or 'accept' or "
                "'accept!'?"},
        Mistake{"close=EIO;",
                "column 11: expected the name of a system call, a family or "
                "'*', not the end"},
        Mistake{"close=EIO; =EIO",
                "column 12: expected the name of a system call, a family or "
                "'*', not '='"},
        Mistake{"listen!=EIO",
                "column 1: 'listen!': only names that are a call's and a "
                "family's have a '!'"},
        Mistake{"close",
                "column 6: expected '('; '#', 'every', '@' or 'p='; or '=' and "
                "an action, not the end"},
        Mistake{"close=EIO accept=EIO",
                "column 11: expected 'before', 'after', 'partial(N)', ';' or "
                "the end, not 'accept'"},
        Mistake{"send=short(1) after",
                "column 15: expected ';' or the end, not 'after'"}));

INSTANTIATE_TEST_SUITE_P(
    OfFilters, FaultPlanMistake,
    testing::Values(
        Mistake{"setsockopt(SO_REUSEADR)=EIO",
                "column 12: expected an endpoint, the name of an option or "
                "another filter, not 'SO_REUSEADR'; did you mean "
                "'SO_REUSEADDR'?"},
        Mistake{"listen(SO_REUSEADDR)=EIO",
                "column 8: SO_REUSEADDR is for setsockopt and getsockopt, not "
                "for listen"},
        Mistake{"setsockopt(F_SETFL)=EIO",
                "column 12: F_SETFL is for fcntl, not for setsockopt"},
        Mistake{"*(listener, connection)=EIO",
                "column 13: a rule has each kind of filter once"},
        Mistake{"connect(*:1, *:2)=EIO",
                "column 14: a rule has each kind of filter once"},
        Mistake{"connect(127.0.0:80)=EIO",
                "column 9: expected an IPv4 address, an IPv6 address in "
                "brackets or '*', not '127.0.0'"},
        Mistake{"connect([::1:80)=EIO", "column 16: expected ']', not ')'"},
        Mistake{"connect(127.0.0.1)=EIO",
                "column 18: expected ':' and a port, not ')'"},
        Mistake{"connect(*:65536)=EIO",
                "column 11: expected a port from 0 to 65535, not 65536"},
        Mistake{"connect(*:http)=EIO",
                "column 11: expected a port from 0 to 65535, or '*', not "
                "'http'"},
        Mistake{"send(socket 0)=EIO",
                "column 13: expected a number from 1 to 2147483647, not 0"},
        Mistake{"send(from=)=EIO",
                "column 11: expected a part of a call site's name"},
        Mistake{"send(from=\"x)=EIO",
                "column 18: expected the end of the text in quotes, not the "
                "end"},
        Mistake{"send(listener=EIO",
                "column 14: expected ',' or ')', not '='"}));

INSTANTIATE_TEST_SUITE_P(
    OfCounts, FaultPlanMistake,
    testing::Values(
        Mistake{"send#0=EIO",
                "column 6: expected a number from 1 to 2147483647, not 0"},
        Mistake{"send#=EIO",
                "column 6: expected a number from 1 to 2147483647, not '='"},
        Mistake{"send#99999999999=EIO",
                "column 6: expected a number from 1 to 2147483647, not "
                "99999999999"},
        Mistake{"send#4..2=EIO",
                "column 9: expected a number from 4, where the range begins, "
                "not 2"},
        Mistake{"send every x=EIO",
                "column 12: expected a number from 1 to 2147483647, not 'x'"},
        Mistake{"pipe2@3=EIO",
                "column 1: pipe2 uses no socket, so it has no position in the "
                "trace"},
        Mistake{"send p=2 seed=1=EIO",
                "column 8: expected a probability greater than 0 and at most "
                "1"},
        Mistake{"send p=0.5=EIO", "column 11: expected 'seed=', not '='"}));

INSTANTIATE_TEST_SUITE_P(
    OfActions, FaultPlanMistake,
    testing::Values(
        Mistake{"close=EI0",
                "column 7: expected an errno or another action, not 'EI0'; did "
                "you mean 'EIO'?"},
        Mistake{"send=sort(1)",
                "column 6: expected an errno or another action, not 'sort'; "
                "did you mean 'short'?"},
        Mistake{"close=",
                "column 7: expected an errno or another action, not the end"},
        Mistake{"send=short", "column 11: expected '(', not the end"},
        Mistake{"send=short(0)",
                "column 12: expected a number of bytes from 1, not 0"},
        Mistake{"send=short(1", "column 13: expected ')', not the end"},
        Mistake{"listen=short(1)",
                "column 8: this action is for splice and the families send and "
                "recv, not for listen"},
        Mistake{"connect=EIO partial(1)",
                "column 9: this action is for splice and the families send and "
                "recv, not for connect"},
        Mistake{"listen=fd0",
                "column 8: this action is for socket, accept, accept4, dup, "
                "epoll_create1, eventfd and timerfd_create, not for listen"},
        Mistake{"connect=reset",
                "column 9: this action is for accept and accept4, not for "
                "connect"},
        Mistake{"recv=delay(5)",
                "column 12: expected a duration of whole nanoseconds, such as "
                "5ms or 1.5s"},
        Mistake{"recv=delay(-1s)",
                "column 12: expected a duration of whole nanoseconds, such as "
                "5ms or 1.5s"},
        Mistake{"close=EIO*0",
                "column 11: expected a number from 1 to 2147483647, not 0"},
        Mistake{"close=EIO aftr",
                "column 11: expected 'before', 'after', 'partial(N)', ';' or "
                "the end, not 'aftr'; did you mean 'after'?"}));

// Random rules, such as the parser accepts.

rc::Gen<int> Counts() {
  return rc::gen::oneOf(rc::gen::inRange(1, 10), rc::gen::inRange(1, kNoLimit));
}

rc::Gen<CountRange> Ranges() {
  return rc::gen::map(
      rc::gen::tuple(Counts(), Counts(), rc::gen::arbitrary<bool>()),
      [](const std::tuple<int, int, bool>& parts) {
        const auto [one, other, open] = parts;
        return CountRange{std::min(one, other),
                          open ? kNoLimit : std::max(one, other)};
      });
}

EndpointPattern RandomPattern() {
  EndpointPattern pattern;
  switch (*rc::gen::inRange(0, 3)) {
    case 1:
      pattern.addr = ip::Addr::V4(*rc::gen::arbitrary<ip::Addr::V4Bytes>());
      break;
    case 2:
      pattern.addr = ip::Addr::V6(*rc::gen::arbitrary<ip::Addr::V6Bytes>(),
                                  *rc::gen::inRange(0u, 3u));
      break;
    default:
      break;
  }
  if (*rc::gen::arbitrary<bool>()) {
    pattern.port = *rc::gen::arbitrary<uint16_t>();
  }
  return pattern;
}

FaultSelector RandomSelector() {
  FaultSelector selector;
  selector.calls = *rc::gen::elementOf(SyscallSelections());
  if (*rc::gen::inRange(0, 8) == 0) selector.calls = "*";
  const SyscallSet selected = *SelectSyscalls(selector.calls);
  selector.role = *rc::gen::element(SocketRole::kAny, SocketRole::kListener,
                                    SocketRole::kConnection);
  if (*rc::gen::arbitrary<bool>()) selector.nth_socket = *Counts();
  if (*rc::gen::arbitrary<bool>()) selector.local = RandomPattern();
  if (*rc::gen::arbitrary<bool>()) selector.remote = RandomPattern();
  if (selected.contains(SyscallId::kSetSockOpt) ||
      selected.contains(SyscallId::kGetSockOpt)) {
    selector.option = *rc::gen::element("", "SO_ERROR", "TCP_NODELAY");
  } else if (selected.contains(SyscallId::kFcntl)) {
    selector.option = *rc::gen::element("", "F_SETFL");
  }
  selector.call_site = *rc::gen::oneOf(
      rc::gen::just(std::string()), rc::gen::just(std::string("net::Listen")),
      rc::gen::arbitrary<std::string>());
  if (*rc::gen::arbitrary<bool>()) selector.occurrence = *Ranges();
  if (*rc::gen::arbitrary<bool>()) selector.every = *Counts();
  if (SelectSyscalls("*")->contains([&] {
        for (const SyscallId call : kAllSyscallIds) {
          if (selected.contains(call)) return call;
        }
        return SyscallId::kSocket;
      }()) &&
      *rc::gen::arbitrary<bool>()) {
    selector.position = *Ranges();
  }
  if (*rc::gen::arbitrary<bool>()) {
    selector.probability = (1.0 + *rc::gen::inRange(0, 1 << 30)) /
                           (*rc::gen::element(1.0, 3.0) * (1 << 30));
    selector.seed = *rc::gen::arbitrary<uint64_t>();
  }
  return selector;
}

FaultAction RandomAction() {
  FaultAction action;
  action.kind = *rc::gen::element(
      ActionKind::kError, ActionKind::kError, ActionKind::kShort,
      ActionKind::kDelay, ActionKind::kDescriptorZero, ActionKind::kReuseNumber,
      ActionKind::kTruncatedAddress, ActionKind::kErrorConsumed,
      ActionKind::kResetBeforeAccept);
  switch (action.kind) {
    case ActionKind::kError:
      action.error = *rc::gen::inRange(1, 4096);
      action.effect = *rc::gen::element(Effect::kDefault, Effect::kBefore,
                                        Effect::kAfter, Effect::kPartial);
      if (action.effect == Effect::kPartial) {
        action.bytes = *rc::gen::inRange<size_t>(1, 1u << 20u);
      }
      break;
    case ActionKind::kShort:
    case ActionKind::kTruncatedAddress:
      action.bytes = *rc::gen::inRange<size_t>(1, 1u << 20u);
      break;
    case ActionKind::kDelay:
      action.delay =
          absl::Nanoseconds(*rc::gen::inRange<int64_t>(1, int64_t{1} << 60u));
      break;
    default:
      break;
  }
  return action;
}

// Returns a rule that can apply to a call, as the parser demands.
FaultRule RandomRule() {
  FaultRule rule;
  rule.action = RandomAction();
  do {
    rule.selector = RandomSelector();
  } while ([&] {
    const SyscallSet selected = *SelectSyscalls(rule.selector.calls);
    for (const SyscallId call : kAllSyscallIds) {
      if (selected.contains(call) && IsApplicable(rule.action, call)) {
        return false;
      }
    }
    return true;
  }());
  if (*rc::gen::arbitrary<bool>()) rule.times = *Counts();
  return rule;
}

RC_GTEST_PROP(FaultPlan, IsPrintedAndReadWithoutLoss, ()) {
  FaultPlan plan;
  const int rules = *rc::gen::inRange(0, 5);
  for (int i = 0; i < rules; ++i) plan.rules.push_back(RandomRule());
  const std::string text = plan.ToString();
  RC_LOG() << text << "\n";
  const absl::StatusOr<FaultPlan> read = ParseFaultPlan(text);
  if (!read.ok()) RC_FAIL(std::string(read.status().message()));
  RC_ASSERT(*read == plan);
  RC_ASSERT(read->ToString() == text);
}

// For any text, the parser ends, and its message names a column.
RC_GTEST_PROP(FaultPlan, AnyTextIsReadOrRefused, ()) {
  const std::string alphabet = "ac#=*@.;()[]:0129 \",!\\EIOp";
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(alphabet));
  const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
  if (plan.ok()) {
    RC_ASSERT(*ParseFaultPlan(plan->ToString()) == *plan);
  } else {
    RC_ASSERT(plan.status().message().substr(0, 7) == "column ");
  }
}

}  // namespace
}  // namespace net
