// splice(2) between sockets and pipes, and between two pipes.

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/file_commands.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/splice_calls.h"
#include "conformance/kernel_cases/times.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// A number that no open descriptor has.
constexpr int kNotOpen = 999999;

constexpr int kPage = 4096;  // Of a pipe.

loff_t* BadOffset() { return reinterpret_cast<loff_t*>(BadAddress()); }

// ---- Bytes ------------------------------------------------------------------

void FromASocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(SetNonBlocking(pair.server), IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsErrno(EAGAIN));
  ASSERT_THAT(pair.client.Send("hello"), IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 3), IsOkAndHolds(3));
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsOkAndHolds(2));
  EXPECT_THAT(Read(pipe.read), IsOkAndHolds("hello"));
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsErrno(EAGAIN));
}

void ToASocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  EXPECT_THAT(Splice(pipe.read, pair.client, 100), IsErrno(EAGAIN));
  ASSERT_THAT(Write(pipe.write, "hello"), IsOk());
  EXPECT_THAT(Splice(pipe.read, pair.client, 3), IsOkAndHolds(3));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("hel"));
  EXPECT_THAT(Splice(pipe.read, pair.client, 100), IsOkAndHolds(2));
  EXPECT_THAT(loopback::RecvExactly(pair.server, 2), IsOkAndHolds("lo"));
  EXPECT_THAT(Splice(pipe.read, pair.client, 100), IsErrno(EAGAIN));
}

void BetweenPipes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds from, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds to, NewPipe(c));
  EXPECT_THAT(Splice(from.read, to.write, 100), IsErrno(EAGAIN));
  ASSERT_THAT(Write(from.write, "hello"), IsOk());
  EXPECT_THAT(Splice(from.read, to.write, 3), IsOkAndHolds(3));
  EXPECT_THAT(Read(to.read), IsOkAndHolds("hel"));
  EXPECT_THAT(Splice(from.read, to.write, 100), IsOkAndHolds(2));
  EXPECT_THAT(Read(to.read), IsOkAndHolds("lo"));
}

void EndOfASocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsOkAndHolds(1));
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsOkAndHolds(0));
  EXPECT_THAT(Read(pipe.read), IsOkAndHolds("x"));
  EXPECT_THAT(Read(pipe.read), IsErrno(EAGAIN)) << "the pipe has no end";
}

void EndOfAPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds other, NewPipe(c));
  ASSERT_THAT(Write(pipe.write, "xy"), IsOk());
  ASSERT_THAT(pipe.write.Close(), IsOk());
  EXPECT_THAT(Splice(pipe.read, pair.client, 1), IsOkAndHolds(1));
  EXPECT_THAT(Splice(pipe.read, other.write, 100), IsOkAndHolds(1));
  EXPECT_THAT(Splice(pipe.read, pair.client, 100), IsOkAndHolds(0));
  EXPECT_THAT(Splice(pipe.read, other.write, 100), IsOkAndHolds(0));
}

// ---- Errors of the connection -----------------------------------------------

void FromAResetSocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(pair.client.Reset(), IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsErrno(ECONNRESET));
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsOkAndHolds(0));
}

void ToAResetSocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(pair.client.Reset(), IsOk());
  ASSERT_THAT(Write(pipe.write, "hello"), IsOk());
  EXPECT_THAT(Splice(pipe.read, pair.server, 100), IsErrno(ECONNRESET));
  EXPECT_THAT(Read(pipe.read), IsOkAndHolds("hello"));
}

void Unconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  EXPECT_THAT(Splice(socket, pipe.write, 1), IsErrno(ENOTCONN));
  EXPECT_THAT(Splice(listener.socket(), pipe.write, 1), IsErrno(ENOTCONN));
}

// ---- Room -------------------------------------------------------------------

void FullPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds other, NewPipe(c));
  ASSERT_THAT(Fcntl(pipe.write, F_SETPIPE_SZ, kPage), IsOk());
  ASSERT_THAT(Write(pipe.write, std::string(kPage, 'x')), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  ASSERT_THAT(Write(other.write, "b"), IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 1), IsErrno(EAGAIN));
  EXPECT_THAT(Splice(other.read, pipe.write, 1), IsErrno(EAGAIN));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("a"));
  EXPECT_THAT(Read(other.read), IsOkAndHolds("b"));
}

void PagesOfRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(Fcntl(pipe.write, F_SETPIPE_SZ, 2 * kPage), IsOk());
  ASSERT_THAT(Write(pipe.write, "x"), IsOk());
  ASSERT_THAT(loopback::SendAll(pair.client, std::string(3 * kPage, 'y')),
              IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 3 * kPage), IsOkAndHolds(kPage));
  EXPECT_THAT(Splice(pair.server, pipe.write, 1), IsErrno(EAGAIN));
}

