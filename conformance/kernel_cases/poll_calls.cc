// The entries and timeouts of poll(2) and ppoll(2).

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// A number that no open descriptor has.
constexpr int kNotOpen = 999999;

pollfd Entry(int fd, int16_t events) {
  // poll(2) must overwrite `revents`.
  return {.fd = fd, .events = events, .revents = POLLPRI};
}

// ---- Entries ----------------------------------------------------------------

void NegativeIsSkipped(Context& c) {
  pollfd entry = Entry(-1, POLLIN | POLLOUT);
  EXPECT_THAT(c.sys().Poll(&entry, 1, 0), IsOkAndHolds(0));
  EXPECT_EQ(entry.revents, 0);
}

void NotOpen(Context& c) {
  pollfd entry = Entry(kNotOpen, 0);
  EXPECT_THAT(c.sys().Poll(&entry, 1, 0), IsOkAndHolds(1));
  EXPECT_EQ(entry.revents, POLLNVAL);
}

void NotOpenDoesNotWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  std::array<pollfd, 2> entries = {Entry(pair.client.fd(), POLLIN),
                                   Entry(kNotOpen, POLLIN)};
  EXPECT_THAT(c.sys().Poll(entries.data(), 2, -1), IsOkAndHolds(1));
  EXPECT_EQ(entries[0].revents, 0);
  EXPECT_EQ(entries[1].revents, POLLNVAL);
}

void CountsEntries(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  std::array<pollfd, 4> entries = {
      Entry(pair.server.fd(), POLLIN | POLLOUT), Entry(-1, POLLIN),
      Entry(pair.client.fd(), POLLIN), Entry(pair.server.fd(), POLLIN)};
  EXPECT_THAT(c.sys().Poll(entries.data(), 4, -1), IsOkAndHolds(2));
  EXPECT_EQ(entries[0].revents, POLLIN | POLLOUT);
  EXPECT_EQ(entries[1].revents, 0);
  EXPECT_EQ(entries[2].revents, 0);
  EXPECT_EQ(entries[3].revents, POLLIN);
}

void NoEntries(Context& c) {
  EXPECT_THAT(c.sys().Poll(nullptr, 0, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Poll(nullptr, 0, 1), IsOkAndHolds(0));
}

void NullEntries(Context& c) {
  EXPECT_THAT(c.sys().Poll(nullptr, 1, 0), IsErrno(EFAULT));
}

// The limit is RLIMIT_NOFILE, even if the entries have no descriptors.
void TooManyEntries(Context& c) {
  std::vector<pollfd> entries(4096, Entry(-1, 0));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.sys().Poll(entries.data(), entries.size(), 0), IsErrno(EINVAL));
}

void OtherFiles(Context& c) {
  std::array<int, 2> pipe = {};
  ASSERT_THAT(c.sys().Pipe2(pipe.data(), O_CLOEXEC), IsOk());
  const RawSocket reader(pipe[0], c.sys());
  RawSocket writer(pipe[1], c.sys());
  EXPECT_THAT(PollNow(reader), IsOkAndHolds(0));
  EXPECT_THAT(PollNow(writer), IsOkAndHolds(POLLOUT));
  ASSERT_THAT(c.sys().Write(writer.fd(), "x", 1), IsOk());
  EXPECT_THAT(PollNow(reader), IsOkAndHolds(POLLIN));
  ASSERT_THAT(writer.Close(), IsOk());
  EXPECT_THAT(PollNow(reader), IsOkAndHolds(POLLIN | POLLHUP));
}

void EventCounters(Context& c) {
  const SysResult made = c.sys().EventFd(0, EFD_CLOEXEC);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  EXPECT_THAT(PollNow(counter), IsOkAndHolds(POLLOUT));
  const uint64_t one = 1;
  ASSERT_THAT(c.sys().Write(counter.fd(), &one, sizeof(one)), IsOk());
  EXPECT_THAT(PollNow(counter), IsOkAndHolds(POLLIN | POLLOUT));
}

// ---- Waiting ----------------------------------------------------------------

// A poll(2) of `socket` for POLLIN, in a task.
class Polling {
 public:
  Polling(Context& c, const RawSocket& socket, int timeout_ms)
      : entry_(Entry(socket.fd(), POLLIN)), call_(c, [this, &c, timeout_ms] {
          return c.sys().Poll(&entry_, 1, timeout_ms);
        }) {}

