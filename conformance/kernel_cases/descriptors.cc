// Descriptors: flags, numbers, duplicates, the limit, exec, pipes and eventfds.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
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

using loopback::ConnectTo;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

// ---- Flags ------------------------------------------------------------------

void FlagsOfSocket(Context& c) {
  const SysResult made = c.sys().Socket(c.family(), SOCK_STREAM, 0);
  ASSERT_THAT(made, IsOk());
  const RawSocket plain(made.fd(), c.sys());
  EXPECT_THAT(c.sys().Fcntl(plain.fd(), F_GETFD, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(plain.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
  ASSERT_OK_AND_ASSIGN(const RawSocket both, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(c.sys().Fcntl(both.fd(), F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
  EXPECT_THAT(c.sys().Fcntl(both.fd(), F_GETFL, 0),
              IsOkAndHolds(O_RDWR | O_NONBLOCK));
}

// F_SETFD ignores all bits except FD_CLOEXEC.
void SetDescriptorFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(c.sys().Fcntl(socket.fd(), F_SETFD, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFD, 0), IsOkAndHolds(0));
  ASSERT_THAT(c.sys().Fcntl(socket.fd(), F_SETFD, 0xff), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
}

// F_SETFL cannot change the access mode.
void SetStatusFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(c.sys().Fcntl(socket.fd(), F_SETFL, O_NONBLOCK | O_WRONLY),
              IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFL, 0),
              IsOkAndHolds(O_RDWR | O_NONBLOCK));
  ASSERT_THAT(c.sys().Fcntl(socket.fd(), F_SETFL, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
}

void NonblockByIoctl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  int on = 1;
  const auto argument = reinterpret_cast<intptr_t>(&on);
  ASSERT_THAT(c.sys().Ioctl(socket.fd(), FIONBIO, argument), IsOk());
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFL, 0),
              IsOkAndHolds(O_RDWR | O_NONBLOCK));
  on = 0;
  ASSERT_THAT(c.sys().Ioctl(socket.fd(), FIONBIO, argument), IsOk());
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
}

void UnknownCommand(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), 9999, 0), IsErrno(EINVAL));
}

// ---- Duplicates -------------------------------------------------------------

// Status flags belong to the open file, FD_CLOEXEC to the descriptor.
void SharedFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const SysResult copy = c.sys().Dup(socket.fd());
  ASSERT_THAT(copy, IsOk());
  const RawSocket other(copy.fd(), c.sys());
  EXPECT_THAT(c.sys().Fcntl(other.fd(), F_GETFD, 0), IsOkAndHolds(0));
  ASSERT_THAT(c.sys().Fcntl(other.fd(), F_SETFL, O_NONBLOCK), IsOk());
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFL, 0),
              IsOkAndHolds(O_RDWR | O_NONBLOCK));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
}

void Dup3Flags(Context& c) {
  constexpr int kFree = 100;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(c.sys().Dup3(socket.fd(), kFree, 0), IsOkAndHolds(kFree));
  const RawSocket plain(kFree, c.sys());
  EXPECT_THAT(c.sys().Fcntl(kFree, F_GETFD, 0), IsOkAndHolds(0));
  ASSERT_THAT(c.sys().Dup3(socket.fd(), kFree, O_CLOEXEC), IsOkAndHolds(kFree));
  EXPECT_THAT(c.sys().Fcntl(kFree, F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
}

// The descriptor that had the new number is closed, as by close(2).
void Dup3Closes(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(c.sys().Dup3(socket.fd(), pair.client.fd(), O_CLOEXEC),
              IsOkAndHolds(pair.client.fd()));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
  EXPECT_THAT(pair.client.PeerEndpoint(), IsErrno(ENOTCONN));
}

void Dup3Mistakes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const int fd = socket.fd();
  EXPECT_THAT(c.sys().Dup3(fd, fd, 0), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Dup3(fd, fd + 1, O_NONBLOCK), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Dup3(fd, -1, 0), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Dup3(999999, 100, 0), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Dup3(-1, -1, 0), IsErrno(EINVAL));
}

void DuplicateFromNumber(Context& c) {
  constexpr int kFrom = 100;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(c.sys().Fcntl(socket.fd(), F_DUPFD, kFrom), IsOkAndHolds(kFrom));
  const RawSocket plain(kFrom, c.sys());
  ASSERT_THAT(c.sys().Fcntl(socket.fd(), F_DUPFD_CLOEXEC, kFrom),
              IsOkAndHolds(kFrom + 1));
  const RawSocket cloexec(kFrom + 1, c.sys());
  EXPECT_THAT(c.sys().Fcntl(plain.fd(), F_GETFD, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(cloexec.fd(), F_GETFD, 0),
              IsOkAndHolds(FD_CLOEXEC));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_DUPFD, -1), IsErrno(EINVAL));
}