// A late acknowledgement may make room for some bytes. The call is then made
// again.
void FullSocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(SetNonBlocking(pair.client), IsOk());
  SysResult spliced = SysResult::Ok();
  while (spliced.ok()) {
    ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
    ASSERT_THAT(Write(pipe.write, "hello"), IsOk());
    spliced = Splice(pipe.read, pair.client, 100);
  }
  EXPECT_THAT(spliced, IsErrno(EAGAIN));
  EXPECT_THAT(Ask(pipe.read, FIONREAD), IsOkAndHolds(5));
}

// A pipe of one page shows whether a write(2) fits into it.
void PageOfASocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(Fcntl(pipe.write, F_SETPIPE_SZ, kPage), IsOk());
  ASSERT_THAT(pair.client.Send("hello"), IsOk());
  ASSERT_THAT(Splice(pair.server, pipe.write, 100), IsOkAndHolds(5));
  EXPECT_THAT(pipe.write.Ready(POLLOUT), IsOkAndHolds(0));
  EXPECT_THAT(Write(pipe.write, "x"), IsErrno(EAGAIN));
}

void PageOfAPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds from, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds whole, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds part, NewPipe(c));
  ASSERT_THAT(Fcntl(whole.write, F_SETPIPE_SZ, kPage), IsOk());
  ASSERT_THAT(Fcntl(part.write, F_SETPIPE_SZ, kPage), IsOk());
  ASSERT_THAT(Write(from.write, "hello"), IsOk());
  ASSERT_THAT(Splice(from.read, part.write, 3), IsOkAndHolds(3));
  EXPECT_THAT(Write(part.write, "x"), IsErrno(EAGAIN));
  ASSERT_THAT(Splice(from.read, whole.write, 2), IsOkAndHolds(2));
  EXPECT_THAT(Write(whole.write, "x"), IsOkAndHolds(1));
}

// ---- Flags ------------------------------------------------------------------

void More(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
    ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
    ASSERT_THAT(Write(pipe.write, "hello"), IsOk());
    EXPECT_THAT(Splice(pipe.read, pair.client, 3, SPLICE_F_MORE),
                IsOkAndHolds(3));
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
    EXPECT_THAT(Splice(pipe.read, pair.client, 2), IsOkAndHolds(2));
    EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("hello"));
  });
}

void NonBlockOfASocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  PendingCall call(c, [&] {
    return Splice(pair.server, pipe.write, 100, SPLICE_F_NONBLOCK);
  });
  ASSERT_TRUE(call.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(call.Join(), IsOkAndHolds(1));
}

void NonBlockOfAPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds other, NewPipe(c));
  ASSERT_THAT(SetBlocking(pipe.read), IsOk());
  ASSERT_THAT(SetBlocking(other.write), IsOk());
  EXPECT_THAT(Splice(pipe.read, pair.client, 1, SPLICE_F_NONBLOCK),
              IsErrno(EAGAIN));
  EXPECT_THAT(Splice(pipe.read, other.write, 1, SPLICE_F_NONBLOCK),
              IsErrno(EAGAIN));
  // Either end's mode is enough.
  ASSERT_THAT(SetNonBlocking(other.write), IsOk());
  EXPECT_THAT(Splice(pipe.read, other.write, 1), IsErrno(EAGAIN));
}

void Low(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 5), IsOk());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 100), IsOkAndHolds(1));
}

void PeekOffset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_PEEK_OFF, 3), IsOk());
  ASSERT_THAT(pair.client.Send("abcdefgh"), IsOk());
  EXPECT_THAT(Splice(pair.server, pipe.write, 2), IsOkAndHolds(2));
  EXPECT_THAT(RecvOnce(pair.server, 1, MSG_PEEK), IsOkAndHolds("f"));
}

// ---- Arguments --------------------------------------------------------------

void Nothing(Context& c) {
  EXPECT_THAT(
      c.sys().Splice(kNotOpen, BadOffset(), kNotOpen, BadOffset(), 0, ~0U),
      IsOkAndHolds(0));
}

