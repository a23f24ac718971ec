// select(2) and pselect(2).

#include <fcntl.h>
#include <sys/select.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/times.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;

// A set of descriptors.
class Set {
 public:
  Set(std::initializer_list<int> fds) {
    FD_ZERO(&set_);
    for (const int fd : fds) FD_SET(fd, &set_);
  }
  fd_set* get() { return &set_; }
  bool has(int fd) const { return FD_ISSET(fd, &set_); }

 private:
  fd_set set_;
};

// Calls select(2) without blocking.
SysResult SelectNow(Context& c, int count, Set* readable, Set* writable,
                    Set* exceptional = nullptr) {
  timeval now = {};
  const auto pointer = [](Set* set) {
    return set == nullptr ? nullptr : set->get();
  };
  return c.sys().Select(count, pointer(readable), pointer(writable),
                        pointer(exceptional), &now);
}

// Returns a descriptor below FD_SETSIZE that is not open, and is in the table
// of the process: Linux ignores those beyond.
int NotOpen(Context& c, int open_fd) {
  const SysResult made = c.sys().Dup(open_fd);
  EXPECT_THAT(made, IsOk());
  EXPECT_THAT(c.sys().Close(made.fd()), IsOk());
  return made.fd();
}

// ---- The sets ---------------------------------------------------------------

void KeepsTheReady(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const int client = pair.client.fd();
  const int server = pair.server.fd();
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  Set readable = {client, server};
  Set writable = {server};
  Set exceptional = {client, server};
  EXPECT_THAT(SelectNow(c, FD_SETSIZE, &readable, &writable, &exceptional),
              IsOkAndHolds(2));
  EXPECT_FALSE(readable.has(client));
  EXPECT_TRUE(readable.has(server));
  EXPECT_TRUE(writable.has(server));
  EXPECT_FALSE(exceptional.has(client));
  EXPECT_FALSE(exceptional.has(server));
}

void NullSets(Context& c) {
  EXPECT_THAT(SelectNow(c, FD_SETSIZE, nullptr, nullptr), IsOkAndHolds(0));
  EXPECT_THAT(SelectNow(c, 0, nullptr, nullptr), IsOkAndHolds(0));
}

// The number is one more than the last descriptor. The set is read in words:
// what is beyond the number is cleared in the last one, and left alone behind.
void Count(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const int fd = pair.client.fd();
  Set writable = {fd};
  EXPECT_THAT(SelectNow(c, fd + 1, nullptr, &writable), IsOkAndHolds(1));
  EXPECT_TRUE(writable.has(fd));
  EXPECT_THAT(SelectNow(c, 0, nullptr, &writable), IsOkAndHolds(0));
  EXPECT_TRUE(writable.has(fd));
  constexpr int kWord = 64;
  const int last = fd / kWord * kWord + kWord - 1;
  Set beyond = {last};
  EXPECT_THAT(SelectNow(c, last, nullptr, &beyond), IsOkAndHolds(0));
  EXPECT_FALSE(beyond.has(last));
}

void NegativeCount(Context& c) {
  EXPECT_THAT(SelectNow(c, -1, nullptr, nullptr), IsErrno(EINVAL));
}

void NotOpenFails(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const int client = pair.client.fd();
  const int fd = NotOpen(c, client);
  Set writable = {client};
  Set readable = {fd};
  EXPECT_THAT(SelectNow(c, FD_SETSIZE, &readable, &writable), IsErrno(EBADF));
  EXPECT_TRUE(readable.has(fd)) << "the sets are unchanged";
  EXPECT_TRUE(writable.has(client));
  EXPECT_THAT(SelectNow(c, fd, &readable, nullptr), IsOkAndHolds(0))
      << "it is not asked for";
}

void Addresses(Context& c) {
  auto* const bad = reinterpret_cast<fd_set*>(BadAddress());
  timeval now = {};
  EXPECT_THAT(c.sys().Select(1, bad, nullptr, nullptr, &now), IsErrno(EFAULT));
  EXPECT_THAT(c.sys().Select(0, bad, nullptr, nullptr, &now), IsOkAndHolds(0));
}

