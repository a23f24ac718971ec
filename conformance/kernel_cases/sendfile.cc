// sendfile(2) from files that are not regular ones: a kernel's cases have no
// others.

#include <fcntl.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/file_commands.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/splice_calls.h"
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

void SocketToPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(pair.client.Send("hello"), IsOk());
  EXPECT_THAT(SendFile(pipe.write, pair.server, 0), IsOkAndHolds(0));
  EXPECT_THAT(SendFile(pipe.write, pair.server, 3), IsOkAndHolds(3));
  EXPECT_THAT(SendFile(pipe.write, pair.server, 100), IsOkAndHolds(2));
  std::string data(100, '.');
  EXPECT_THAT(c.sys().Read(pipe.read.fd(), data.data(), data.size()),
              IsOkAndHolds(5));
  EXPECT_EQ(data.substr(0, 6), "hello.");
  ASSERT_THAT(Fcntl(pair.server, F_SETFL, O_NONBLOCK), IsOk());
  EXPECT_THAT(SendFile(pipe.write, pair.server, 100), IsErrno(EAGAIN));
}

void OfStreams(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  for (const size_t size : {size_t{0}, size_t{1}}) {
    EXPECT_THAT(SendFile(pair.server, pair.client, size), IsErrno(EINVAL));
    EXPECT_THAT(SendFile(pair.client, pipe.read, size), IsErrno(EINVAL));
  }
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("x"));
  EXPECT_THAT(SendFile(pipe.write, pipe.read, 1), IsErrno(EINVAL));
}

void OfOtherFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  for (const int in : {counter.fd(), epoll.fd()}) {
    for (const int out : {pair.client.fd(), pipe.write.fd(), counter.fd()}) {
      EXPECT_THAT(c.sys().SendFile(out, in, nullptr, 0), IsOkAndHolds(0));
      EXPECT_THAT(c.sys().SendFile(out, in, nullptr, 8), IsErrno(EINVAL));
    }
  }
}

void Offsets(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  off_t offset = 0;
  for (const int in : {pair.client.fd(), pipe.read.fd(), counter.fd()}) {
    EXPECT_THAT(c.sys().SendFile(pipe.write.fd(), in, &offset, 1),
                IsErrno(ESPIPE));
    EXPECT_THAT(c.sys().SendFile(kNotOpen, in, &offset, SIZE_MAX),
                IsErrno(ESPIPE));
  }
  EXPECT_EQ(offset, 0);
  EXPECT_THAT(c.sys().SendFile(kNotOpen, kNotOpen,
                               reinterpret_cast<off_t*>(BadAddress()), 1),
              IsErrno(EFAULT));
}

void Order(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  const int socket = pair.client.fd();
  EXPECT_THAT(c.sys().SendFile(socket, kNotOpen, nullptr, 1), IsErrno(EBADF));
  EXPECT_THAT(c.sys().SendFile(socket, pipe.write.fd(), nullptr, SIZE_MAX),
              IsErrno(EBADF))
      << "it cannot be read";
  EXPECT_THAT(c.sys().SendFile(kNotOpen, socket, nullptr, SIZE_MAX),
              IsErrno(EINVAL));
  EXPECT_THAT(c.sys().SendFile(kNotOpen, socket, nullptr, 1), IsErrno(EBADF));
  EXPECT_THAT(c.sys().SendFile(pipe.read.fd(), socket, nullptr, 1),
              IsErrno(EBADF))
      << "it cannot be written";
}

void FullPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(Fcntl(pipe.write, F_SETPIPE_SZ, 4096), IsOk());
  ASSERT_THAT(c.sys().Write(pipe.write.fd(), "x", 1), IsOk());
  EXPECT_THAT(SendFile(pipe.write, pair.client, 1), IsErrno(EAGAIN));
  EXPECT_THAT(SendFile(pipe.write, counter, 0), IsErrno(EAGAIN));
}

void Unreadable(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  EXPECT_THAT(SendFile(pipe.write, socket, 1), IsErrno(ENOTCONN));
  ASSERT_THAT(pair.client.Reset(), IsOk());
  EXPECT_THAT(SendFile(pipe.write, pair.server, 1), IsErrno(ECONNRESET));
  EXPECT_THAT(SendFile(pipe.write, pair.server, 1), IsOkAndHolds(0));
}

void Append(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(Fcntl(pair.client, F_SETFL, O_APPEND), IsOk());
  EXPECT_THAT(SendFile(pair.client, counter, 0), IsErrno(EINVAL));
}

}  // namespace

const std::vector<Case>& SendfileKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.sendfile.socket_to_pipe",
       .requirement = "sendfile(2) from a socket to a pipe must move the bytes "
                      "that are there, at most the size.",
       .source = "measured on Linux 6.18",
       .run = &SocketToPipe},
      {.id = "kernel.sendfile.streams",
       .requirement = "sendfile(2) from a socket or a pipe to a socket must "
                      "fail with EINVAL, even of 0 bytes, and so must one from "
                      "a pipe to a pipe.",
       .source = "sendfile(2), EINVAL",
       .run = &OfStreams},
      {.id = "kernel.sendfile.other_files",
       .requirement = "sendfile(2) from an eventfd or an epoll must fail with "
                      "EINVAL, and return 0 if the size is 0.",
       .source = "measured on Linux 6.18",
       .run = &OfOtherFiles},
      {.id = "kernel.sendfile.offset",
       .requirement = "sendfile(2) must check the address of the offset first "
                      "(EFAULT), and fail with ESPIPE if the input has no "
                      "positions.",
       .source = "sendfile(2), ESPIPE",
       .run = &Offsets},
      {.id = "kernel.sendfile.order",
       .requirement = "sendfile(2) must check the input (EBADF), the size "
                      "(EINVAL), and then the output (EBADF).",
       .source = "measured on Linux 6.18",
       .run = &Order},
      {.id = "kernel.sendfile.full_pipe",
       .requirement = "sendfile(2) to a non-blocking pipe that is full must "
                      "fail with EAGAIN, even of 0 bytes.",
       .source = "measured on Linux 6.18",
       .run = &FullPipe},
      {.id = "kernel.sendfile.unreadable_socket",
       .requirement = "sendfile(2) from a socket to a pipe must fail with "
                      "ENOTCONN without a connection, and with ECONNRESET once "
                      "after a reset.",
       .source = "measured on Linux 6.18",
       .run = &Unreadable},
      {.id = "kernel.sendfile.append",
       .requirement = "sendfile(2) to a socket must fail with EINVAL if "
                      "O_APPEND is set on the socket.",
       .source = "sendfile(2), EINVAL",
       .run = &Append},
  };
  return cases;
}

}  // namespace net::conformance