  PendingCall& call() { return call_; }
  int16_t revents() const { return entry_.revents; }

 private:
  pollfd entry_;
  PendingCall call_;
};

void DataEndsTheWait(Context& c, int timeout_ms) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Polling polling(c, pair.server, timeout_ms);
  ASSERT_TRUE(polling.call().AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(polling.call().Join(), IsOkAndHolds(1));
  EXPECT_EQ(polling.revents(), POLLIN);
}

void Interrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Polling polling(c, pair.server, -1);
  ASSERT_TRUE(polling.call().AwaitBlocked());
  polling.call().Interrupt();
  EXPECT_THAT(polling.call().Join(), IsErrno(EINTR));
}

// Data does not wake a poll(2) for POLLOUT; a reset does.
void OtherEventsDoNot(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  PendingCall waiting(c, [&] { return pair.client.Wait(POLLOUT); });
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(waiting.Join(), IsOkAndHolds(POLLOUT | POLLERR | POLLHUP));
}

// Two calls of poll(2) wait for the same event.
void TakenByAnother(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Polling one(c, pair.server, -1);
  ASSERT_TRUE(one.call().AwaitBlocked());
  Polling two(c, pair.server, -1);
  ASSERT_TRUE(two.call().AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(one.call().Join(), IsOkAndHolds(1));
  EXPECT_THAT(two.call().Join(), IsOkAndHolds(1));
}

void TimesOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  pollfd entry = Entry(pair.server.fd(), POLLIN);
  EXPECT_THAT(c.sys().Poll(&entry, 1, 20), IsOkAndHolds(0));
  EXPECT_EQ(entry.revents, 0);
}

// The monotonic clock shows that the whole timeout has passed.
void WaitsTheWholeTime(Context& c) {
  timespec before = {};
  timespec after = {};
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_MONOTONIC, &before), IsOk());
  ASSERT_THAT(c.sys().Poll(nullptr, 0, 20), IsOkAndHolds(0));
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_MONOTONIC, &after), IsOk());
  const int64_t passed = (after.tv_sec - before.tv_sec) * 1000000000 +
                         (after.tv_nsec - before.tv_nsec);
  EXPECT_GE(passed, 20000000);
}

// ---- ppoll(2) ---------------------------------------------------------------

void InvalidTime(Context& c) {
  for (const timespec& time : {timespec{.tv_sec = -1, .tv_nsec = 0},
                               timespec{.tv_sec = 0, .tv_nsec = -1},
                               timespec{.tv_sec = 0, .tv_nsec = 1000000000}}) {
    EXPECT_THAT(c.sys().PPoll(nullptr, 0, &time, nullptr), IsErrno(EINVAL))
        << time.tv_sec << "s " << time.tv_nsec << "ns";
  }
}

void TimedPPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  pollfd entry = Entry(pair.server.fd(), POLLIN);
  const timespec now = {.tv_sec = 0, .tv_nsec = 0};
  EXPECT_THAT(c.sys().PPoll(&entry, 1, &now, nullptr), IsOkAndHolds(0));
  const timespec soon = {.tv_sec = 0, .tv_nsec = 20000000};
  EXPECT_THAT(c.sys().PPoll(&entry, 1, &soon, nullptr), IsOkAndHolds(0));
  EXPECT_EQ(soon.tv_nsec, 20000000);
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(c.sys().PPoll(&entry, 1, &soon, nullptr), IsOkAndHolds(1));
}

void NoTime(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  pollfd entry = Entry(pair.server.fd(), POLLIN);
  PendingCall polling(
      c, [&] { return c.sys().PPoll(&entry, 1, nullptr, nullptr); });
  ASSERT_TRUE(polling.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(polling.Join(), IsOkAndHolds(1));
}

}  // namespace