// ---- Numbers ----------------------------------------------------------------

void LowestFree(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket first, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket second, NewTcp(c));
  EXPECT_GT(second.fd(), first.fd());
  const int lowest = first.fd();
  ASSERT_THAT(first.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket third, NewTcp(c));
  EXPECT_EQ(third.fd(), lowest);
}

void LowestFreeOfAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket first, NewTcp(c));
  const int lowest = first.fd();
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(first.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_EQ(server.fd(), lowest);
}

void PipeTakesTheTwoLowest(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket first, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(RawSocket second, NewTcp(c));
  const std::array<int, 2> lowest = {first.fd(), second.fd()};
  ASSERT_THAT(second.Close(), IsOk());
  ASSERT_THAT(first.Close(), IsOk());
  std::array<int, 2> pipe = {};
  ASSERT_THAT(c.sys().Pipe2(pipe.data(), O_CLOEXEC), IsOk());
  const RawSocket reader(pipe[0], c.sys());
  const RawSocket writer(pipe[1], c.sys());
  EXPECT_EQ(pipe, lowest);
}

// ---- The limit --------------------------------------------------------------

// Expects that `call`, which makes a descriptor, fails with `error` at the
// limit, and succeeds below it.
void ExpectNoneLeft(Context& c, absl::FunctionRef<SysResult(int fd)> call,
                    int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(call(socket.fd()), IsErrno(error));
  c.env().LimitDescriptors(std::nullopt);
  const SysResult made = call(socket.fd());
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(c.sys().Close(made.fd()), IsOk());
}

void NoneLeftForSocket(Context& c) {
  ExpectNoneLeft(
      c, [&](int) { return c.sys().Socket(c.family(), SOCK_STREAM, 0); },
      EMFILE);
}

void NoneLeftForDup(Context& c) {
  ExpectNoneLeft(
      c, [&](int fd) { return c.sys().Dup(fd); }, EMFILE);
  ExpectNoneLeft(
      c, [&](int fd) { return c.sys().Fcntl(fd, F_DUPFD, 0); }, EMFILE);
}

void NoneLeftForEventFd(Context& c) {
  ExpectNoneLeft(
      c, [&](int) { return c.sys().EventFd(0, 0); }, EMFILE);
}

// For a number beyond the limit, dup3(2) fails with EBADF, F_DUPFD with EINVAL.
void BeyondTheLimit(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.sys().Dup3(socket.fd(), 100000, 0), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Fcntl(socket.fd(), F_DUPFD, 100000), IsErrno(EINVAL));
}

// A pipe needs two descriptors, and uses none if only one is free.
void OneLeftForPipe(Context& c) {
  c.env().LimitDescriptors(1);
  std::array<int, 2> pipe = {-7, -7};
  EXPECT_THAT(c.sys().Pipe2(pipe.data(), 0), IsErrno(EMFILE));
  EXPECT_EQ(pipe[0], -7);
  EXPECT_THAT(NewTcp(c), IsOk());
}

