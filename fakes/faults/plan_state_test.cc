#include "fakes/faults/plan_state.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

FaultPlan Plan(absl::string_view text) {
  const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.value_or(FaultPlan());
}

class PlanStateTest : public testing::Test {
 protected:
  void Arm(absl::string_view text) { state_.Arm(Plan(text)); }

  // Decides about a call on one socket. Returns the errno, 0 for none.
  int Decide(SyscallId call, const SocketFacts& socket = {}) {
    const SocketFacts* const sockets[] = {&socket};
    return DecideFacts({.call = call, .sockets = sockets});
  }

  int DecideFacts(const CallFacts& facts) {
    last_ = state_.Decide(facts);
    return last_.has_value() ? last_->action.error : 0;
  }

  // Returns the numbers of the calls, of so many, that a rule applied to.
  std::vector<int> Hits(SyscallId call, int calls) {
    std::vector<int> hits;
    for (int i = 1; i <= calls; ++i) {
      if (Decide(call) != 0) hits.push_back(i);
    }
    return hits;
  }

  PlanState state_;
  std::optional<Decision> last_;
};

TEST_F(PlanStateTest, WithoutRulesOnlyCounts) {
  EXPECT_FALSE(state_.has_rules());
  EXPECT_EQ(Decide(SyscallId::kRead), 0);
  EXPECT_EQ(Decide(SyscallId::kRecv), 0);
  state_.CountOnly(SyscallId::kRecv);
  EXPECT_EQ(state_.Count("recv"), 3);
  EXPECT_EQ(state_.Count("recv!"), 2);
  EXPECT_EQ(state_.Count(SyscallId::kRead), 1);
  EXPECT_EQ(state_.Count("*"), 3);
  EXPECT_EQ(state_.Count("send"), 0);
  EXPECT_EQ(state_.Count("sent"), -1);
}

TEST_F(PlanStateTest, ACallOrAFamily) {
  Arm("recv=EIO; send!=EPERM");
  EXPECT_TRUE(state_.has_rules());
  EXPECT_EQ(Decide(SyscallId::kReadV), EIO);
  EXPECT_EQ(Decide(SyscallId::kSend), EPERM);
  EXPECT_EQ(Decide(SyscallId::kSendMsg), 0);
}

TEST_F(PlanStateTest, Occurrences) {
  Arm("listen#2=EIO");
  EXPECT_THAT(Hits(SyscallId::kListen, 4), ElementsAre(2));
  Arm("listen#2..3=EIO");
  EXPECT_THAT(Hits(SyscallId::kListen, 5), ElementsAre(2, 3));
  Arm("listen#4..=EIO");
  EXPECT_THAT(Hits(SyscallId::kListen, 6), ElementsAre(4, 5, 6));
  Arm("listen every 3=EIO");
  EXPECT_THAT(Hits(SyscallId::kListen, 7), ElementsAre(3, 6));
  Arm("listen#2..7 every 2=EIO");
  EXPECT_THAT(Hits(SyscallId::kListen, 9), ElementsAre(3, 5, 7));
  Arm("listen=EIO*2");
  EXPECT_THAT(Hits(SyscallId::kListen, 5), ElementsAre(1, 2));
}

TEST_F(PlanStateTest, OtherCallsAreNotCountedForARule) {
  Arm("listen#2=EIO");
  EXPECT_EQ(Decide(SyscallId::kListen), 0);
  EXPECT_EQ(Decide(SyscallId::kShutdown), 0);
  EXPECT_EQ(Decide(SyscallId::kListen), EIO);
}

TEST_F(PlanStateTest, PositionsAreThoseOfAllCallsOnSockets) {
  Arm("*@3..4=EIO");
  EXPECT_EQ(state_.position(), 0);
  EXPECT_EQ(Decide(SyscallId::kSocket), 0);
  EXPECT_EQ(DecideFacts({.call = SyscallId::kEventFd}), 0);
  EXPECT_EQ(Decide(SyscallId::kBind), 0);
  EXPECT_EQ(DecideFacts({.call = SyscallId::kNanoSleep}), 0);
  EXPECT_EQ(Decide(SyscallId::kListen), EIO);
  EXPECT_EQ(Decide(SyscallId::kClose), EIO);
  EXPECT_EQ(Decide(SyscallId::kClose), 0);
  EXPECT_EQ(state_.position(), 5);
}

TEST_F(PlanStateTest, CallsAtOtherPositionsAreNotCountedForARule) {
  Arm("close#2@2..=EIO");
  EXPECT_THAT(Hits(SyscallId::kClose, 5), ElementsAre(3));
}

TEST_F(PlanStateTest, ACallThatUsesNoSocketIsSelectedByName) {
  Arm("eventfd=EMFILE; *=EIO");
  EXPECT_EQ(DecideFacts({.call = SyscallId::kPipe2}), 0);
  EXPECT_EQ(DecideFacts({.call = SyscallId::kEventFd}), EMFILE);
  EXPECT_EQ(state_.Count("*"), 0);
  EXPECT_EQ(state_.Count("eventfd"), 1);
}