const std::vector<Case>& PollCallsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.poll.entry.negative",
       .requirement =
           "poll(2) must skip a negative descriptor, and set its revents to 0.",
       .source = "poll(2), DESCRIPTION",
       .families = AddressFamilies::kV4,
       .run = &NegativeIsSkipped},
      {.id = "kernel.poll.entry.not_open",
       .requirement =
           "poll(2) must report POLLNVAL for a descriptor that is not open.",
       .source = "poll(2), POLLNVAL",
       .families = AddressFamilies::kV4,
       .run = &NotOpen},
      {.id = "kernel.poll.entry.not_open_and_waiting",
       .requirement =
           "poll(2) must return at once if a descriptor is not open.",
       .source = "poll(2), POLLNVAL",
       .run = &NotOpenDoesNotWait},
      {.id = "kernel.poll.entry.counted",
       .requirement = "poll(2) must return the number of entries with events, "
                      "also if two entries have the same descriptor.",
       .source = "poll(2), RETURN VALUE",
       .run = &CountsEntries},
      {.id = "kernel.poll.entry.none",
       .requirement =
           "poll(2) without entries must return 0 after its timeout.",
       .source = "poll(2)",
       .families = AddressFamilies::kV4,
       .run = &NoEntries},
      {.id = "kernel.poll.entry.null",
       .requirement =
           "poll(2) with a null pointer for the entries must fail with EFAULT.",
       .source = "poll(2), EFAULT",
       .families = AddressFamilies::kV4,
       .run = &NullEntries},
      {.id = "kernel.poll.entry.too_many",
       .requirement = "poll(2) with more entries than RLIMIT_NOFILE must fail "
                      "with EINVAL.",
       .source = "poll(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &TooManyEntries},
      {.id = "kernel.poll.entry.pipe",
       .requirement = "poll(2) must report events of a pipe: data, room, and "
                      "the end of the stream.",
       .source = "poll(2); pipe(7)",
       .families = AddressFamilies::kV4,
       .run = &OtherFiles},
      {.id = "kernel.poll.entry.eventfd",
       .requirement = "poll(2) must report events of an eventfd.",
       .source = "eventfd(2), poll",
       .families = AddressFamilies::kV4,
       .run = &EventCounters},
      {.id = "kernel.poll.wait.data",
       .requirement =
           "A poll(2) without timeout must return when data arrives.",
       .source = "poll(2), DESCRIPTION",
       .run = [](Context& c) { DataEndsTheWait(c, -1); }},
      {.id = "kernel.poll.wait.data_in_time",
       .requirement = "A poll(2) with a timeout must return when data arrives.",
       .source = "poll(2), DESCRIPTION",
       .run = [](Context& c) { DataEndsTheWait(c, 1000000); }},
      {.id = "kernel.poll.wait.negative",
       .requirement =
           "poll(2) must block without limit for any negative timeout.",
       .source = "poll(2), DESCRIPTION",
       .run = [](Context& c) { DataEndsTheWait(c, -1000); }},
      {.id = "kernel.poll.wait.interrupted",
       .requirement = "A blocked poll(2) must fail with EINTR on a signal.",
       .source = "poll(2), EINTR",
       .run = &Interrupted},
      {.id = "kernel.poll.wait.other_events",
       .requirement = "A blocked poll(2) must not return for an event that was "
                      "not requested, but must return for a reset.",
       .source = "poll(2), DESCRIPTION",
       .run = &OtherEventsDoNot},
      {.id = "kernel.poll.wait.all_of_them",
       .requirement = "One event must wake every poll(2) that waits for it.",
       .source = "measured on Linux 6.18",
       .run = &TakenByAnother},
      {.id = "kernel.poll.wait.times_out",
       .requirement = "poll(2) must return 0 and report no event when its "
                      "timeout expires.",
       .source = "poll(2), RETURN VALUE",
       .run = &TimesOut},
      {.id = "kernel.poll.wait.not_early",
       .requirement = "poll(2) must not return before its timeout expires, if "
                      "there is no event.",
       .source = "poll(2), DESCRIPTION",
       .families = AddressFamilies::kV4,
       .run = &WaitsTheWholeTime},
      {.id = "kernel.poll.ppoll.invalid_time",
       .requirement = "ppoll(2) must fail with EINVAL if the timeout is "
                      "negative or its nanoseconds are not below one second.",
       .source = "ppoll(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &InvalidTime},
      {.id = "kernel.poll.ppoll.time",
       .requirement = "ppoll(2) must block for its timeout, and not change it.",
       .source = "poll(2), ppoll()",
       .run = &TimedPPoll},
      {.id = "kernel.poll.ppoll.no_time",
       .requirement = "ppoll(2) with a null timeout must block without limit.",
       .source = "poll(2), ppoll()",
       .run = &NoTime},
  };
  return cases;
}

}  // namespace net::conformance
