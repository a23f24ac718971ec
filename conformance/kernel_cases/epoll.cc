// The descriptors and the arguments of epoll_create1(2), epoll_ctl(2),
// epoll_wait(2), epoll_pwait(2) and epoll_pwait2(2).

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/file_commands.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/precondition.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;

constexpr int kNotOpen = 999999;

epoll_event* BadEvents() {
  return reinterpret_cast<epoll_event*>(BadAddress());
}

// ---- epoll_create1(2) -------------------------------------------------------

void CreateFlags(Context& c) {
  for (const int flags : {0, int{EPOLL_CLOEXEC}}) {
    const SysResult made = c.sys().EpollCreate1(flags);
    ASSERT_THAT(made, IsOk());
    const RawSocket epoll(made.fd(), c.sys());
    EXPECT_THAT(Fcntl(epoll, F_GETFD), IsOkAndHolds(flags == 0 ? 0 : 1));
    EXPECT_THAT(Fcntl(epoll, F_GETFL), IsOkAndHolds(O_RDWR));
  }
  EXPECT_THAT(c.sys().EpollCreate1(O_NONBLOCK), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().EpollCreate1(-1), IsErrno(EINVAL));
}

void CreateLimit(Context& c) {
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.sys().EpollCreate1(EPOLL_CLOEXEC), IsErrno(EMFILE));
}

void OtherCalls(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  std::array<char, 8> data = {};
  EXPECT_THAT(c.sys().Read(epoll.fd(), data.data(), 8), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Write(epoll.fd(), data.data(), 8), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Recv(epoll.fd(), data.data(), 8, 0), IsErrno(ENOTSOCK));
  EXPECT_THAT(c.sys().Ioctl(epoll.fd(), FIONREAD,
                            reinterpret_cast<intptr_t>(data.data())),
              IsErrno(EINVAL));
}

// ---- epoll_ctl(2) -----------------------------------------------------------

void NotOpen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(epoll.Add(kNotOpen, EPOLLIN), IsErrno(EBADF));
  EXPECT_THAT(epoll.Remove(-1), IsErrno(EBADF));
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 1}};
  EXPECT_THAT(c.sys().EpollCtl(kNotOpen, EPOLL_CTL_ADD, socket.fd(), &event),
              IsErrno(EBADF));
}

void NotAnEpoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket one, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket two, NewTcp(c));
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 1}};
  EXPECT_THAT(c.sys().EpollCtl(one.fd(), EPOLL_CTL_ADD, two.fd(), &event),
              IsErrno(EINVAL));
}

void Itself(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  EXPECT_THAT(epoll.Add(epoll.fd(), EPOLLIN), IsErrno(EINVAL));
  const SysResult copy = c.sys().Dup(epoll.fd());
  ASSERT_THAT(copy, IsOk());
  const RawSocket other(copy.fd(), c.sys());
  EXPECT_THAT(epoll.Add(other.fd(), EPOLLIN), IsErrno(EINVAL));
}

void Twice(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(epoll.Add(socket.fd(), EPOLLIN), IsOkAndHolds(0));
  EXPECT_THAT(epoll.Add(socket.fd(), EPOLLOUT), IsErrno(EEXIST));
  EXPECT_THAT(epoll.Remove(socket.fd()), IsOkAndHolds(0));
  EXPECT_THAT(epoll.Add(socket.fd(), EPOLLIN), IsOk());
}

void DeletedThenAdded(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(epoll.Add(pipe.write.fd(), EPOLLOUT, 1), IsOk());
  ASSERT_THAT(epoll.Remove(pipe.write.fd()), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
  EXPECT_THAT(epoll.Add(pipe.write.fd(), EPOLLOUT, 2), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT");
}

void NumberOfClosed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(RawSocket first, NewCounter(c));
  const int number = first.fd();
  ASSERT_THAT(epoll.Add(number, EPOLLOUT, 1), IsOk());
  ASSERT_THAT(first.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket second, NewCounter(c));
  ASSERT_EQ(second.fd(), number);
  EXPECT_EQ(epoll.Ready(), "");
  EXPECT_THAT(epoll.Add(number, EPOLLOUT, 2), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT");
}

void Missing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(epoll.Modify(socket.fd(), EPOLLIN), IsErrno(ENOENT));
  EXPECT_THAT(epoll.Remove(socket.fd()), IsErrno(ENOENT));
  ASSERT_THAT(epoll.Add(socket.fd(), EPOLLIN), IsOk());
  const SysResult copy = c.sys().Dup(socket.fd());
  ASSERT_THAT(copy, IsOk());
  const RawSocket other(copy.fd(), c.sys());
  EXPECT_THAT(epoll.Remove(other.fd()), IsErrno(ENOENT));
}

void NullEvent(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int operation : {EPOLL_CTL_ADD, EPOLL_CTL_MOD, 99}) {
    EXPECT_THAT(c.sys().EpollCtl(epoll.fd(), operation, socket.fd(), nullptr),
                IsErrno(EFAULT));
  }
  EXPECT_THAT(c.sys().EpollCtl(-1, EPOLL_CTL_ADD, -1, BadEvents()),
              IsErrno(EFAULT));
  ASSERT_THAT(epoll.Add(socket.fd(), EPOLLIN), IsOk());
  EXPECT_THAT(
      c.sys().EpollCtl(epoll.fd(), EPOLL_CTL_DEL, socket.fd(), BadEvents()),
      IsOk());
}

