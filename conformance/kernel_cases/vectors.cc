// readv(2) and writev(2), of sockets, pipes, eventfds and epolls.

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
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
using loopback::RawSocket;

// A number that no open descriptor has.
constexpr int kNotOpen = 999999;

constexpr size_t kPage = 4096;  // Of a pipe.

// Buffers for a call. The strings must not move meanwhile.
class Buffers {
 public:
  Buffers& Add(std::string& buffer) {
    parts_.push_back({.iov_base = buffer.data(), .iov_len = buffer.size()});
    return *this;
  }
  Buffers& AddBad(size_t size) {
    parts_.push_back({.iov_base = BadAddress(), .iov_len = size});
    return *this;
  }

  SysResult Read(Context& c, int fd) const {
    return c.sys().ReadV(fd, parts_.data(), static_cast<int>(parts_.size()));
  }
  SysResult Write(Context& c, int fd) const {
    return c.sys().WriteV(fd, parts_.data(), static_cast<int>(parts_.size()));
  }

 private:
  std::vector<iovec> parts_;
};

SysResult ReadString(Context& c, const RawSocket& file, std::string& to) {
  return c.sys().Read(file.fd(), to.data(), to.size());
}

// ---- Streams ----------------------------------------------------------------

void GatheredAndScattered(Context& c, int from, int to) {
  std::string one = "one";
  std::string nothing;
  std::string two = "two";
  EXPECT_THAT(Buffers().Add(one).Add(nothing).Add(two).Write(c, from),
              IsOkAndHolds(6));
  std::string first(4, '.');
  std::string second(4, '.');
  EXPECT_THAT(Buffers().Add(first).Add(nothing).Add(second).Read(c, to),
              IsOkAndHolds(6));
  EXPECT_EQ(first, "onet");
  EXPECT_EQ(second, "wo..");
}

void OfASocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  GatheredAndScattered(c, pair.client.fd(), pair.server.fd());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  std::string more(4, '.');
  EXPECT_THAT(Buffers().Add(more).Read(c, pair.server.fd()), IsOkAndHolds(0));
}

void OfAPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(PipeEnds pipe, NewPipe(c));
  GatheredAndScattered(c, pipe.write.fd(), pipe.read.fd());
  std::string more(4, '.');
  EXPECT_THAT(Buffers().Add(more).Read(c, pipe.read.fd()), IsErrno(EAGAIN));
  ASSERT_THAT(pipe.write.Close(), IsOk());
  EXPECT_THAT(Buffers().Add(more).Read(c, pipe.read.fd()), IsOkAndHolds(0));
}

void Blocks(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  std::string first(1, '.');
  std::string second(4, '.');
  PendingCall reading(c, [&] {
    return Buffers().Add(first).Add(second).Read(c, pair.server.fd());
  });
  ASSERT_TRUE(reading.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_THAT(reading.Join(), IsOkAndHolds(3));
  EXPECT_EQ(first + second, "abc..");
}

void Atomic(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  std::string page(kPage, 'x');
  while (c.sys().Write(pipe.write.fd(), page.data(), page.size()).ok()) {
  }
  std::string half(kPage / 2, '.');
  ASSERT_THAT(ReadString(c, pipe.read, half), IsOk());
  std::string byte = "y";
  EXPECT_THAT(Buffers().Add(half).Add(byte).Write(c, pipe.write.fd()),
              IsErrno(EAGAIN))
      << "no page is free";
}

// ---- Eventfds, epolls -------------------------------------------------------

void OfAnEventFd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  std::array<uint64_t, 2> numbers = {1, 2};
  const std::array<iovec, 2> both = {iovec{numbers.data(), 8},
                                     iovec{&numbers[1], 8}};
  EXPECT_THAT(c.sys().WriteV(counter.fd(), both.data(), 2), IsOkAndHolds(16));
  uint64_t sum = 0;
  const std::array<iovec, 2> halves = {
      iovec{&sum, 4}, iovec{reinterpret_cast<char*>(&sum) + 4, 4}};
  EXPECT_THAT(c.sys().ReadV(counter.fd(), halves.data(), 2), IsOkAndHolds(8));
  EXPECT_EQ(sum, 3U);
  EXPECT_THAT(c.sys().WriteV(counter.fd(), halves.data(), 2), IsErrno(EINVAL))
      << "each buffer has one number";
  const std::array<iovec, 2> less = {iovec{numbers.data(), 8},
                                     iovec{&numbers[1], 4}};
  EXPECT_THAT(c.sys().WriteV(counter.fd(), less.data(), 2), IsOkAndHolds(8));
  EXPECT_THAT(c.sys().ReadV(counter.fd(), &less[1], 1), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().ReadV(counter.fd(), less.data(), 2), IsOkAndHolds(8));
}

