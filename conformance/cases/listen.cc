// The options and defaults of Listen, as the witness reads them.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::RawSocket;
using testing::AnyOf;

// The settings of a listener, as the witness reads them.
struct Settings {
  bool nonblock = false;
  bool close_on_exec = false;
  bool keepalive = false;
  bool reuseaddr = false;
  bool reuseport = false;
  uint32_t backlog = 0;

  friend bool operator==(const Settings&, const Settings&) = default;
};

std::ostream& operator<<(std::ostream& os, const Settings& settings) {
  return os << "nonblock " << settings.nonblock << ", close-on-exec "
            << settings.close_on_exec << ", keepalive " << settings.keepalive
            << ", reuseaddr " << settings.reuseaddr << ", reuseport "
            << settings.reuseport << ", backlog " << settings.backlog;
}

template <typename T>
T Seen(const absl::StatusOr<T>& result) {
  EXPECT_THAT(result, IsOk());
  return result.value_or(T());
}

Settings SettingsSeenBy(const Witness& witness) {
  const auto is_on = [&](int name) {
    return Seen(witness.Option(SOL_SOCKET, name)) != 0;
  };
  return {.nonblock = Seen(witness.Nonblocking()),
          .close_on_exec = Seen(witness.CloseOnExec()),
          .keepalive = is_on(SO_KEEPALIVE),
          .reuseaddr = is_on(SO_REUSEADDR),
          .reuseport = is_on(SO_REUSEPORT),
          .backlog = Seen(witness.Info()).backlog};
}

Result<Settings> SettingsOf(const Sock& listener) {
  const Result<Witness> witness = listener.Inspect();
  if (!witness.ok()) return witness.As<Settings>();
  return SettingsSeenBy(*witness);
}

// Returns the longest backlog that the system allows, or 0 after a failed
// assertion.
uint32_t MostBacklog(Context& c) {
  const auto reference =
      ListenAnywhere(c.sys(), c.family(), {.backlog = INT_MAX});
  EXPECT_THAT(reference, IsOk());
  if (!reference.ok()) return 0;
  return Seen(Witness(c.sys(), reference->socket().fd()).Info()).backlog;
}

// ---- Without options --------------------------------------------------------

void IsListening(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  EXPECT_EQ(Seen(witness.Info()).state, TCP_LISTEN);
}

void DefaultBacklog(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Settings settings, SettingsOf(listener));
  if (settings.backlog == 10) return;
  // At most the system's limit, net.core.somaxconn.
  EXPECT_GE(settings.backlog, 1U);
  EXPECT_LE(settings.backlog, MostBacklog(c));
  c.Variation("another_default");
}

void DefaultCloseOnExec(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Settings settings, SettingsOf(listener));
  EXPECT_TRUE(settings.close_on_exec);
}

void DefaultBlocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Settings settings, SettingsOf(listener));
  if (settings.nonblock) c.Variation("nonblocking_descriptor");
}

void DefaultKeepalive(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Settings settings, SettingsOf(listener));
  EXPECT_FALSE(settings.keepalive);
}

void DefaultReuse(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Settings settings, SettingsOf(listener));
  EXPECT_FALSE(settings.reuseport);
  if (settings.reuseaddr) c.Variation("reuseaddr_by_default");
}

struct IntOption {
  absl::string_view symbol;
  int level;
  int name;
};

// Listens on `local`, and expects that each option has the value of a socket on
// which no option was set.
void ExpectAsTheSystemHasThem(Context& c, const ip::Endpoint& local,
                              absl::Span<const IntOption> options) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen(local));
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  ASSERT_OK_AND_ASSIGN(const Listener reference,
                       loopback::ListenOn(c.sys(), local));
  for (const IntOption& option : options) {
    SCOPED_TRACE(option.symbol);
    EXPECT_EQ(Seen(witness.Option(option.level, option.name)),
              Seen(reference.socket().Option(option.level, option.name)));
  }
}

