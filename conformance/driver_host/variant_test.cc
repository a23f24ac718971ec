// Tests of how the runner recognizes that a driver is blocked, with variants of
// the tree's Python driver. Most of them hold one operation at a time.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "conformance/driver_host/variants.h"
#include "conformance/engine/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::Field;
using testing::Pair;

auto Is(Outcome outcome) {
  return Field("outcome", &Verdict::outcome, outcome);
}
auto Is(Outcome outcome, const std::string& regex) {
  return AllOf(Is(outcome),
               Field("message", &Verdict::message, ContainsRegex(regex)));
}

TEST(OneOperationTest, CallsThatWaitAreSeenToWait) {
  Verdicts verdicts = JudgeVariant(
      "one", {"accept.interrupted.*", "data.recv.waits_*", "data.send.waits_*",
              "data.*.interrupted*", "connect.interrupted.*",
              "connect.blocking.waits_for_room"});
  EXPECT_THAT(verdicts["accept.interrupted.goes_on"], Is(Outcome::kPass));
  EXPECT_THAT(verdicts["accept.interrupted.several_times"], Is(Outcome::kPass));
  EXPECT_THAT(verdicts["data.recv.waits_for_data"], Is(Outcome::kPass));
  EXPECT_THAT(verdicts["data.send.waits_for_room"], Is(Outcome::kPass));
  // Python repeats the call after a signal (PEP 475). The case observes that.
  EXPECT_THAT(verdicts["data.recv.interrupted"],
              Is(Outcome::kVariation, "goes_on"));
  EXPECT_THAT(verdicts["data.send.interrupted"],
              Is(Outcome::kVariation, "goes_on"));
  EXPECT_THAT(verdicts["connect.interrupted.several_times"],
              Is(Outcome::kPass));
}

TEST(OneOperationTest, AnAcceptThatReportsASignalFails) {
  Verdicts verdicts =
      JudgeVariant("one interruptible", {"accept.interrupted.*"});
  EXPECT_THAT(verdicts["accept.interrupted.goes_on"],
              Is(Outcome::kFail, "returned on a signal"));
  EXPECT_THAT(verdicts["accept.interrupted.several_times"],
              Is(Outcome::kFail, "returned on signal 1"));
  EXPECT_THAT(verdicts["accept.interrupted.loses_nothing"], Is(Outcome::kPass));
}

TEST(OneOperationTest, DataThatReportsASignalIsNoVariation) {
  Verdicts verdicts =
      JudgeVariant("one interruptible_in_data", {"data.*.interrupted"});
  EXPECT_THAT(verdicts["data.recv.interrupted"], Is(Outcome::kPass));
  EXPECT_THAT(verdicts["data.send.interrupted"], Is(Outcome::kPass));
}

TEST(OneOperationTest, ACaseThatNeedsTwoCannotBeRun) {
  for (const auto& [id, verdict] :
       JudgeVariant("one", {"accept.shutdown.wakes*", "data.shutdown.wakes_*",
                            "accept.concurrent.*"})) {
    EXPECT_THAT(verdict,
                Is(Outcome::kPrecondition,
                   "needs 2 operations at a time; the driver holds 1\n"
                   "thread [0-9]+ sleeps in (accept4|recvfrom|sendto) on "
                   "descriptor [0-9]+"))
        << id;
  }
}

// Two threads take turns, and none of their operations blocks.
TEST(OneOperationTest, OperationsThatEndAreNotBlocked) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(JudgeVariant("one", {"connect.several_threads"}),
                testing::ElementsAre(
                    Pair("connect.several_threads", Is(Outcome::kPass))));
  }
}

TEST(TwoOperationsTest, ACaseThatNeedsTwoIsRun) {
  Verdicts verdicts =
      JudgeVariant("two", {"accept.shutdown.wakes*", "data.shutdown.wakes_*",
                           "accept.concurrent.*"});
  EXPECT_THAT(verdicts["accept.shutdown.wakes"], Is(Outcome::kPass));
  EXPECT_THAT(verdicts["data.shutdown.wakes_recv"], Is(Outcome::kPass));
  EXPECT_THAT(verdicts["data.shutdown.wakes_send"], Is(Outcome::kPass));
  EXPECT_THAT(verdicts["accept.concurrent.holds_up_nobody"],
              Is(Outcome::kPass));
  EXPECT_THAT(verdicts["accept.shutdown.wakes_all"],
              Is(Outcome::kPrecondition, "needs 3 operations at a time"));
}

