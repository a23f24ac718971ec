// epoll_wait(2) that blocks: what wakes it, and which of several calls.

#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;

constexpr uint32_t kEdge = EPOLLET;

// An epoll_wait(2) without a timeout, in a task.
class Waiting {
 public:
  Waiting(Context& c, const Epoll& epoll) : Waiting(c, epoll.fd()) {}
  Waiting(Context& c, int epoll_fd)
      : call_(c, [this, &c, epoll_fd] {
          return c.sys().EpollWait(epoll_fd, &event_, 1, -1);
        }) {}

  PendingCall& call() { return call_; }
  bool AwaitBlocked() { return call_.AwaitBlocked(); }
  uint64_t data() const { return event_.data.u64; }

 private:
  epoll_event event_ = {};
  PendingCall call_;
};

// ---- What ends the wait -----------------------------------------------------

void DataEndsTheWait(Context& c, uint32_t events) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | events, 7), IsOk());
  Waiting waiting(c, epoll);
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(waiting.call().Join(), IsOkAndHolds(1));
  EXPECT_EQ(waiting.data(), 7U);
}

void Interrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN), IsOk());
  Waiting waiting(c, epoll);
  ASSERT_TRUE(waiting.AwaitBlocked());
  waiting.call().Interrupt();
  EXPECT_THAT(waiting.call().Join(), IsErrno(EINTR));
}

// Data does not wake an epoll_wait(2) for EPOLLOUT; a reset does.
void OtherEventsDoNot(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  ASSERT_THAT(epoll.Add(pair.client.fd(), EPOLLOUT), IsOk());
  Waiting waiting(c, epoll);
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(waiting.call().Join(), IsOkAndHolds(1));
}

void AddedWhileWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN, 7), IsOk());
  Waiting waiting(c, epoll);
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(epoll.Add(pair.client.fd(), EPOLLOUT, 8), IsOk());
  EXPECT_THAT(waiting.call().Join(), IsOkAndHolds(1));
  EXPECT_EQ(waiting.data(), 8U);
}

void ModifiedWhileWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN, 7), IsOk());
  Waiting waiting(c, epoll);
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(epoll.Modify(pair.server.fd(), EPOLLOUT, 8), IsOk());
  EXPECT_THAT(waiting.call().Join(), IsOkAndHolds(1));
  EXPECT_EQ(waiting.data(), 8U);
}

// The call keeps the epoll alive.
void ClosedWhileWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN, 7), IsOk());
  Waiting waiting(c, epoll);
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(epoll.file().Close(), IsOk());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(waiting.call().Join(), IsOkAndHolds(1));
  EXPECT_EQ(waiting.data(), 7U);
}

void NestedWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll inner, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll outer, NewEpoll(c));
  ASSERT_THAT(inner.Add(pair.server.fd(), EPOLLIN, 7), IsOk());
  ASSERT_THAT(outer.Add(inner.fd(), EPOLLIN, 8), IsOk());
  Waiting waiting(c, outer);
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(waiting.call().Join(), IsOkAndHolds(1));
  EXPECT_EQ(waiting.data(), 8U);
}

void Polled(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN), IsOk());
  PendingCall polling(c, [&] { return epoll.file().Wait(EPOLLIN); });
  ASSERT_TRUE(polling.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(polling.Join(), IsOkAndHolds(EPOLLIN));
}

void TimesOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN), IsOk());
  epoll_event event = {};
  timespec before = {};
  timespec after = {};
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_MONOTONIC, &before), IsOk());
  EXPECT_THAT(c.sys().EpollWait(epoll.fd(), &event, 1, 20), IsOkAndHolds(0));
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_MONOTONIC, &after), IsOk());
  const int64_t passed = (after.tv_sec - before.tv_sec) * 1000000000 +
                         (after.tv_nsec - before.tv_nsec);
  EXPECT_GE(passed, 20000000);
}

// ---- Several calls ----------------------------------------------------------

// Two calls wait on one epoll. The one that came last is woken first.
void LastComesFirst(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | kEdge), IsOk());
  Waiting one(c, epoll);
  ASSERT_TRUE(one.AwaitBlocked());
  Waiting two(c, epoll);
  ASSERT_TRUE(two.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(two.call().Join(), IsOkAndHolds(1));
  EXPECT_TRUE(one.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("y"), IsOk());
  EXPECT_THAT(one.call().Join(), IsOkAndHolds(1));
}

// A level-triggered entry that the first call does not read is for the next.
void LevelWakesBoth(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN), IsOk());
  Waiting one(c, epoll);
  ASSERT_TRUE(one.AwaitBlocked());
  Waiting two(c, epoll);
  ASSERT_TRUE(two.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(one.call().Join(), IsOkAndHolds(1));
  EXPECT_THAT(two.call().Join(), IsOkAndHolds(1));
}

// Two epolls have one socket, and a call waits on each. An event wakes both,
// and with EPOLLEXCLUSIVE only that of the epoll that was first.
void TwoEpolls(Context& c, uint32_t exclusive) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll first, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll second, NewEpoll(c));
  ASSERT_THAT(first.Add(pair.server.fd(), EPOLLIN | exclusive), IsOk());
  ASSERT_THAT(second.Add(pair.server.fd(), EPOLLIN | exclusive), IsOk());
  Waiting one(c, first);
  ASSERT_TRUE(one.AwaitBlocked());
  Waiting two(c, second);
  ASSERT_TRUE(two.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(one.call().Join(), IsOkAndHolds(1));
  if (exclusive != 0) {
    EXPECT_TRUE(two.AwaitBlocked());
    // No call waits on the first epoll any more.
    ASSERT_THAT(pair.client.Send("y"), IsOk());
  }
  EXPECT_THAT(two.call().Join(), IsOkAndHolds(1));
}

void ExclusiveReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll first, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll second, NewEpoll(c));
  for (const Epoll* const epoll : {&first, &second}) {
    ASSERT_THAT(epoll->Add(pair.server.fd(), EPOLLIN | EPOLLEXCLUSIVE), IsOk());
  }
  Waiting one(c, first);
  ASSERT_TRUE(one.AwaitBlocked());
  Waiting two(c, second);
  ASSERT_TRUE(two.AwaitBlocked());
  ASSERT_THAT(pair.client.Reset(), IsOk());
  EXPECT_THAT(one.call().Join(), IsOkAndHolds(1));
  EXPECT_THAT(two.call().Join(), IsOkAndHolds(1));
}

}  // namespace

const std::vector<Case>& EpollWaitingKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.epoll.blocked.data",
       .requirement = "A blocked epoll_wait(2) must return when data arrives.",
       .source = "epoll_wait(2), DESCRIPTION",
       .run = [](Context& c) { DataEndsTheWait(c, 0); }},
      {.id = "kernel.epoll.blocked.data_edge",
       .requirement = "A blocked epoll_wait(2) must return when data arrives, "
                      "if the entry is edge-triggered and one-shot, too.",
       .source = "epoll_wait(2), DESCRIPTION",
       .run = [](Context& c) { DataEndsTheWait(c, kEdge | EPOLLONESHOT); }},
      {.id = "kernel.epoll.blocked.interrupted",
       .requirement = "A blocked epoll_wait(2) must fail with EINTR on a "
                      "signal.",
       .source = "epoll_wait(2), EINTR",
       .run = &Interrupted},
      {.id = "kernel.epoll.blocked.other_events",
       .requirement = "A blocked epoll_wait(2) must not return for an event "
                      "that was not requested, but must return for a reset.",
       .source = "epoll_wait(2), DESCRIPTION",
       .run = &OtherEventsDoNot},
      {.id = "kernel.epoll.blocked.added",
       .requirement = "A blocked epoll_wait(2) must return when a file that is "
                      "ready is added.",
       .source = "epoll_wait(2), NOTES",
       .run = &AddedWhileWaiting},
      {.id = "kernel.epoll.blocked.modified",
       .requirement = "A blocked epoll_wait(2) must return when EPOLL_CTL_MOD "
                      "requests an event that holds.",
       .source = "epoll_wait(2), NOTES; fs/eventpoll.c, ep_modify",
       .run = &ModifiedWhileWaiting},
      {.id = "kernel.epoll.blocked.closed",
       .requirement = "A blocked epoll_wait(2) must go on, and report events, "
                      "if the epoll's descriptor is closed.",
       .source = "measured on Linux 6.18",
       .run = &ClosedWhileWaiting},
      {.id = "kernel.epoll.blocked.nested",
       .requirement = "A blocked epoll_wait(2) must return when an epoll in "
                      "its interest list has an event.",
       .source = "epoll(7), Questions and answers, 3",
       .run = &NestedWait},
      {.id = "kernel.epoll.blocked.polled",
       .requirement = "A blocked poll(2) of an epoll must return when the "
                      "epoll has an event.",
       .source = "epoll(7), Questions and answers, 3",
       .run = &Polled},
      {.id = "kernel.epoll.blocked.times_out",
       .requirement = "epoll_wait(2) must return 0 when its timeout expires, "
                      "and not before.",
       .source = "epoll_wait(2), DESCRIPTION",
       .run = &TimesOut},
      {.id = "kernel.epoll.several.last_comes_first",
       .requirement = "An edge must wake one of the calls that wait on an "
                      "epoll: the one that has begun to wait last.",
       .source = "epoll(7), Level-triggered and edge-triggered; "
                 "fs/eventpoll.c, ep_poll",
       .run = &LastComesFirst},
      {.id = "kernel.epoll.several.level",
       .requirement = "A level-triggered entry must wake each call that waits "
                      "on the epoll, as long as it is ready.",
       .source = "fs/eventpoll.c, ep_done_scan",
       .run = &LevelWakesBoth},
      {.id = "kernel.epoll.several.two_epolls",
       .requirement = "An event must wake a call on each epoll that has the "
                      "file.",
       .source = "epoll(7), Questions and answers, 2",
       .run = [](Context& c) { TwoEpolls(c, 0); }},
      {.id = "kernel.epoll.several.exclusive",
       .requirement = "With EPOLLEXCLUSIVE, an event must wake a call on one "
                      "epoll only: the first that was added, and has a call "
                      "that waits.",
       .source = "epoll_ctl(2), EPOLLEXCLUSIVE; kernel/sched/wait.c, "
                 "__wake_up_common",
       .run = [](Context& c) { TwoEpolls(c, EPOLLEXCLUSIVE); }},
      {.id = "kernel.epoll.several.exclusive_reset",
       .requirement = "A reset must wake a call on each epoll, also with "
                      "EPOLLEXCLUSIVE.",
       .source = "net/core/sock.c, sock_def_wakeup",
       .run = &ExclusiveReset},
  };
  return cases;
}

}  // namespace net::conformance