void LimitSparesTheOpen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  c.env().LimitDescriptors(0);
  ASSERT_THAT(pair.client.Send("still"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("still"));
  EXPECT_THAT(pair.server.Ready(POLLOUT), IsOkAndHolds(POLLOUT));
}

// socket(2) checks its arguments before it allocates a descriptor.
void WrongAndNoneLeft(Context& c) {
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.sys().Socket(c.family(), SOCK_STREAM, IPPROTO_UDP),
              IsErrno(EPROTONOSUPPORT));
  EXPECT_THAT(c.sys().Socket(99, SOCK_STREAM, 0), IsErrno(EAFNOSUPPORT));
}

// ---- exec -------------------------------------------------------------------

void ExecCloses(Context& c) {
  // Numbers that the executed program does not use itself.
  constexpr int kKept = 100;
  constexpr int kClosed = 101;
  constexpr int kMadeToClose = 102;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(c.sys().Dup3(socket.fd(), kKept, 0), IsOk());
  const RawSocket kept(kKept, c.sys());
  ASSERT_THAT(c.sys().Dup3(socket.fd(), kClosed, O_CLOEXEC), IsOk());
  const RawSocket closed(kClosed, c.sys());
  ASSERT_THAT(c.sys().Dup3(socket.fd(), kMadeToClose, 0), IsOk());
  const RawSocket made_to_close(kMadeToClose, c.sys());
  ASSERT_THAT(c.sys().Fcntl(kMadeToClose, F_SETFD, FD_CLOEXEC), IsOk());
  const auto open = c.env().DescriptorsAfterExec();
  EXPECT_TRUE(HasOwnFd(open, kKept));
  EXPECT_FALSE(HasOwnFd(open, kClosed));
  EXPECT_FALSE(HasOwnFd(open, kMadeToClose));
}

// ---- Pipes and eventfds -----------------------------------------------------

void PipeCarries(Context& c) {
  std::array<int, 2> pipe = {};
  ASSERT_THAT(c.sys().Pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK), IsOk());
  const RawSocket reader(pipe[0], c.sys());
  RawSocket writer(pipe[1], c.sys());
  std::array<char, 4> buffer = {};
  EXPECT_THAT(c.sys().Read(reader.fd(), buffer.data(), 4), IsErrno(EAGAIN));
  ASSERT_THAT(c.sys().Write(writer.fd(), "abc", 3), IsOkAndHolds(3));
  EXPECT_THAT(c.sys().Read(reader.fd(), buffer.data(), 4), IsOkAndHolds(3));
  EXPECT_STREQ(buffer.data(), "abc");
  EXPECT_THAT(c.sys().Write(reader.fd(), "x", 1), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Read(writer.fd(), buffer.data(), 1), IsErrno(EBADF));
  ASSERT_THAT(writer.Close(), IsOk());
  EXPECT_THAT(c.sys().Read(reader.fd(), buffer.data(), 4), IsOkAndHolds(0));
}

void PipeMistakes(Context& c) {
  std::array<int, 2> pipe = {};
  EXPECT_THAT(c.sys().Pipe2(pipe.data(), O_TRUNC), IsErrno(EINVAL));
}

void CounterCounts(Context& c) {
  const SysResult made = c.sys().EventFd(2, EFD_CLOEXEC | EFD_NONBLOCK);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  uint64_t value = 3;
  ASSERT_THAT(c.sys().Write(counter.fd(), &value, sizeof(value)),
              IsOkAndHolds(8));
  ASSERT_THAT(c.sys().Read(counter.fd(), &value, sizeof(value)),
              IsOkAndHolds(8));
  EXPECT_EQ(value, 5U);
  EXPECT_THAT(c.sys().Read(counter.fd(), &value, sizeof(value)),
              IsErrno(EAGAIN));
  EXPECT_THAT(c.sys().Read(counter.fd(), &value, 4), IsErrno(EINVAL));
}