void UnknownOperation(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 1}};
  for (const int operation : {0, 4, -1}) {
    EXPECT_THAT(c.sys().EpollCtl(epoll.fd(), operation, socket.fd(), &event),
                IsErrno(EINVAL));
    EXPECT_THAT(c.sys().EpollCtl(epoll.fd(), operation, kNotOpen, &event),
                IsErrno(EBADF));
  }
}

void ExclusiveRules(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll inner, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const uint32_t other : {uint32_t{EPOLLONESHOT}, uint32_t{EPOLLRDHUP},
                               uint32_t{EPOLLPRI}, uint32_t{EPOLLRDNORM}}) {
    EXPECT_THAT(epoll.Add(socket.fd(), EPOLLIN | EPOLLEXCLUSIVE | other),
                IsErrno(EINVAL))
        << other;
  }
  EXPECT_THAT(epoll.Add(inner.fd(), EPOLLIN | EPOLLEXCLUSIVE), IsErrno(EINVAL));
  EXPECT_THAT(epoll.Modify(socket.fd(), EPOLLIN | EPOLLEXCLUSIVE),
              IsErrno(EINVAL));
  EXPECT_THAT(epoll.Add(socket.fd(), EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP |
                                         EPOLLET | EPOLLEXCLUSIVE),
              IsOk());
  EXPECT_THAT(epoll.Modify(socket.fd(), EPOLLIN), IsErrno(EINVAL));
  EXPECT_THAT(epoll.Modify(socket.fd(), EPOLLIN | EPOLLEXCLUSIVE),
              IsErrno(EINVAL));
  EXPECT_THAT(epoll.Remove(socket.fd()), IsOk());
}

// ---- epoll_wait(2) -----------------------------------------

void WaitArguments(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  epoll_event event = {};
  EXPECT_THAT(c.sys().EpollWait(kNotOpen, &event, 1, 0), IsErrno(EBADF));
  EXPECT_THAT(c.sys().EpollWait(-1, nullptr, 0, 0), IsErrno(EBADF));
  EXPECT_THAT(c.sys().EpollWait(socket.fd(), &event, 1, 0), IsErrno(EINVAL));
  constexpr int kMost = INT_MAX / sizeof(epoll_event);
  for (const int count : {0, -1, kMost + 1, INT_MAX, INT_MIN}) {
    EXPECT_THAT(c.sys().EpollWait(epoll.fd(), &event, count, 0),
                IsErrno(EINVAL))
        << count;
  }
  // So many events do not fit between the stack and the end of user space.
  EXPECT_THAT(c.sys().EpollWait(epoll.fd(), nullptr, kMost, 0),
              IsOkAndHolds(0));
}

void WaitAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  EXPECT_THAT(c.sys().EpollWait(epoll.fd(), nullptr, 1, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().EpollWait(epoll.fd(), BadEvents(), 1, 0),
              IsOkAndHolds(0));
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  auto* const kernel_memory = reinterpret_cast<epoll_event*>(~uintptr_t{4095});
  EXPECT_THAT(c.sys().EpollWait(epoll.fd(), kernel_memory, 1, 0),
              IsErrno(EFAULT));
  EXPECT_THAT(c.sys().EpollWait(epoll.fd(), kernel_memory, 0, 0),
              IsErrno(EINVAL));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(epoll.Add(counter.fd(), EPOLLOUT | EPOLLET), IsOk());
  EXPECT_THAT(c.sys().EpollWait(epoll.fd(), BadEvents(), 1, 0),
              IsErrno(EFAULT));
  EXPECT_EQ(epoll.Ready(), "1:OUT") << "after a call that failed";
  EXPECT_EQ(epoll.Ready(), "");
}