void EmptyPartsOfAnEventFd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  uint64_t one = 1;
  const iovec number = {.iov_base = &one, .iov_len = 8};
  const iovec nothing = {.iov_base = &one, .iov_len = 0};
  const std::array<iovec, 2> first = {nothing, number};
  EXPECT_THAT(c.sys().WriteV(counter.fd(), first.data(), 2), IsErrno(EINVAL));
  const std::array<iovec, 4> later = {number, nothing, number, nothing};
  EXPECT_THAT(c.sys().WriteV(counter.fd(), later.data(), 4), IsOkAndHolds(16));
}

void BadPartOfAnEventFd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(AddToCounter(counter), IsOk());
  std::string half(4, '.');
  EXPECT_THAT(Buffers().Add(half).AddBad(4).Read(c, counter.fd()),
              IsErrno(EFAULT));
  EXPECT_THAT(ReadCounter(counter), IsErrno(EAGAIN)) << "the number is lost";
  std::string one("\1\0\0\0\0\0\0\0", 8);
  EXPECT_THAT(Buffers().Add(one).AddBad(8).Write(c, counter.fd()),
              IsOkAndHolds(8));
  EXPECT_THAT(ReadCounter(counter), IsOkAndHolds(8));
}

void OfAnEpoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  EXPECT_THAT(c.sys().ReadV(epoll.fd(), nullptr, 0), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().WriteV(epoll.fd(), nullptr, 1), IsErrno(EINVAL));
  // An address of the kernel.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  auto* const beyond = reinterpret_cast<void*>(UINTPTR_MAX - kPage);
  EXPECT_THAT(c.sys().Read(epoll.fd(), beyond, 8), IsErrno(EINVAL));
}

// ---- The arguments ----------------------------------------------------------

void Counts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  const std::vector<iovec> parts(IOV_MAX + 1, {.iov_base = nullptr});
  EXPECT_THAT(c.sys().ReadV(pipe.read.fd(), parts.data(), -1), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().ReadV(pipe.read.fd(), parts.data(), IOV_MAX + 1),
              IsErrno(EINVAL));
  EXPECT_THAT(c.sys().WriteV(pipe.write.fd(), parts.data(), IOV_MAX + 1),
              IsErrno(EINVAL));
  EXPECT_THAT(c.sys().WriteV(pipe.write.fd(), parts.data(), IOV_MAX),
              IsOkAndHolds(0));
}

void Sizes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  char byte = 'x';
  const std::array<iovec, 2> negative = {iovec{BadAddress(), 1},
                                         iovec{&byte, SIZE_MAX}};
  EXPECT_THAT(c.sys().ReadV(pipe.read.fd(), negative.data(), 2),
              IsErrno(EINVAL));
  EXPECT_THAT(c.sys().WriteV(pipe.write.fd(), &negative[1], 1),
              IsErrno(EINVAL));
}

void Nothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket unconnected, NewTcp(c));
  const iovec part = {.iov_base = BadAddress(), .iov_len = 0};
  EXPECT_THAT(c.sys().ReadV(pair.server.fd(), nullptr, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().ReadV(pair.server.fd(), &part, 1), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().WriteV(unconnected.fd(), &part, 1), IsOkAndHolds(0))
      << "write(2) of nothing fails";
}

void Unconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  std::string byte = "x";
  EXPECT_THAT(Buffers().Add(byte).Read(c, socket.fd()), IsErrno(ENOTCONN));
}

void Order(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  const auto* const bad = reinterpret_cast<const iovec*>(BadAddress());
  EXPECT_THAT(c.sys().ReadV(kNotOpen, bad, -1), IsErrno(EBADF));
  EXPECT_THAT(c.sys().ReadV(pipe.write.fd(), bad, -1), IsErrno(EBADF));
  EXPECT_THAT(c.sys().WriteV(pipe.read.fd(), bad, -1), IsErrno(EBADF));
  EXPECT_THAT(c.sys().ReadV(pipe.read.fd(), bad, -1), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().ReadV(pipe.read.fd(), bad, 1), IsErrno(EFAULT));
  EXPECT_THAT(c.sys().WriteV(pipe.write.fd(), bad, 1), IsErrno(EFAULT));
}

