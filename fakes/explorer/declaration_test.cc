#include "fakes/explorer/declaration.h"

#include <cerrno>
#include <vector>

#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/faults/fault_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Handling HandlingFor(const std::vector<Declaration>& declarations, Call call,
                     int error) {
  return DeclarationFor(declarations, call, error).handling;
}

TEST(Declarations, Defaults) {
  EXPECT_EQ(HandlingFor({}, Call::kBind, EACCES), Handling::kReports);
  EXPECT_EQ(HandlingFor({}, Call::kRecv, EINTR), Handling::kRetries);
  EXPECT_EQ(HandlingFor({}, Call::kClose, EINTR), Handling::kReports);
  EXPECT_EQ(HandlingFor({}, Call::kAccept4, ECONNABORTED), Handling::kIgnores);
}

TEST(Declarations, TheClosestCounts) {
  const std::vector<Declaration> declarations = {
      Translates(Call::kBind, EACCES, EPERM),
      Ignores(Call::kBind, kAnyErrno, "a test"),
      Retries(kAnyCall, EACCES),
  };
  EXPECT_EQ(HandlingFor(declarations, Call::kBind, EACCES),
            Handling::kTranslates);
  EXPECT_EQ(HandlingFor(declarations, Call::kBind, EINVAL), Handling::kIgnores);
  EXPECT_EQ(HandlingFor(declarations, Call::kConnect, EACCES),
            Handling::kRetries);
  EXPECT_EQ(HandlingFor(declarations, Call::kConnect, EINVAL),
            Handling::kReports);
}

TEST(Declarations, OfTwoEqualOnesTheLaterCounts) {
  EXPECT_EQ(
      HandlingFor({Retries(Call::kRecv, EAGAIN), Reports(Call::kRecv, EAGAIN)},
                  Call::kRecv, EAGAIN),
      Handling::kReports);
}

TEST(Declarations, AsSource) {
  EXPECT_EQ(Reports(Call::kRecv, EINTR).ToString(),
            "net::Reports(net::Call::kRecv, EINTR)");
  EXPECT_EQ(Retries(kAnyCall, EMFILE).ToString(),
            "net::Retries(net::kAnyCall, EMFILE)");
  EXPECT_EQ(Translates(Call::kGetPeerName, kAnyErrno, 0).ToString(),
            "net::Translates(net::Call::kGetPeerName, net::kAnyErrno, 0)");
  EXPECT_EQ(Ignores(Call::kClose, EIO, "a reason").ToString(),
            "net::Ignores(net::Call::kClose, EIO, \"a reason\")");
}

// Returns the effects that an errno of a call is tried with, once.
std::vector<Effect> EffectsOf(const std::vector<Declaration>& declarations,
                              Call call, int error) {
  std::vector<Effect> effects;
  const FaultChoices choices(declarations);
  for (const FaultChoice& choice : choices.Of(call)) {
    if (choice.action.error == error && choice.times == 1) {
      effects.push_back(choice.action.effect);
    }
  }
  return effects;
}

TEST(FaultChoices, Effects) {
  EXPECT_THAT(EffectsOf({}, Call::kBind, EACCES),
              ElementsAre(Effect::kBefore, Effect::kAfter));
  EXPECT_THAT(EffectsOf({}, Call::kSend, EPIPE),
              ElementsAre(Effect::kBefore, Effect::kPartial, Effect::kAfter));
  EXPECT_THAT(EffectsOf({}, Call::kClose, EIO), ElementsAre(Effect::kAfter));
  EXPECT_THAT(EffectsOf({}, Call::kConnect, EINTR),
              ElementsAre(Effect::kAfter));
  EXPECT_THAT(EffectsOf({}, Call::kAccept4, EINTR),
              ElementsAre(Effect::kBefore));
  EXPECT_THAT(EffectsOf({}, Call::kAccept4, ECONNABORTED),
              ElementsAre(Effect::kBefore));
  EXPECT_THAT(EffectsOf({}, Call::kListen, EMFILE), IsEmpty());
}

TEST(FaultChoices, ARetriedErrnoHasOneEffect) {
  EXPECT_THAT(EffectsOf({}, Call::kAccept4, EMFILE),
              ElementsAre(Effect::kBefore, Effect::kAfter));
  EXPECT_THAT(
      EffectsOf({Retries(Call::kAccept4, EMFILE)}, Call::kAccept4, EMFILE),
      ElementsAre(Effect::kBefore));
}

TEST(FaultChoices, AStormOfWhatPersists) {
  const FaultChoices choices({});
  std::vector<int> storms;
  for (const FaultChoice& choice : choices.Of(Call::kSocket)) {
    if (choice.times == kStormTimes) storms.push_back(choice.action.error);
  }
  EXPECT_THAT(storms,
              testing::UnorderedElementsAre(EMFILE, ENFILE, ENOBUFS, ENOMEM));
}

TEST(FaultChoices, WhatMakesNoDifferenceIsLeftOut) {
  MonitoredCall one_byte;
  one_byte.call = Call::kSend;
  one_byte.result = SysResult::Ok(1);
  const FaultChoice short_count = {
      .action = {.kind = ActionKind::kShort, .bytes = 1}};
  EXPECT_FALSE(MakesDifference(short_count, one_byte));
  MonitoredCall two_bytes = one_byte;
  two_bytes.tries_bytes = true;
  two_bytes.result = SysResult::Ok(2);
  EXPECT_TRUE(MakesDifference(short_count, two_bytes));
  MonitoredCall refused;
  refused.call = Call::kConnect;
  refused.result = SysResult::Error(ECONNREFUSED);
  EXPECT_FALSE(MakesDifference({.action = {.error = ECONNREFUSED}}, refused));
  EXPECT_TRUE(MakesDifference({.action = {.error = ETIMEDOUT}}, refused));
}

}  // namespace
}  // namespace net
