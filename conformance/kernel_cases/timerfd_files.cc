// The calls of a timerfd's file: read(2), write(2), fcntl(2), dup(2), poll(2)
// and epoll(7).

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/timerfd_helpers.h"
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

using loopback::RawSocket;

// ---- read(2) and write(2) ---------------------------------------------------

void ReadSizes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  std::array<uint64_t, 2> counts = {0, 7};
  EXPECT_THAT(c.sys().Read(timer.fd(), counts.data(), 7), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Read(timer.fd(), counts.data(), sizeof(counts)),
              IsOkAndHolds(8));
  EXPECT_EQ(counts[0], 1U);
  EXPECT_EQ(counts[1], 7U);
  EXPECT_THAT(c.sys().Read(timer.fd(), counts.data(), 7), IsErrno(EINVAL));
}

void ReadAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  EXPECT_THAT(c.sys().Read(timer.fd(), BadAddress(), 8), IsErrno(EFAULT));
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN)) << "the expiration is lost";
}

void ReadParts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  std::array<uint32_t, 2> halves = {7, 7};
  const std::array<iovec, 2> parts = {iovec{halves.data(), 4},
                                      iovec{&halves[1], 4}};
  EXPECT_THAT(c.sys().ReadV(timer.fd(), parts.data(), 2), IsOkAndHolds(8));
  EXPECT_EQ(halves[0] + halves[1], 1U);
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  const std::array<iovec, 2> bad = {iovec{halves.data(), 4},
                                    iovec{BadAddress(), 4}};
  EXPECT_THAT(c.sys().ReadV(timer.fd(), bad.data(), 2), IsOkAndHolds(4));
}

void Written(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  const uint64_t one = 1;
  EXPECT_THAT(c.sys().Write(timer.fd(), &one, sizeof(one)), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Write(timer.fd(), BadAddress(), sizeof(one)),
              IsErrno(EINVAL));
  const iovec part = {.iov_base = nullptr, .iov_len = 0};
  EXPECT_THAT(c.sys().WriteV(timer.fd(), &part, 1), IsErrno(EINVAL));
}

void Requests(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  EXPECT_THAT(Ask(timer, FIONREAD), IsErrno(ENOTTY));
  EXPECT_THAT(c.sys().Fcntl(timer.fd(), F_SETFL, O_DIRECT), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Fcntl(timer.fd(), F_SETFL, 0), IsOk());
  EXPECT_THAT(c.sys().Fcntl(timer.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
}

void Duplicates(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket timer, NewTimer(c));
  const SysResult made = c.sys().Dup(timer.fd());
  ASSERT_THAT(made, IsOk());
  const RawSocket copy(made.fd(), c.sys());
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  EXPECT_THAT(ReadTimer(copy), IsOkAndHolds(1));
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
  ASSERT_THAT(timer.Close(), IsOk());
  ASSERT_THAT(SetTimerBack(copy, 5), IsOk());
  EXPECT_THAT(ReadTimer(copy), IsOkAndHolds(1));
}

// ---- Waiting ----------------------------------------------------------------

void NotEarly(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c, 0, CLOCK_MONOTONIC));
  constexpr int kMilliseconds = 20;
  const double before = Now(c);
  ASSERT_THAT(SetTimer(timer, InMilliseconds(kMilliseconds)), IsOk());
  EXPECT_THAT(ReadTimer(timer), IsOkAndHolds(1));
  EXPECT_GE(Now(c) - before, kMilliseconds);
}

// ---- poll(2) and epoll(7) ---------------------------------------------------

void Polled(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  constexpr int16_t kAll = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLPRI;
  EXPECT_THAT(timer.Ready(kAll), IsOkAndHolds(0));
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  EXPECT_THAT(timer.Ready(kAll), IsOkAndHolds(POLLIN));
  ASSERT_THAT(ReadTimer(timer), IsOk());
  EXPECT_THAT(timer.Ready(kAll), IsOkAndHolds(0));
}

void EndsAPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer,
                       NewTimer(c, TFD_NONBLOCK, CLOCK_MONOTONIC));
  const double before = Now(c);
  ASSERT_THAT(SetTimer(timer, InMilliseconds(5)), IsOk());
  EXPECT_THAT(timer.Wait(POLLIN), IsOkAndHolds(POLLIN));
  EXPECT_GE(Now(c) - before, 5);
}

void EndsAnEpollWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer,
                       NewTimer(c, TFD_NONBLOCK, CLOCK_MONOTONIC));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(timer.fd(), EPOLLIN), IsOk());
  const double before = Now(c);
  ASSERT_THAT(SetTimer(timer, InMilliseconds(5)), IsOk());
  EXPECT_EQ(epoll.Await(), "1:IN");
  EXPECT_GE(Now(c) - before, 5);
  EXPECT_EQ(epoll.Ready(), "1:IN");
  ASSERT_THAT(ReadTimer(timer), IsOkAndHolds(1));
  EXPECT_EQ(epoll.Ready(), "");
}

void SetWhileWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(timer.fd(), EPOLLIN), IsOk());
  epoll_event event = {};
  PendingCall waiting(
      c, [&] { return c.sys().EpollWait(epoll.fd(), &event, 1, -1); });
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  EXPECT_THAT(waiting.Join(), IsOkAndHolds(1));
}

void EdgeTriggered(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(timer.fd(), EPOLLIN | EPOLLET), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN") << "it has expired again, unread";
  ASSERT_THAT(ReadTimer(timer), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
}

}  // namespace

const std::vector<Case>& TimerfdFilesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.timerfd.read.size",
       .requirement = "read(2) of a timerfd must fail with EINVAL for fewer "
                      "than 8 bytes, and fill in 8 of more.",
       .source = "timerfd_create(2), read(2)",
       .families = AddressFamilies::kV4,
       .run = &ReadSizes},
      {.id = "kernel.timerfd.read.address",
       .requirement = "read(2) of a timerfd that fails with EFAULT must lose "
                      "the expirations.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &ReadAddress},
      {.id = "kernel.timerfd.read.parts",
       .requirement = "readv(2) of a timerfd must spread the number over the "
                      "buffers, and return the bytes before an invalid one.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &ReadParts},
      {.id = "kernel.timerfd.write",
       .requirement = "write(2) to a timerfd must fail with EINVAL.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Written},
      {.id = "kernel.timerfd.control",
       .requirement = "ioctl(2) with FIONREAD must fail with ENOTTY on a "
                      "timerfd; fcntl(2) must set and clear O_NONBLOCK, and "
                      "refuse O_DIRECT with EINVAL.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Requests},
      {.id = "kernel.timerfd.dup",
       .requirement = "Duplicates of a timerfd must share the timer, which "
                      "lives as long as one of them.",
       .source = "dup(2)",
       .families = AddressFamilies::kV4,
       .run = &Duplicates},
      {.id = "kernel.timerfd.wait.not_early",
       .requirement = "A blocking read(2) of a timerfd must not return before "
                      "the timer expires.",
       .source = "timerfd_create(2), read(2)",
       .families = AddressFamilies::kV4,
       .run = &NotEarly},
      {.id = "kernel.timerfd.poll",
       .requirement = "poll(2) must return POLLIN, and nothing else, for a "
                      "timerfd with expirations that were not read.",
       .source = "timerfd_create(2), poll(2); measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Polled},
      {.id = "kernel.timerfd.poll.wait",
       .requirement = "A poll(2) must return when a timerfd expires.",
       .source = "timerfd_create(2), poll(2)",
       .families = AddressFamilies::kV4,
       .run = &EndsAPoll},
      {.id = "kernel.timerfd.epoll.wait",
       .requirement = "epoll_wait(2) must return when a timerfd expires, and "
                      "report it until it is read.",
       .source = "timerfd_create(2), poll(2); epoll(7)",
       .families = AddressFamilies::kV4,
       .run = &EndsAnEpollWait},
      {.id = "kernel.timerfd.epoll.set",
       .requirement = "A timer that is set while an epoll_wait(2) is blocked "
                      "must end it when it expires.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &SetWhileWaiting},
      {.id = "kernel.timerfd.epoll.edge",
       .requirement = "With EPOLLET, a timerfd must be reported once for each "
                      "expiration, even if it was not read.",
       .source = "epoll(7), EPOLLET; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &EdgeTriggered},
  };
  return cases;
}

}  // namespace net::conformance