TEST_F(PlanStateTest, ChancesAreTheSameForTheSameSeed) {
  Arm("send p=0.25 seed=7=EIO");
  const std::vector<int> hits = Hits(SyscallId::kSend, 4000);
  EXPECT_GT(hits.size(), 900u);
  EXPECT_LT(hits.size(), 1100u);
  Arm("send p=0.25 seed=7=EIO");
  EXPECT_EQ(Hits(SyscallId::kSend, 4000), hits);
  Arm("send p=0.25 seed=8=EIO");
  EXPECT_NE(Hits(SyscallId::kSend, 4000), hits);
  Arm("send p=1 seed=8=EIO");
  EXPECT_EQ(Hits(SyscallId::kSend, 10).size(), 10u);
}

TEST_F(PlanStateTest, RolesOfSockets) {
  Arm("close(listener)=EIO; close(connection)=EPERM");
  EXPECT_EQ(Decide(SyscallId::kClose), 0);
  EXPECT_EQ(Decide(SyscallId::kClose, {.role = SocketRole::kListener}), EIO);
  EXPECT_EQ(Decide(SyscallId::kClose, {.role = SocketRole::kConnection}),
            EPERM);
}

TEST_F(PlanStateTest, TheNthSocket) {
  Arm("close(socket 2)=EIO");
  EXPECT_EQ(Decide(SyscallId::kClose, {.nth = 0}), 0);
  EXPECT_EQ(Decide(SyscallId::kClose, {.nth = 1}), 0);
  EXPECT_EQ(Decide(SyscallId::kClose, {.nth = 2}), EIO);
}

TEST_F(PlanStateTest, AddressesOfSockets) {
  EXPECT_FALSE(state_.needs_addresses());
  Arm("send([::1]:80)=EIO; send(local=*:9)=EPERM");
  EXPECT_TRUE(state_.needs_addresses());
  const ip::Endpoint web = {ip::kLocalV6, 80};
  const ip::Endpoint discard = {ip::kLocalV6, 9};
  EXPECT_EQ(Decide(SyscallId::kSend), 0);
  EXPECT_EQ(Decide(SyscallId::kSend, {.local = web, .remote = discard}), 0);
  EXPECT_EQ(Decide(SyscallId::kSend, {.local = discard}), EPERM);
  EXPECT_EQ(Decide(SyscallId::kSend, {.local = discard, .remote = web}), EIO);
}

TEST_F(PlanStateTest, AnIpv4PatternMatchesAMappedAddress) {
  Arm("send(127.0.0.1:*)=EIO");
  EXPECT_EQ(Decide(SyscallId::kSend,
                   {.remote = ip::Endpoint{ip::kLocalV4.Mapped(), 80}}),
            EIO);
  EXPECT_EQ(
      Decide(SyscallId::kSend, {.remote = ip::Endpoint{ip::kLocalV6, 80}}), 0);
}

TEST_F(PlanStateTest, TheAnyPatternMatchesAnUnknownAddress) {
  Arm("send(*:*)=EIO");
  EXPECT_EQ(Decide(SyscallId::kSend), EIO);
}

TEST_F(PlanStateTest, AddressesOfArguments) {
  Arm("connect(127.0.0.1:80)=EIO; bind(*:80)=EACCES");
  const ip::Endpoint web = {ip::kLocalV4, 80};
  const ip::Endpoint other = {ip::kLocalV4, 81};
  const SocketFacts socket = {.local = other};
  const SocketFacts* const sockets[] = {&socket};
  EXPECT_EQ(
      DecideFacts(
          {.call = SyscallId::kConnect, .sockets = sockets, .address = other}),
      0);
  EXPECT_EQ(
      DecideFacts(
          {.call = SyscallId::kConnect, .sockets = sockets, .address = web}),
      EIO);
  EXPECT_EQ(DecideFacts(
                {.call = SyscallId::kBind, .sockets = sockets, .address = web}),
            EACCES);
  EXPECT_EQ(
      DecideFacts(
          {.call = SyscallId::kBind, .sockets = sockets, .address = other}),
      0);
}

TEST_F(PlanStateTest, AnyOfTheSocketsThatAreWaitedFor) {
  Arm("poll(listener)=EINTR");
  const SocketFacts plain;
  const SocketFacts listener = {.role = SocketRole::kListener};
  const SocketFacts* const both[] = {&plain, &listener};
  EXPECT_EQ(Decide(SyscallId::kPoll, plain), 0);
  EXPECT_EQ(DecideFacts({.call = SyscallId::kEpollWait, .sockets = both}),
            EINTR);
}