// POLLIN_SET, POLLOUT_SET and POLLEX_SET of Linux.
void EndsAndErrors(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  const int fd = pair.server.fd();
  ASSERT_THAT(pair.client.Reset(), IsOk());
  Set readable = {fd};
  Set writable = {fd};
  Set exceptional = {fd};
  EXPECT_THAT(SelectNow(c, FD_SETSIZE, &readable, &writable, &exceptional),
              IsOkAndHolds(2));
  EXPECT_FALSE(exceptional.has(fd));
  ASSERT_OK_AND_ASSIGN(PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(pipe.write.Close(), IsOk());
  Set hung_up = {pipe.read.fd()};
  EXPECT_THAT(SelectNow(c, FD_SETSIZE, &hung_up, nullptr), IsOkAndHolds(1));
}

// ---- Waiting ----------------------------------------------------------------

void DataEndsTheWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Set readable = {pair.server.fd()};
  PendingCall selecting(c, [&] {
    return c.sys().Select(FD_SETSIZE, readable.get(), nullptr, nullptr,
                          nullptr);
  });
  ASSERT_TRUE(selecting.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(selecting.Join(), IsOkAndHolds(1));
  EXPECT_TRUE(readable.has(pair.server.fd()));
}

void Interrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Set readable = {pair.server.fd()};
  PendingCall selecting(c, [&] {
    return c.sys().Select(FD_SETSIZE, readable.get(), nullptr, nullptr,
                          nullptr);
  });
  ASSERT_TRUE(selecting.AwaitBlocked());
  selecting.Interrupt();
  EXPECT_THAT(selecting.Join(), IsErrno(EINTR));
  EXPECT_TRUE(readable.has(pair.server.fd())) << "the set is unchanged";
}

void OtherEventsDoNot(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Set exceptional = {pair.server.fd()};
  PendingCall selecting(c, [&] {
    return c.sys().Select(FD_SETSIZE, nullptr, nullptr, exceptional.get(),
                          nullptr);
  });
  ASSERT_TRUE(selecting.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  ASSERT_TRUE(selecting.AwaitBlocked());
  selecting.Interrupt();
  EXPECT_THAT(selecting.Join(), IsErrno(EINTR));
}

void TimesOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Set readable = {pair.server.fd()};
  constexpr int64_t kMilliseconds = 20;
  timeval timeout = {.tv_sec = 0, .tv_usec = kMilliseconds * 1000};
  const double before = Now(c);
  EXPECT_THAT(
      c.sys().Select(FD_SETSIZE, readable.get(), nullptr, nullptr, &timeout),
      IsOkAndHolds(0));
  EXPECT_GE(Now(c) - before, static_cast<double>(kMilliseconds));
  EXPECT_FALSE(readable.has(pair.server.fd()));
  EXPECT_EQ(timeout.tv_sec, 0);
  EXPECT_EQ(timeout.tv_usec, 0);
}

void TimeLeft(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Set writable = {pair.client.fd()};
  timeval timeout = {.tv_sec = 1000, .tv_usec = 2000000};
  EXPECT_THAT(
      c.sys().Select(FD_SETSIZE, nullptr, writable.get(), nullptr, &timeout),
      IsOkAndHolds(1));
  EXPECT_LE(timeout.tv_sec, 1002);
  EXPECT_GT(timeout.tv_sec, 500);
}

void InvalidTime(Context& c) {
  for (timeval time : {timeval{.tv_sec = -1, .tv_usec = 0},
                       timeval{.tv_sec = 0, .tv_usec = -1}}) {
    EXPECT_THAT(c.sys().Select(0, nullptr, nullptr, nullptr, &time),
                IsErrno(EINVAL));
  }
  for (const timespec& time : {timespec{.tv_sec = -1, .tv_nsec = 0},
                               timespec{.tv_sec = 0, .tv_nsec = -1},
                               timespec{.tv_sec = 0, .tv_nsec = 1000000000}}) {
    EXPECT_THAT(c.sys().PSelect6(0, nullptr, nullptr, nullptr, &time, nullptr),
                IsErrno(EINVAL));
  }
}