TEST(OperationsTest, ALimitIsANumberAboveZero) {
  for (const char* limit : {"zero", "rubbish"}) {
    for (const auto& [id, verdict] :
         JudgeVariant(limit, {"listen.backlog.default"})) {
      EXPECT_THAT(verdict, Is(Outcome::kCrash, "operations"));
    }
  }
}

TEST(BlockedTest, AnAcceptThatShutdownDoesNotWakeFails) {
  Verdicts verdicts =
      JudgeVariant("deaf_to_shutdown", {"accept.shutdown.wakes"},
                   {.timeout = absl::Seconds(5)});
  EXPECT_THAT(verdicts["accept.shutdown.wakes"],
              Is(Outcome::kTimeout, "sleeps in accept4 on descriptor [0-9]+"));
}

TEST(BlockedTest, ALockIsNotASocket) {
  for (const char* limit : {"one ", ""}) {
    Verdicts verdicts = JudgeVariant(
        absl::StrCat(limit, "locked"),
        {"accept.interrupted.goes_on", "data.recv.waits_for_data"});
    EXPECT_THAT(verdicts["accept.interrupted.goes_on"],
                Is(Outcome::kFail,
                   "sleeps in futex.*, not in accept on "
                   "descriptor [0-9]+"));
    EXPECT_THAT(verdicts["data.recv.waits_for_data"],
                Is(Outcome::kFail, "sleeps in futex.*, not in recv on"));
  }
  Verdicts verdicts =
      JudgeVariant("locked_in_connect", {"connect.blocking.waits_for_room"});
  EXPECT_THAT(verdicts["connect.blocking.waits_for_room"],
              Is(Outcome::kFail, "sleeps in futex.*, not in connect"));
}

TEST(BlockedTest, ADriverThatReadsItsChannelIsNotBlocked) {
  Verdicts verdicts =
      JudgeVariant("one forgetful",
                   {"accept.interrupted.goes_on", "data.recv.waits_for_data"});
  EXPECT_THAT(verdicts["accept.interrupted.goes_on"],
              Is(Outcome::kFail,
                 "sleeps in read on descriptor 3, not in "
                 "accept on descriptor [0-9]+"));
  EXPECT_THAT(verdicts["data.recv.waits_for_data"],
              Is(Outcome::kFail, "not in recv on descriptor [0-9]+"));
}

TEST(BlockedTest, ATimeIsNotASocket) {
  Verdicts verdicts = JudgeVariant(
      "one sleepy", {"accept.interrupted.goes_on", "data.recv.waits_for_data"});
  EXPECT_THAT(verdicts["accept.interrupted.goes_on"],
              Is(Outcome::kFail, "sleeps in clock_nanosleep, not in accept"));
  EXPECT_THAT(verdicts["data.recv.waits_for_data"],
              Is(Outcome::kFail, "sleeps in clock_nanosleep, not in recv"));
}

TEST(BlockedTest, DataThatIsLostFails) {
  EXPECT_THAT(JudgeVariant("one losing", {"data.recv.waits_for_data"}),
              testing::ElementsAre(
                  Pair("data.recv.waits_for_data", Is(Outcome::kFail))));
}

TEST(BlockedTest, SetsThatHoldTheSocketAreSeen) {
  for (const char* how : {"polling", "selecting", "epolling"}) {
    for (const char* limit : {"one ", ""}) {
      Verdicts verdicts = JudgeVariant(
          std::string(limit) + how,
          {"accept.interrupted.goes_on", "data.recv.waits_for_data",
           "data.send.waits_for_room", "accept.concurrent.each_gets_one"});
      EXPECT_THAT(verdicts["accept.interrupted.goes_on"], Is(Outcome::kPass));
      EXPECT_THAT(verdicts["data.recv.waits_for_data"], Is(Outcome::kPass));
      EXPECT_THAT(verdicts["data.send.waits_for_room"], Is(Outcome::kPass));
    }
  }
}

// All cases, with and without the limit.
TEST(LimitTest, OnlyPreconditionsDiffer) {
  const Verdicts without = JudgeVariant("", {});
  int preconditions = 0;
  for (const auto& [id, verdict] : JudgeVariant("one", {})) {
    const Verdict& other = without.at(id);
    if (verdict.outcome == other.outcome) continue;
    EXPECT_THAT(verdict,
                Is(Outcome::kPrecondition, "needs 2 operations at a time"))
        << id << ": " << verdict.message
        << "\nwithout the limit: " << OutcomeName(other.outcome) << " "
        << other.message;
    ++preconditions;
  }
  EXPECT_GT(preconditions, 0);
}

}  // namespace
}  // namespace net::conformance