void InvalidTime(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  epoll_event event = {};
  for (const timespec& time : {timespec{.tv_sec = -1, .tv_nsec = 0},
                               timespec{.tv_sec = 0, .tv_nsec = -1},
                               timespec{.tv_sec = 0, .tv_nsec = 1000000000}}) {
    for (const int fd : {epoll.fd(), kNotOpen}) {
      EXPECT_THAT(c.sys().EpollPWait2(fd, &event, 1, &time, nullptr),
                  IsErrno(EINVAL))
          << time.tv_sec << "s " << time.tv_nsec << "ns";
    }
  }
  const auto* const bad = reinterpret_cast<const timespec*>(BadAddress());
  EXPECT_THAT(c.sys().EpollPWait2(kNotOpen, &event, 1, bad, nullptr),
              IsErrno(EFAULT));
}

void TimedPWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(epoll.Add(counter.fd(), EPOLLIN), IsOk());
  epoll_event event = {};
  for (const int timeout_ms : {0, 20}) {
    EXPECT_THAT(c.sys().EpollPWait(epoll.fd(), &event, 1, timeout_ms, nullptr),
                IsOkAndHolds(0));
  }
  ASSERT_THAT(AddToCounter(counter), IsOk());
  EXPECT_THAT(c.sys().EpollPWait(epoll.fd(), &event, 1, -1, nullptr),
              IsOkAndHolds(1));
  EXPECT_THAT(c.sys().EpollPWait(epoll.fd(), &event, 0, -1, nullptr),
              IsErrno(EINVAL));
  EXPECT_THAT(c.sys().EpollPWait(kNotOpen, &event, 1, -1, nullptr),
              IsErrno(EBADF));
}

void TimedPWait2(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(epoll.Add(counter.fd(), EPOLLIN), IsOk());
  epoll_event event = {};
  const timespec now = {.tv_sec = 0, .tv_nsec = 0};
  EXPECT_THAT(c.sys().EpollPWait2(epoll.fd(), &event, 1, &now, nullptr),
              IsOkAndHolds(0));
  const timespec soon = {.tv_sec = 0, .tv_nsec = 20000000};
  EXPECT_THAT(c.sys().EpollPWait2(epoll.fd(), &event, 1, &soon, nullptr),
              IsOkAndHolds(0));
  EXPECT_EQ(soon.tv_nsec, 20000000);
  ASSERT_THAT(AddToCounter(counter), IsOk());
  EXPECT_THAT(c.sys().EpollPWait2(epoll.fd(), &event, 1, &soon, nullptr),
              IsOkAndHolds(1));
  EXPECT_THAT(c.sys().EpollPWait2(epoll.fd(), &event, 1, nullptr, nullptr),
              IsOkAndHolds(1));
}

void FileWithoutPoll(Context& c) {
  winsize window = {};
  if (c.sys().Fcntl(STDOUT_FILENO, F_GETPIPE_SZ, 0).ok() ||
      c.sys()
          .Ioctl(STDOUT_FILENO, TIOCGWINSZ, reinterpret_cast<intptr_t>(&window))
          .ok()) {
    return NotePrecondition("the standard output is a pipe or a terminal");
  }
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  EXPECT_THAT(epoll.Add(STDOUT_FILENO, EPOLLIN), IsErrno(EPERM));
}

}  // namespace