void Order(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  Syscalls& sys = c.sys();
  const int socket = pair.client.fd();
  const int read = pipe.read.fd();
  const int write = pipe.write.fd();
  loff_t offset = 0;
  EXPECT_THAT(sys.Splice(kNotOpen, nullptr, kNotOpen, nullptr, 1, 16),
              IsErrno(EINVAL));
  EXPECT_THAT(sys.Splice(kNotOpen, nullptr, write, nullptr, 1, 0),
              IsErrno(EBADF));
  EXPECT_THAT(sys.Splice(read, &offset, kNotOpen, nullptr, 1, 0),
              IsErrno(EBADF));
  EXPECT_THAT(sys.Splice(read, BadOffset(), write, nullptr, 1, 0),
              IsErrno(ESPIPE));
  EXPECT_THAT(sys.Splice(socket, nullptr, write, &offset, 1, 0),
              IsErrno(ESPIPE));
  EXPECT_THAT(sys.Splice(socket, BadOffset(), read, nullptr, 1, 0),
              IsErrno(EFAULT));
  EXPECT_THAT(sys.Splice(socket, &offset, read, nullptr, 1, 0), IsErrno(EBADF))
      << "it cannot be written";
  EXPECT_THAT(sys.Splice(write, nullptr, socket, nullptr, 1, 0), IsErrno(EBADF))
      << "it cannot be read";
  EXPECT_THAT(sys.Splice(socket, nullptr, pair.server.fd(), nullptr, 1, 0),
              IsErrno(EINVAL))
      << "neither is a pipe";
  EXPECT_THAT(sys.Splice(read, nullptr, write, nullptr, 1, 0), IsErrno(EINVAL))
      << "they are one pipe";
  EXPECT_THAT(sys.Splice(socket, &offset, write, nullptr, 1, 0),
              IsErrno(EINVAL));
  EXPECT_THAT(sys.Splice(read, nullptr, socket, &offset, 1, 0),
              IsErrno(EINVAL));
}

void Sizes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds other, NewPipe(c));
  EXPECT_THAT(Splice(pair.client, pipe.write, SIZE_MAX), IsErrno(EINVAL));
  EXPECT_THAT(Splice(pipe.read, pair.client, SIZE_MAX), IsErrno(EINVAL));
  ASSERT_THAT(Write(pipe.write, "x"), IsOk());
  EXPECT_THAT(Splice(pipe.read, other.write, SIZE_MAX), IsOkAndHolds(1));
}

void Append(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds other, NewPipe(c));
  ASSERT_THAT(Write(pipe.write, "xy"), IsOk());
  ASSERT_THAT(Fcntl(pair.client, F_SETFL, O_APPEND), IsOk());
  EXPECT_THAT(Splice(pipe.read, pair.client, 1), IsErrno(EINVAL));
  ASSERT_THAT(Fcntl(other.write, F_SETFL, O_APPEND), IsOk());
  EXPECT_THAT(Splice(pipe.read, other.write, 1), IsOkAndHolds(1));
}

void OtherFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  const RawSocket timer(
      c.sys().TimerFdCreate(CLOCK_MONOTONIC, TFD_CLOEXEC).fd(), c.sys());
  for (const int fd : {counter.fd(), epoll.fd(), timer.fd()}) {
    EXPECT_THAT(c.sys().Splice(fd, nullptr, pipe.write.fd(), nullptr, 8, 0),
                IsErrno(EINVAL));
    EXPECT_THAT(c.sys().Splice(pipe.read.fd(), nullptr, fd, nullptr, 8, 0),
                IsErrno(EINVAL));
  }
}

}  // namespace