TEST_F(PlanStateTest, Options) {
  Arm("setsockopt(TCP_NODELAY)=EIO; fcntl(F_SETFL)=EPERM");
  const auto decide = [&](SyscallId call, int level, int name) {
    return DecideFacts(
        {.call = call, .option_level = level, .option_name = name});
  };
  EXPECT_EQ(decide(SyscallId::kSetSockOpt, IPPROTO_TCP, TCP_NODELAY), EIO);
  EXPECT_EQ(decide(SyscallId::kSetSockOpt, SOL_SOCKET, TCP_NODELAY), 0);
  EXPECT_EQ(decide(SyscallId::kSetSockOpt, IPPROTO_TCP, TCP_CORK), 0);
  EXPECT_EQ(decide(SyscallId::kGetSockOpt, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(decide(SyscallId::kFcntl, kFcntlLevel, F_SETFL), EPERM);
  EXPECT_EQ(decide(SyscallId::kFcntl, kFcntlLevel, F_GETFL), 0);
}

TEST_F(PlanStateTest, ConsumedIsForTheOptionThatReadsTheError) {
  Arm("getsockopt=consumed");
  EXPECT_EQ(DecideFacts({.call = SyscallId::kGetSockOpt,
                         .option_level = SOL_SOCKET,
                         .option_name = SO_TYPE}),
            0);
  EXPECT_FALSE(last_.has_value());
  DecideFacts({.call = SyscallId::kGetSockOpt,
               .option_level = SOL_SOCKET,
               .option_name = SO_ERROR});
  EXPECT_TRUE(last_.has_value());
}

TEST_F(PlanStateTest, CallSites) {
  Arm("bind(from=Listen)=EIO");
  EXPECT_EQ(DecideFacts({.call = SyscallId::kBind}), 0);
  EXPECT_EQ(DecideFacts(
                {.call = SyscallId::kBind, .call_site = "net::tcp::Connect()"}),
            0);
  EXPECT_EQ(DecideFacts(
                {.call = SyscallId::kBind, .call_site = "net::tcp::Listen()"}),
            EIO);
}

TEST_F(PlanStateTest, AnActionSelectsTheCallsThatItCanApplyTo) {
  Arm("*#2=short(1)");
  EXPECT_EQ(Decide(SyscallId::kListen), 0);
  EXPECT_EQ(Decide(SyscallId::kSend), 0);
  EXPECT_FALSE(last_.has_value());
  Decide(SyscallId::kClose);
  EXPECT_FALSE(last_.has_value());
  Decide(SyscallId::kRecv);
  ASSERT_TRUE(last_.has_value());
  EXPECT_EQ(last_->action.kind, ActionKind::kShort);
}

TEST_F(PlanStateTest, TheFirstRuleAppliesAndTheOthersCount) {
  Arm("listen#1=EIO; listen#1=EPERM; listen#2=EACCES");
  EXPECT_EQ(Decide(SyscallId::kListen), EIO);
  EXPECT_EQ(last_->rule, 0u);
  EXPECT_EQ(Decide(SyscallId::kListen), EACCES);
  EXPECT_EQ(last_->rule, 2u);
  EXPECT_THAT(state_.Unmatched(), ElementsAre(Plan("listen#1=EPERM").rules[0]));
}

TEST_F(PlanStateTest, EffectsAreResolved) {
  Arm("close=EIO; listen=EIO; bind=EIO after; send=EIO partial(3)");
  Decide(SyscallId::kClose);
  EXPECT_EQ(last_->action.effect, Effect::kAfter);
  Decide(SyscallId::kListen);
  EXPECT_EQ(last_->action.effect, Effect::kBefore);
  Decide(SyscallId::kBind);
  EXPECT_EQ(last_->action.effect, Effect::kAfter);
  Decide(SyscallId::kSend);
  EXPECT_EQ(last_->action.effect, Effect::kPartial);
  EXPECT_EQ(last_->action.bytes, 3u);
}

TEST_F(PlanStateTest, ARuleThatWasTakenBackHasNotApplied) {
  Arm("socket=fd0*1");
  Decide(SyscallId::kSocket);
  EXPECT_THAT(state_.Unmatched(), IsEmpty());
  state_.Retract(*last_);
  EXPECT_EQ(state_.Unmatched().size(), 1u);
  Decide(SyscallId::kSocket);
  EXPECT_TRUE(last_.has_value());
}

TEST_F(PlanStateTest, ArmBeginsAnew) {
  Arm("listen#2=EIO");
  EXPECT_EQ(Decide(SyscallId::kListen), 0);
  Arm("listen#2=EPERM");
  EXPECT_EQ(state_.Count("listen"), 0);
  EXPECT_EQ(Decide(SyscallId::kListen), 0);
  EXPECT_EQ(Decide(SyscallId::kListen), EPERM);
  Arm("");
  EXPECT_FALSE(state_.has_rules());
}

}  // namespace
}  // namespace net