const std::vector<Case>& EpollKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.epoll.control.no_poll",
       .requirement = "EPOLL_CTL_ADD of a file that does not support poll(2) "
                      "must fail with EPERM.",
       .source = "epoll_ctl(2), EPERM",
       .run = &FileWithoutPoll},
      {.id = "kernel.epoll.create.flags",
       .requirement = "epoll_create1(2) must make the descriptor close-on-exec "
                      "if EPOLL_CLOEXEC is given, and must fail with EINVAL "
                      "for another flag.",
       .source = "epoll_create(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &CreateFlags},
      {.id = "kernel.epoll.create.limit",
       .requirement = "epoll_create1(2) must fail with EMFILE if RLIMIT_NOFILE "
                      "is reached.",
       .source = "epoll_create(2), EMFILE",
       .families = AddressFamilies::kV4,
       .run = &CreateLimit},
      {.id = "kernel.epoll.create.other_calls",
       .requirement = "read(2), write(2) and FIONREAD on an epoll must fail "
                      "with EINVAL, and recv(2) with ENOTSOCK.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OtherCalls},
      {.id = "kernel.epoll.ctl.not_open",
       .requirement = "epoll_ctl(2) must fail with EBADF if a descriptor is "
                      "not open.",
       .source = "epoll_ctl(2), EBADF",
       .families = AddressFamilies::kV4,
       .run = &NotOpen},
      {.id = "kernel.epoll.ctl.not_an_epoll",
       .requirement = "epoll_ctl(2) must fail with EINVAL if the first "
                      "descriptor is not an epoll.",
       .source = "epoll_ctl(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &NotAnEpoll},
      {.id = "kernel.epoll.ctl.itself",
       .requirement = "epoll_ctl(2) must fail with EINVAL if an epoll is to be "
                      "added to itself, also by a duplicated descriptor.",
       .source = "epoll_ctl(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &Itself},
      {.id = "kernel.epoll.ctl.twice",
       .requirement = "EPOLL_CTL_ADD must fail with EEXIST for a descriptor "
                      "that is in the interest list.",
       .source = "epoll_ctl(2), EEXIST",
       .families = AddressFamilies::kV4,
       .run = &Twice},
      {.id = "kernel.epoll.ctl.deleted_then_added",
       .requirement = "After EPOLL_CTL_DEL, EPOLL_CTL_ADD must succeed again, "
                      "with other data.",
       .source = "epoll_ctl(2), EPOLL_CTL_DEL",
       .families = AddressFamilies::kV4,
       .run = &DeletedThenAdded},
      {.id = "kernel.epoll.ctl.number_of_closed",
       .requirement =
           "EPOLL_CTL_ADD must succeed for a descriptor whose number "
           "an entry had that was closed.",
       .source = "epoll(7), Questions and answers, 6",
       .families = AddressFamilies::kV4,
       .run = &NumberOfClosed},
      {.id = "kernel.epoll.ctl.missing",
       .requirement = "EPOLL_CTL_MOD and EPOLL_CTL_DEL must fail with ENOENT "
                      "for a descriptor that is not in the interest list.",
       .source = "epoll_ctl(2), ENOENT",
       .families = AddressFamilies::kV4,
       .run = &Missing},
      {.id = "kernel.epoll.ctl.null_event",
       .requirement = "epoll_ctl(2) must fail with EFAULT if the event cannot "
                      "be read, before it looks at the descriptors. "
                      "EPOLL_CTL_DEL must not read it.",
       .source = "epoll_ctl(2), BUGS; fs/eventpoll.c, epoll_ctl",
       .families = AddressFamilies::kV4,
       .run = &NullEvent},
      {.id = "kernel.epoll.ctl.unknown",
       .requirement = "epoll_ctl(2) must fail with EINVAL for an unknown "
                      "operation, after it has looked at the descriptors.",
       .source = "epoll_ctl(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &UnknownOperation},
      {.id = "kernel.epoll.ctl.exclusive",
       .requirement = "epoll_ctl(2) must fail with EINVAL if EPOLLEXCLUSIVE is "
                      "given to EPOLL_CTL_MOD, for an epoll, or with another "
                      "event than EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, "
                      "EPOLLWAKEUP and EPOLLET, or if an exclusive entry is to "
                      "be modified.",
       .source = "epoll_ctl(2), EPOLLEXCLUSIVE and EINVAL",
       .families = AddressFamilies::kV4,
       .run = &ExclusiveRules},
      {.id = "kernel.epoll.wait.arguments",
       .requirement = "epoll_wait(2) must fail with EBADF if the descriptor is "
                      "not open, before it checks the number of events, and "
                      "with EINVAL if it is not an epoll, or the number is not "
                      "positive or more than INT_MAX bytes.",
       .source = "epoll_wait(2), EBADF and EINVAL; fs/eventpoll.c, "
                 "do_epoll_wait",
       .families = AddressFamilies::kV4,
       .run = &WaitArguments},
      {.id = "kernel.epoll.wait.address",
       .requirement = "epoll_wait(2) must fail with EFAULT if an event cannot "
                      "be written, and report it in the next call. Without an "
                      "event, it must return 0.",
       .source = "epoll_wait(2), EFAULT; fs/eventpoll.c, ep_send_events",
       .families = AddressFamilies::kV4,
       .run = &WaitAddress},
      {.id = "kernel.epoll.pwait",
       .requirement = "epoll_pwait(2) with a null mask must do what "
                      "epoll_wait(2) does.",
       .source = "epoll_wait(2), epoll_pwait()",
       .families = AddressFamilies::kV4,
       .run = &TimedPWait},
      {.id = "kernel.epoll.pwait2.invalid_time",
       .requirement = "epoll_pwait2(2) must fail with EINVAL if the timeout is "
                      "negative or its nanoseconds are not below one second, "
                      "before it looks at the descriptor.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &InvalidTime},
      {.id = "kernel.epoll.pwait2.time",
       .requirement = "epoll_pwait2(2) must block for its timeout, and without "
                      "limit if it is null.",
       .source = "epoll_wait(2), epoll_pwait2()",
       .families = AddressFamilies::kV4,
       .run = &TimedPWait2},
  };
  return cases;
}

}  // namespace net::conformance