const std::vector<Case>& SpliceKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.splice.from_socket",
       .requirement = "splice(2) from a socket to a pipe must move the bytes "
                      "that are there, at most the size, and fail with EAGAIN "
                      "if there are none and the socket is non-blocking.",
       .source = "splice(2)",
       .run = &FromASocket},
      {.id = "kernel.splice.to_socket",
       .requirement = "splice(2) from a pipe to a socket must send the bytes "
                      "that are there, at most the size.",
       .source = "splice(2)",
       .run = &ToASocket},
      {.id = "kernel.splice.between_pipes",
       .requirement = "splice(2) from a pipe to a pipe must move the bytes "
                      "that are there, at most the size.",
       .source = "splice(2)",
       .families = AddressFamilies::kV4,
       .run = &BetweenPipes},
      {.id = "kernel.splice.end_of_socket",
       .requirement = "splice(2) from a socket must return 0 at the end of the "
                      "stream.",
       .source = "splice(2), RETURN VALUE",
       .run = &EndOfASocket},
      {.id = "kernel.splice.end_of_pipe",
       .requirement = "splice(2) from a pipe that no process writes to must "
                      "return 0 when its bytes are gone.",
       .source = "splice(2), RETURN VALUE",
       .run = &EndOfAPipe},
      {.id = "kernel.splice.from_reset_socket",
       .requirement = "splice(2) from a socket that was reset must fail with "
                      "ECONNRESET once, and then return 0.",
       .source = "measured on Linux 6.18",
       .run = &FromAResetSocket},
      {.id = "kernel.splice.to_reset_socket",
       .requirement = "splice(2) to a socket that was reset must fail with "
                      "ECONNRESET, and leave the bytes in the pipe.",
       .source = "measured on Linux 6.18",
       .run = &ToAResetSocket},
      {.id = "kernel.splice.unconnected",
       .requirement = "splice(2) from a socket without a connection must fail "
                      "with ENOTCONN, also from a listener.",
       .source = "measured on Linux 6.18",
       .run = &Unconnected},
      {.id = "kernel.splice.full_pipe",
       .requirement = "splice(2) to a full pipe must fail with EAGAIN and take "
                      "nothing, if the pipe is non-blocking.",
       .source = "splice(2), EAGAIN",
       .run = &FullPipe},
      {.id = "kernel.splice.room",
       .requirement = "splice(2) from a socket must move no more bytes than "
                      "the free pages of the pipe have.",
       .source = "measured on Linux 6.18",
       .run = &PagesOfRoom},
      {.id = "kernel.splice.full_socket",
       .requirement = "splice(2) to a non-blocking socket that is full must "
                      "fail with EAGAIN, and leave the bytes in the pipe.",
       .source = "splice(2), EAGAIN",
       .run = &FullSocket},
      {.id = "kernel.splice.page_of_socket",
       .requirement = "Bytes that splice(2) has moved from a socket must take "
                      "pages of the pipe to which write(2) adds nothing.",
       .source = "measured on Linux 6.18",
       .run = &PageOfASocket},
      {.id = "kernel.splice.page_of_pipe",
       .requirement = "Between pipes, write(2) must be able to add to a page "
                      "that splice(2) has moved as a whole, and not to a part "
                      "of one.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &PageOfAPipe},
      {.id = "kernel.splice.more",
       .requirement = "With SPLICE_F_MORE, splice(2) to a socket must hold the "
                      "bytes back, as send(2) does with MSG_MORE.",
       .source = "splice(2), SPLICE_F_MORE",
       .run = &More},
      {.id = "kernel.splice.nonblock_of_socket",
       .requirement = "SPLICE_F_NONBLOCK must not keep splice(2) from waiting "
                      "for a blocking socket.",
       .source = "splice(2), SPLICE_F_NONBLOCK",
       .run = &NonBlockOfASocket},
      {.id = "kernel.splice.nonblock_of_pipe",
       .requirement = "splice(2) must not wait for a pipe if SPLICE_F_NONBLOCK "
                      "is set or one of the pipes is non-blocking.",
       .source = "splice(2), SPLICE_F_NONBLOCK",
       .run = &NonBlockOfAPipe},
      {.id = "kernel.splice.rcvlowat",
       .requirement = "splice(2) from a socket must not wait for as many bytes "
                      "as SO_RCVLOWAT if some are there.",
       .source = "measured on Linux 6.18",
       .run = &Low},
      {.id = "kernel.splice.peek_offset",
       .requirement = "splice(2) from a socket must not move the offset of "
                      "SO_PEEK_OFF.",
       .source = "measured on Linux 6.18",
       .run = &PeekOffset},
      {.id = "kernel.splice.nothing",
       .requirement = "splice(2) of 0 bytes must return 0, whatever its other "
                      "arguments are.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Nothing},
      {.id = "kernel.splice.order",
       .requirement =
           "splice(2) must check the flags (EINVAL), the descriptors (EBADF), "
           "offsets of pipes (ESPIPE), the addresses of offsets (EFAULT), the "
           "modes of the files (EBADF), and then the kinds of files (EINVAL).",
       .source = "measured on Linux 6.18",
       .run = &Order},
      {.id = "kernel.splice.size",
       .requirement = "splice(2) from or to a socket must fail with EINVAL if "
                      "the size is negative as an ssize_t.",
       .source = "measured on Linux 6.18",
       .run = &Sizes},
      {.id = "kernel.splice.append",
       .requirement = "splice(2) from a pipe to a socket must fail with EINVAL "
                      "if O_APPEND is set on the socket; O_APPEND of a pipe "
                      "must have no effect.",
       .source = "splice(2), EINVAL",
       .run = &Append},
      {.id = "kernel.splice.other_files",
       .requirement = "splice(2) from or to an eventfd, a timerfd or an epoll "
                      "must fail with EINVAL.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OtherFiles},
  };
  return cases;
}

}  // namespace net::conformance