void CounterMistakes(Context& c) {
  EXPECT_THAT(c.sys().EventFd(0, 1 << 5), IsErrno(EINVAL));
}

// With EFD_SEMAPHORE each read(2) returns 1.
void CounterAsSemaphore(Context& c) {
  const SysResult made =
      c.sys().EventFd(2, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  uint64_t value = 0;
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(c.sys().Read(counter.fd(), &value, sizeof(value)), IsOk());
    EXPECT_EQ(value, 1U);
  }
  EXPECT_THAT(c.sys().Read(counter.fd(), &value, sizeof(value)),
              IsErrno(EAGAIN));
}

}  // namespace

const std::vector<Case>& DescriptorsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.descriptors.flags.socket",
       .requirement = "A new descriptor must have the flags of SOCK_CLOEXEC "
                      "and SOCK_NONBLOCK if they are given, and no others.",
       .source = "socket(2), DESCRIPTION",
       .run = &FlagsOfSocket},
      {.id = "kernel.descriptors.flags.set_descriptor",
       .requirement =
           "F_SETFD must set or clear FD_CLOEXEC, and ignore other bits.",
       .source = "fcntl(2), F_SETFD",
       .run = &SetDescriptorFlags},
      {.id = "kernel.descriptors.flags.set_status",
       .requirement = "F_SETFL must set or clear O_NONBLOCK, and not change "
                      "the access mode.",
       .source = "fcntl(2), F_SETFL",
       .run = &SetStatusFlags},
      {.id = "kernel.descriptors.flags.nonblock_by_ioctl",
       .requirement = "FIONBIO must set and clear O_NONBLOCK.",
       .source = "ioctl(2); measured on Linux 6.18",
       .run = &NonblockByIoctl},
      {.id = "kernel.descriptors.fcntl.unknown",
       .requirement = "fcntl(2) with an unknown command must fail with EINVAL.",
       .source = "fcntl(2), EINVAL",
       .run = &UnknownCommand},
      {.id = "kernel.descriptors.dup.shared_flags",
       .requirement = "Duplicates must share O_NONBLOCK, but each have its own "
                      "FD_CLOEXEC, which dup(2) must clear.",
       .source = "dup(2), DESCRIPTION",
       .run = &SharedFlags},
      {.id = "kernel.descriptors.dup3.flags",
       .requirement = "dup3(2) must return the given number, and set "
                      "FD_CLOEXEC if O_CLOEXEC is given.",
       .source = "dup(2), dup3()",
       .run = &Dup3Flags},
      {.id = "kernel.descriptors.dup3.closes",
       .requirement =
           "dup3(2) must close the descriptor that had the given number.",
       .source = "dup(2), dup2()",
       .run = &Dup3Closes},
      {.id = "kernel.descriptors.dup3.mistakes",
       .requirement = "dup3(2) must fail with EINVAL for equal descriptors and "
                      "unknown flags, and then with EBADF for bad descriptors.",
       .source = "dup(2), EINVAL, EBADF",
       .families = AddressFamilies::kV4,
       .run = &Dup3Mistakes},
      {.id = "kernel.descriptors.fcntl.duplicate",
       .requirement = "F_DUPFD must return the lowest free number that is not "
                      "below the given one.",
       .source = "fcntl(2), F_DUPFD",
       .run = &DuplicateFromNumber},
      {.id = "kernel.descriptors.number.lowest_free",
       .requirement = "socket(2) must return the lowest free number.",
       .source = "open(2), DESCRIPTION; POSIX, File Descriptor Allocation",
       .run = &LowestFree},
      {.id = "kernel.descriptors.number.lowest_free_of_accept",
       .requirement = "accept(2) must return the lowest free number.",
       .source = "POSIX, File Descriptor Allocation",
       .run = &LowestFreeOfAccept},
      {.id = "kernel.descriptors.number.pipe",
       .requirement = "pipe2(2) must return the two lowest free numbers, the "
                      "read end first.",
       .source = "pipe(2); POSIX, File Descriptor Allocation",
       .families = AddressFamilies::kV4,
       .run = &PipeTakesTheTwoLowest},
      {.id = "kernel.descriptors.none_left.socket",
       .requirement =
           "socket(2) must fail with EMFILE at the limit of open descriptors.",
       .source = "socket(2), EMFILE",
       .run = &NoneLeftForSocket},
      {.id = "kernel.descriptors.none_left.dup",
       .requirement = "dup(2) and F_DUPFD must fail with EMFILE at the limit "
                      "of open descriptors.",
       .source = "dup(2), EMFILE; fcntl(2), EMFILE",
       .run = &NoneLeftForDup},
      {.id = "kernel.descriptors.none_left.eventfd",
       .requirement =
           "eventfd(2) must fail with EMFILE at the limit of open descriptors.",
       .source = "eventfd(2), EMFILE",
       .families = AddressFamilies::kV4,
       .run = &NoneLeftForEventFd},
      {.id = "kernel.descriptors.none_left.beyond_limit",
       .requirement = "For a number beyond the limit, dup3(2) must fail with "
                      "EBADF and F_DUPFD with EINVAL.",
       .source = "dup(2), EBADF; fcntl(2), EINVAL",
       .run = &BeyondTheLimit},
      {.id = "kernel.descriptors.none_left.pipe",
       .requirement = "pipe2(2) must fail with EMFILE if only one descriptor "
                      "is free, and must not use it or write to the array.",
       .source = "pipe(2), EMFILE",
       .families = AddressFamilies::kV4,
       .run = &OneLeftForPipe},
      {.id = "kernel.descriptors.none_left.spares_open",
       .requirement =
           "Open descriptors must stay usable after the limit is lowered.",
       .source = "getrlimit(2), RLIMIT_NOFILE; measured on Linux 6.18",
       .run = &LimitSparesTheOpen},
      {.id = "kernel.descriptors.none_left.and_wrong",
       .requirement = "socket(2) must report bad arguments even at the limit "
                      "of open descriptors.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &WrongAndNoneLeft},
      {.id = "kernel.descriptors.exec.closes",
       .requirement = "exec must close the descriptors that have FD_CLOEXEC, "
                      "and no others.",
       .source = "execve(2); fcntl(2), FD_CLOEXEC",
       .needs = Need::kExec,
       .run = &ExecCloses},
      {.id = "kernel.descriptors.pipe.carries",
       .requirement = "A pipe must carry bytes in one direction, and the read "
                      "end must return 0 once the write end is closed.",
       .source = "pipe(2); pipe(7)",
       .families = AddressFamilies::kV4,
       .run = &PipeCarries},
      {.id = "kernel.descriptors.pipe.unknown_flag",
       .requirement = "pipe2(2) with an unknown flag must fail with EINVAL.",
       .source = "pipe(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &PipeMistakes},
      {.id = "kernel.descriptors.eventfd.counts",
       .requirement = "write(2) to an eventfd must add to its counter, and "
                      "read(2) must return the counter and set it to 0.",
       .source = "eventfd(2), DESCRIPTION",
       .families = AddressFamilies::kV4,
       .run = &CounterCounts},
      {.id = "kernel.descriptors.eventfd.semaphore",
       .requirement = "read(2) of an eventfd with EFD_SEMAPHORE must return 1 "
                      "and decrement the counter by 1.",
       .source = "eventfd(2), EFD_SEMAPHORE",
       .families = AddressFamilies::kV4,
       .run = &CounterAsSemaphore},
      {.id = "kernel.descriptors.eventfd.unknown_flag",
       .requirement = "eventfd(2) with an unknown flag must fail with EINVAL.",
       .source = "eventfd(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &CounterMistakes},
  };
  return cases;
}

}  // namespace net::conformance