void PSelectKeepsItsTime(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Set readable = {pair.server.fd()};
  constexpr int64_t kMilliseconds = 20;
  const timespec timeout = {.tv_sec = 0, .tv_nsec = kMilliseconds * 1'000'000};
  const double before = Now(c);
  EXPECT_THAT(c.sys().PSelect6(FD_SETSIZE, readable.get(), nullptr, nullptr,
                               &timeout, nullptr),
              IsOkAndHolds(0));
  EXPECT_GE(Now(c) - before, static_cast<double>(kMilliseconds));
  EXPECT_EQ(timeout.tv_nsec, kMilliseconds * 1'000'000);
  EXPECT_FALSE(readable.has(pair.server.fd()));
  Set writable = {pair.client.fd()};
  EXPECT_THAT(c.sys().PSelect6(FD_SETSIZE, nullptr, writable.get(), nullptr,
                               nullptr, nullptr),
              IsOkAndHolds(1));
}

}  // namespace

const std::vector<Case>& SelectKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.select.ready",
       .requirement = "select(2) must keep the ready descriptors in each set, "
                      "and return how many bits are set in all.",
       .source = "select(2), RETURN VALUE",
       .run = &KeepsTheReady},
      {.id = "kernel.select.null",
       .requirement = "Each set of select(2) may be null.",
       .source = "select(2), DESCRIPTION",
       .families = AddressFamilies::kV4,
       .run = &NullSets},
      {.id = "kernel.select.count",
       .requirement = "select(2) must look at descriptors below its first "
                      "argument only.",
       .source = "select(2), nfds; measured on Linux 6.18",
       .run = &Count},
      {.id = "kernel.select.negative_count",
       .requirement = "select(2) must fail with EINVAL for a negative number "
                      "of descriptors.",
       .source = "select(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &NegativeCount},
      {.id = "kernel.select.not_open",
       .requirement = "select(2) must fail with EBADF if a descriptor is not "
                      "open, and leave the sets unchanged.",
       .source = "select(2), EBADF",
       .run = &NotOpenFails},
      {.id = "kernel.select.address",
       .requirement =
           "select(2) must fail with EFAULT if it cannot read a set, "
           "but not read one of no descriptors.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Addresses},
      {.id = "kernel.select.errors",
       .requirement = "A reset must make a socket readable and writable, and a "
                      "hang-up a pipe readable; neither is an exceptional "
                      "condition.",
       .source = "select(2), NOTES (POLLIN_SET)",
       .run = &EndsAndErrors},
      {.id = "kernel.select.wait.data",
       .requirement = "A select(2) without a timeout must return when data "
                      "arrives.",
       .source = "select(2), DESCRIPTION",
       .run = &DataEndsTheWait},
      {.id = "kernel.select.wait.interrupted",
       .requirement = "A blocked select(2) must fail with EINTR on a signal, "
                      "and leave the sets unchanged.",
       .source = "select(2), EINTR",
       .run = &Interrupted},
      {.id = "kernel.select.wait.other_events",
       .requirement = "Data must not end a select(2) for exceptional "
                      "conditions.",
       .source = "select(2), NOTES (POLLEX_SET)",
       .run = &OtherEventsDoNot},
      {.id = "kernel.select.wait.times_out",
       .requirement = "select(2) must return 0 and clear the sets when its "
                      "timeout expires, and not before.",
       .source = "select(2), timeout",
       .run = &TimesOut},
      {.id = "kernel.select.time_left",
       .requirement =
           "select(2) must set its timeout to the time that is left.",
       .source = "select(2), timeout",
       .run = &TimeLeft},
      {.id = "kernel.select.invalid_time",
       .requirement = "select(2) and pselect(2) must fail with EINVAL for an "
                      "invalid timeout.",
       .source = "select(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &InvalidTime},
      {.id = "kernel.select.pselect",
       .requirement = "pselect(2) must block for its timeout, without limit if "
                      "it is null, and not change it.",
       .source = "select(2), pselect()",
       .run = &PSelectKeepsItsTime},
  };
  return cases;
}

}  // namespace net::conformance