// Linux copies page by page.
void BadPartsOfAPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  std::string some = "abc";
  EXPECT_THAT(Buffers().Add(some).AddBad(4).Write(c, pipe.write.fd()),
              IsErrno(EFAULT));
  std::string page(kPage, 'x');
  EXPECT_THAT(Buffers().Add(page).AddBad(kPage).Write(c, pipe.write.fd()),
              IsOkAndHolds(kPage));
  EXPECT_THAT(Buffers().Add(some).AddBad(kPage).Read(c, pipe.read.fd()),
              IsErrno(EFAULT));
  EXPECT_THAT(ReadString(c, pipe.read, page), IsOkAndHolds(kPage))
      << "nothing was taken";
  ASSERT_THAT(Buffers().Add(page).Add(page).Write(c, pipe.write.fd()), IsOk());
  EXPECT_THAT(Buffers().Add(page).AddBad(kPage).Read(c, pipe.read.fd()),
              IsOkAndHolds(kPage));
  EXPECT_THAT(ReadString(c, pipe.read, page), IsOkAndHolds(kPage));
}

}  // namespace

const std::vector<Case>& VectorsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.vectors.socket",
       .requirement = "writev(2) must send all buffers in their order, and "
                      "readv(2) fill one after the other.",
       .source = "readv(2), DESCRIPTION",
       .run = &OfASocket},
      {.id = "kernel.vectors.pipe",
       .requirement = "writev(2) and readv(2) must move the bytes of all "
                      "buffers through a pipe.",
       .source = "readv(2), DESCRIPTION",
       .families = AddressFamilies::kV4,
       .run = &OfAPipe},
      {.id = "kernel.vectors.blocks",
       .requirement = "A readv(2) must block until there is data, and return "
                      "what there is.",
       .source = "readv(2), DESCRIPTION",
       .run = &Blocks},
      {.id = "kernel.vectors.pipe.atomic",
       .requirement = "A writev(2) of at most PIPE_BUF bytes in all must be "
                      "atomic: it fails with EAGAIN if not all of them fit.",
       .source = "pipe(7), PIPE_BUF",
       .families = AddressFamilies::kV4,
       .run = &Atomic},
      {.id = "kernel.vectors.eventfd",
       .requirement = "writev(2) to an eventfd must add one number of each "
                      "buffer, and readv(2) spread the number over the "
                      "buffers.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OfAnEventFd},
      {.id = "kernel.vectors.eventfd.empty_part",
       .requirement = "writev(2) to an eventfd must fail with EINVAL if the "
                      "first buffer is empty, and pass over others.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &EmptyPartsOfAnEventFd},
      {.id = "kernel.vectors.eventfd.bad_part",
       .requirement = "readv(2) of an eventfd must fail with EFAULT and lose "
                      "the number if a buffer is invalid; writev(2) must keep "
                      "the numbers before it.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &BadPartOfAnEventFd},
      {.id = "kernel.vectors.epoll",
       .requirement =
           "readv(2), writev(2) and read(2) must fail with EINVAL on "
           "an epoll, before they look at the buffers.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OfAnEpoll},
      {.id = "kernel.vectors.count",
       .requirement = "readv(2) and writev(2) must fail with EINVAL for a "
                      "negative number of buffers, and for more than IOV_MAX.",
       .source = "readv(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &Counts},
      {.id = "kernel.vectors.size",
       .requirement = "readv(2) and writev(2) must fail with EINVAL if a size "
                      "is negative as an ssize_t.",
       .source = "readv(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &Sizes},
      {.id = "kernel.vectors.nothing",
       .requirement =
           "readv(2) and writev(2) of no bytes must return 0 without "
           "blocking, whatever the state of the socket.",
       .source = "measured on Linux 6.18",
       .run = &Nothing},
      {.id = "kernel.vectors.unconnected",
       .requirement = "On a socket without a connection, readv(2) must fail "
                      "with ENOTCONN.",
       .source = "recv(2), ENOTCONN",
       .run = &Unconnected},
      {.id = "kernel.vectors.order",
       .requirement = "readv(2) and writev(2) must check the descriptor, then "
                      "the number of buffers, then their addresses.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Order},
      {.id = "kernel.vectors.pipe.bad_part",
       .requirement = "writev(2) and readv(2) of a pipe must return the whole "
                      "pages before an invalid buffer, or fail with EFAULT if "
                      "there are none.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &BadPartsOfAPipe},
  };
  return cases;
}

}  // namespace net::conformance