void DefaultV6Only(Context& c) {
  constexpr IntOption kV6Only = {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY};
  ExpectAsTheSystemHasThem(c, {ip::kAnyV6, 0}, {kV6Only});
}

void DefaultOfTheRest(Context& c) {
  constexpr IntOption kTheRest[] = {
      {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY},
      {"TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT},
      {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE},
      {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL},
      {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT},
      {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF},
      {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF},
      {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE},
  };
  ExpectAsTheSystemHasThem(c, {c.Loopback(), 0}, kTheRest);
}

// ---- Options ----------------------------------------------------------------

// An option, and the setting that it changes.
struct Option {
  absl::string_view name;
  void (*give)(ListenOptions& options);
  void (*change)(Settings& settings);
};

constexpr Option kNonblock = {"nonblock",
                              [](ListenOptions& o) { o.nonblock = true; },
                              [](Settings& s) { s.nonblock = true; }};
constexpr Option kNoCloexec = {"no_cloexec",
                               [](ListenOptions& o) { o.no_cloexec = true; },
                               [](Settings& s) { s.close_on_exec = false; }};
constexpr Option kKeepalive = {"keepalive",
                               [](ListenOptions& o) { o.keepalive = true; },
                               [](Settings& s) { s.keepalive = true; }};
constexpr Option kReuseaddr = {"reuseaddr",
                               [](ListenOptions& o) { o.reuseaddr = true; },
                               [](Settings& s) { s.reuseaddr = true; }};
constexpr Option kReuseport = {"reuseport",
                               [](ListenOptions& o) { o.reuseport = true; },
                               [](Settings& s) { s.reuseport = true; }};
constexpr Option kBacklog = {"backlog", [](ListenOptions& o) { o.backlog = 7; },
                             [](Settings& s) { s.backlog = 7; }};
constexpr Option kAllOptions[] = {kNonblock,  kNoCloexec, kKeepalive,
                                  kReuseaddr, kReuseport, kBacklog};

// Listens with the options by `listen`. Expects that these are set and that all
// other settings are as without options.
void ExpectJustTheseAreSet(
    Context& c, absl::Span<const Option> options,
    absl::FunctionRef<Result<Sock>(const ListenOptions& given)> listen) {
  ASSERT_OK_AND_ASSIGN(const Sock plain, c.Listen());
  ASSERT_OK_AND_ASSIGN(Settings expected, SettingsOf(plain));
  ListenOptions given;
  for (const Option& option : options) {
    option.give(given);
    option.change(expected);
  }
  ASSERT_OK_AND_ASSIGN(const Sock listener, listen(given));
  ASSERT_OK_AND_ASSIGN(const Settings settings, SettingsOf(listener));
  EXPECT_EQ(settings, expected);
}

void ExpectJustTheseAreSet(Context& c, absl::Span<const Option> options) {
  ExpectJustTheseAreSet(
      c, options, [&](const ListenOptions& given) { return c.Listen(given); });
}

// The same with each of the options given twice.
void ExpectJustTheseAreSetTwice(Context& c, absl::Span<const Option> options) {
  ExpectJustTheseAreSet(c, options, [&](const ListenOptions& given) {
    return c.ListenWithList({.options = given, .times = 2});
  });
}

void Nonblock(Context& c) { ExpectJustTheseAreSet(c, {kNonblock}); }
void NoCloexec(Context& c) { ExpectJustTheseAreSet(c, {kNoCloexec}); }
void Keepalive(Context& c) { ExpectJustTheseAreSet(c, {kKeepalive}); }
void Reuseaddr(Context& c) { ExpectJustTheseAreSet(c, {kReuseaddr}); }
void Reuseport(Context& c) { ExpectJustTheseAreSet(c, {kReuseport}); }

void FlagsTogether(Context& c) {
  ExpectJustTheseAreSet(c, {kNonblock, kNoCloexec});
}

void Pairs(Context& c) {
  for (const Option& one : kAllOptions) {
    for (const Option& other : kAllOptions) {
      if (one.name >= other.name) continue;
      SCOPED_TRACE(absl::StrCat(one.name, " and ", other.name));
      ExpectJustTheseAreSet(c, {one, other});
    }
  }
}

void AllTogether(Context& c) { ExpectJustTheseAreSet(c, kAllOptions); }

void Twice(Context& c) {
  for (const Option& option : kAllOptions) {
    SCOPED_TRACE(option.name);
    ExpectJustTheseAreSetTwice(c, {option});
  }
  ExpectJustTheseAreSetTwice(c, kAllOptions);
}

// ---- Backlog ----------------------------------------------------------------

Result<uint32_t> EffectiveBacklog(const Result<Sock>& listener) {
  if (!listener.ok()) return listener.As<uint32_t>();
  const Result<Settings> settings = SettingsOf(*listener);
  if (!settings.ok()) return settings.As<uint32_t>();
  return settings->backlog;
}

Result<uint32_t> EffectiveBacklog(Context& c, int backlog) {
  return EffectiveBacklog(c.Listen({.backlog = backlog}));
}

Result<uint32_t> EffectiveBacklogOfList(Context& c,
                                        const std::vector<uint32_t>& backlogs) {
  return EffectiveBacklog(c.ListenWithList({.backlogs = backlogs}));
}

void BacklogGiven(Context& c) {
  EXPECT_THAT(EffectiveBacklog(c, 1), IsOkAndHolds(1U));
  EXPECT_THAT(EffectiveBacklog(c, 2), IsOkAndHolds(2U));
  EXPECT_THAT(EffectiveBacklog(c, 128), IsOkAndHolds(128U));
}

void BacklogZero(Context& c) {
  EXPECT_THAT(EffectiveBacklog(c, 0), IsOkAndHolds(0U));
}

void BacklogLastWins(Context& c) {
  EXPECT_THAT(EffectiveBacklogOfList(c, {3, 100, 5}), IsOkAndHolds(5U));
  EXPECT_THAT(EffectiveBacklogOfList(c, {5, 3, 100}), IsOkAndHolds(100U));
}

// Of these, 16 bits hold 0 and 1.
void BacklogBeyond16Bits(Context& c) {
  const Result<uint32_t> most = EffectiveBacklog(c, 65535);
  ASSERT_THAT(most, IsOk());
  EXPECT_THAT(EffectiveBacklog(c, 65536), IsOkAndHolds(*most));
  EXPECT_THAT(EffectiveBacklog(c, 65537), IsOkAndHolds(*most));
}

// 0 is a backlog, not the absence of one.
void BacklogLastIsZero(Context& c) {
  EXPECT_THAT(EffectiveBacklogOfList(c, {5, 0}), IsOkAndHolds(0U));
}

void BacklogSomaxconn(Context& c) {
  c.env().SetSysctl("net.core.somaxconn", "20");
  EXPECT_THAT(EffectiveBacklog(c, 20), IsOkAndHolds(20U));
  EXPECT_THAT(EffectiveBacklog(c, 21), IsOkAndHolds(20U));
  EXPECT_THAT(EffectiveBacklog(c, 100'000), IsOkAndHolds(20U));
}

void BacklogAboveIntMax(Context& c) {
  const uint32_t most = MostBacklog(c);
  for (const uint32_t backlog :
       {uint32_t{INT_MAX}, uint32_t{INT_MAX} + 1, UINT32_MAX}) {
    EXPECT_THAT(EffectiveBacklogOfList(c, {backlog}), IsOkAndHolds(most));
  }
}

// Returns how many connections to `at` are established while no connection is
// accepted, but at most `limit`. Over the loopback interface, a connection that
// is not established when connect(2) returns was dropped.
size_t EstablishedBeforeAccept(Context& c, const ip::Endpoint& at,
                               size_t limit) {
  std::vector<RawSocket> clients;
  while (clients.size() < limit) {
    auto client = loopback::ConnectTo(c.sys(), at, {.nonblocking = true});
    EXPECT_THAT(client, IsOk());
    if (!client.ok() || Seen(client->TcpState()) != TCP_ESTABLISHED) break;
    clients.push_back(*std::move(client));
  }
  return clients.size();
}

void BacklogIsQueueLength(Context& c) {
  constexpr uint32_t kBacklogGiven = 6;
  ASSERT_OK_AND_ASSIGN(const Sock listener,
                       c.Listen({.backlog = kBacklogGiven}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  const size_t queued = EstablishedBeforeAccept(c, at, 64);
  EXPECT_THAT(queued, AnyOf(kBacklogGiven, kBacklogGiven + 1,
                            kBacklogGiven * 3 / 2 + 1));
  if (queued == kBacklogGiven) c.Variation("queues_backlog");
  if (queued == kBacklogGiven * 3 / 2 + 1) {
    c.Variation("queues_one_and_a_half_times_backlog");
  }
}

void BacklogZeroQueue(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.backlog = 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  constexpr size_t kLimit = 64;
  const size_t queued = EstablishedBeforeAccept(c, at, kLimit);
  EXPECT_LT(queued, kLimit);
  if (queued == 0) c.Variation("queues_none");
  if (queued > 1) c.Variation("queues_several");
}

}  // namespace

const std::vector<Case>& ListenCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "listen.state",
       .requirement = "A listener must be in the TCP state LISTEN.",
       .source = "listen(2)",
       .run = &IsListening},
      {.id = "listen.defaults.blocking",
       .requirement =
           "The listener should be blocking, unless NONBLOCK is given.",
       .source = "contract: flags",
       .level = Level::kShould,
       .run = &DefaultBlocking},
      {.id = "listen.defaults.cloexec",
       .requirement = "The listener's descriptor should be close-on-exec, "
                      "unless NO_CLOEXEC is given.",
       .source = "contract: flags",
       .level = Level::kShould,
       .run = &DefaultCloseOnExec},
      {.id = "listen.defaults.keepalive",
       .requirement = "SO_KEEPALIVE should be off, unless its option is given.",
       .source = "socket(7); contract: any success",
       .level = Level::kShould,
       .run = &DefaultKeepalive},
      {.id = "listen.defaults.reuse",
       .requirement = "SO_REUSEADDR and SO_REUSEPORT should be off, unless "
                      "their options are given.",
       .source = "socket(7); contract: any success",
       .level = Level::kShould,
       .run = &DefaultReuse},
      {.id = "listen.defaults.v6only",
       .requirement = "IPV6_V6ONLY should keep the system's default.",
       .source = "ipv6(7), IPV6_V6ONLY; contract: any success",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .run = &DefaultV6Only},
      {.id = "listen.defaults.other_options",
       .requirement = "Socket options that Listen has no option for should "
                      "keep the system's default.",
       .source = "tcp(7); socket(7); contract: any success",
       .level = Level::kShould,
       .run = &DefaultOfTheRest},
      {.id = "listen.option.nonblock",
       .requirement = "NONBLOCK must set O_NONBLOCK on the listener, and "
                      "change nothing else.",
       .source = "socket(2), SOCK_NONBLOCK; contract: flags",
       .run = &Nonblock},
      {.id = "listen.option.no_cloexec",
       .requirement =
           "NO_CLOEXEC must leave FD_CLOEXEC off, and change nothing else.",
       .source = "socket(2), SOCK_CLOEXEC; contract: flags",
       .run = &NoCloexec},
      {.id = "listen.option.keepalive",
       .requirement = "The keep-alive option must set SO_KEEPALIVE on the "
                      "listener, and change nothing else.",
       .source = "socket(7), SO_KEEPALIVE; contract: keepalive on a listener",
       .run = &Keepalive},
      {.id = "listen.option.reuseaddr",
       .requirement = "The reuseaddr option must set SO_REUSEADDR, and change "
                      "nothing else.",
       .source = "socket(7), SO_REUSEADDR",
       .run = &Reuseaddr},
      {.id = "listen.option.reuseport",
       .requirement = "The reuseport option must set SO_REUSEPORT, and change "
                      "nothing else.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &Reuseport},
      {.id = "listen.options.flags_are_ored",
       .requirement = "NONBLOCK and NO_CLOEXEC must both take effect if both "
                      "are given: flags are or-ed.",
       .source = "contract: flags",
       .run = &FlagsTogether},
      {.id = "listen.options.pairs",
       .requirement = "Each pair of options must set both of its options, and "
                      "nothing else.",
       .source = "socket(7); contract: any success",
       .run = &Pairs},
      {.id = "listen.options.all_together",
       .requirement =
           "All options must take effect if all are given in one call.",
       .source = "socket(7); contract: any success",
       .run = &AllTogether},
      {.id = "listen.options.twice",
       .requirement = "A Listen option that is given twice must have the same "
                      "effect as one that is given once.",
       .source = "contract: any success",
       .needs = Need::kOptionLists,
       .run = &Twice},
      {.id = "listen.backlog.default",
       .requirement = "The backlog should be 10, unless one is given.",
       .source = "contract: backlog",
       .level = Level::kShould,
       .run = &DefaultBacklog},
      {.id = "listen.backlog.given",
       .requirement = "Listen must pass the given backlog to listen(2).",
       .source = "listen(2)",
       .run = &BacklogGiven},
      {.id = "listen.backlog.zero",
       .requirement = "A backlog of 0 must be accepted, and passed on as 0.",
       .source = "contract: backlog",
       .run = &BacklogZero},
      {.id = "listen.backlog.last_wins",
       .requirement = "The last backlog must take effect if several are given.",
       .source = "contract: backlog",
       .needs = Need::kOptionLists,
       .run = &BacklogLastWins},
      {.id = "listen.backlog.last_is_zero",
       .requirement = "The last backlog must take effect if several are given, "
                      "even if it is 0.",
       .source = "contract: backlog",
       .needs = Need::kOptionLists,
       .run = &BacklogLastIsZero},
      {.id = "listen.backlog.capped_by_somaxconn",
       .requirement = "A backlog above net.core.somaxconn must be accepted, "
                      "and reduced to net.core.somaxconn.",
       .source = "listen(2), NOTES",
       .needs = Need::kOwnNetwork,
       .run = &BacklogSomaxconn},
      {.id = "listen.backlog.above_int_max",
       .requirement =
           "A backlog above INT_MAX must have the same effect as INT_MAX.",
       .source = "contract: backlog",
       .needs = Need::kOptionLists,
       .run = &BacklogAboveIntMax},
      {.id = "listen.backlog.beyond_16_bits",
       .requirement = "A backlog of 65536 must not be shorter than one of "
                      "65535, which is above somaxconn.",
       .source = "listen(2) NOTES; contract: backlog",
       .run = &BacklogBeyond16Bits},
      {.id = "listen.backlog.limits_the_queue",
       .requirement = "About as many connections as the backlog may be "
                      "established while no connection is accepted.",
       .source = "listen(2)",
       .level = Level::kVariation,
       .run = &BacklogIsQueueLength},
      {.id = "listen.backlog.zero_queue",
       .requirement = "One connection may be established while no connection "
                      "is accepted, if the backlog is 0.",
       .source = "listen(2); POSIX listen(), DESCRIPTION",
       .level = Level::kVariation,
       .run = &BacklogZeroQueue},
  };
  return cases;
}

}  // namespace net::conformance
