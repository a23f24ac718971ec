// Sending and receiving, their flags, and messages of several buffers.

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// ---- The stream -------------------------------------------------------------

void OneStream(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("one"), IsOkAndHolds(3));
  ASSERT_THAT(pair.client.Send("two"), IsOkAndHolds(3));
  EXPECT_THAT(RecvOnce(pair.server, 4), IsOkAndHolds("onet"));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("wo"));
}

void BothWays(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("ping"), IsOk());
  ASSERT_THAT(pair.server.Send("pong"), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("pong"));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("ping"));
}

void ReadAndWrite(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(c.sys().Write(pair.client.fd(), "words", 5), IsOkAndHolds(5));
  std::array<char, 8> buffer = {};
  EXPECT_THAT(c.sys().Read(pair.server.fd(), buffer.data(), buffer.size()),
              IsOkAndHolds(5));
  EXPECT_STREQ(buffer.data(), "words");
}

// ---- Zero bytes -------------------------------------------------------------

void SendNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(pair.client.Send(""), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Write(pair.client.fd(), "", 0), IsOkAndHolds(0));
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_DONTWAIT), IsErrno(EAGAIN));
}

void ReceiveNothingOfSome(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 0), IsOkAndHolds(""));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("x"));
}

void ReceiveNothingOfNone(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(RecvOnce(pair.server, 0, MSG_DONTWAIT), IsErrno(EAGAIN));
}

void ReadNothingOfNone(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  char byte = 0;
  EXPECT_THAT(c.sys().Read(pair.server.fd(), &byte, 0), IsOkAndHolds(0));
}

// ---- Flags ------------------------------------------------------------------

void Peek(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("again"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 2, MSG_PEEK), IsOkAndHolds("ag"));
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_PEEK), IsOkAndHolds("again"));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("again"));
}

void PeekAtTheEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_PEEK), IsOkAndHolds(""));
}

// With MSG_TRUNC data is discarded and the buffer is not written.
void Discard(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("skipped, kept"), IsOk());
  std::array<char, 4> buffer = {'-', '-', '-', '-'};
  EXPECT_THAT(c.sys().Recv(pair.server.fd(), buffer.data(), 4, MSG_TRUNC),
              IsOkAndHolds(4));
  EXPECT_EQ(buffer[0], '-');
  EXPECT_THAT(c.sys().Recv(pair.server.fd(), nullptr, 5, MSG_TRUNC),
              IsOkAndHolds(5));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("kept"));
}

void WaitAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  std::array<char, 6> buffer = {};
  PendingCall receive(
      c, [&] { return pair.server.Recv(absl::MakeSpan(buffer), MSG_WAITALL); });
  ASSERT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("def"), IsOk());
  EXPECT_THAT(receive.Join(), IsOkAndHolds(6));
}

void WaitAllEndsAtTheEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 6, MSG_WAITALL), IsOkAndHolds("abc"));
}

void WaitAllInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  std::array<char, 6> buffer = {};
  PendingCall receive(
      c, [&] { return pair.server.Recv(absl::MakeSpan(buffer), MSG_WAITALL); });
  ASSERT_TRUE(receive.AwaitBlocked());
  receive.Interrupt();
  EXPECT_THAT(receive.Join(), IsOkAndHolds(3));
}

void WaitAllWithoutWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 6, MSG_WAITALL | MSG_DONTWAIT),
              IsOkAndHolds("abc"));
}

void DontWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_DONTWAIT), IsErrno(EAGAIN));
  const std::string data(65536, 'x');
  SysResult sent = SysResult::Ok();
  while (sent.ok()) sent = pair.client.Send(data, MSG_DONTWAIT);
  EXPECT_THAT(sent, IsErrno(EAGAIN));
}

void NoUrgentData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("plain"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_OOB), IsErrno(EINVAL));
}

// send(2) and recv(2) ignore unknown flags.
void UnknownFlag(Context& c) {
  constexpr int kUnknown = 1 << 24;
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(pair.client.Send("x", kUnknown), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(pair.server, 8, kUnknown), IsOkAndHolds("x"));
}

void NoErrorQueue(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("plain"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_ERRQUEUE), IsErrno(EAGAIN));
}

// ---- Messages ---------------------------------------------------------------

// Returns a buffer of a message.
template <size_t size>
iovec Part(std::array<char, size>& bytes) {
  return {.iov_base = bytes.data(), .iov_len = bytes.size()};
}

void Gather(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  std::array<char, 3> one = {'o', 'n', 'e'};
  std::array<char, 3> two = {'t', 'w', 'o'};
  iovec parts[] = {Part(one), {}, Part(two)};
  const msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
  EXPECT_THAT(c.sys().SendMsg(pair.client.fd(), &message, 0), IsOkAndHolds(6));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("onetwo"));
}

void Scatter(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("onetwo"), IsOk());
  std::array<char, 2> head = {};
  std::array<char, 8> tail = {};
  iovec parts[] = {Part(head), {}, Part(tail)};
  msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
  EXPECT_THAT(c.sys().RecvMsg(pair.server.fd(), &message, 0), IsOkAndHolds(6));
  EXPECT_EQ(head[1], 'n');
  EXPECT_STREQ(tail.data(), "etwo");
}

void NoParts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  msghdr message = {};
  EXPECT_THAT(c.sys().SendMsg(pair.client.fd(), &message, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().RecvMsg(pair.server.fd(), &message, MSG_DONTWAIT),
              IsErrno(EAGAIN));
}

void TooManyParts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  std::vector<iovec> parts(1025);
  msghdr message = {.msg_iov = parts.data(), .msg_iovlen = parts.size()};
  EXPECT_THAT(c.sys().SendMsg(pair.client.fd(), &message, 0),
              IsErrno(EMSGSIZE));
  EXPECT_THAT(c.sys().RecvMsg(pair.server.fd(), &message, 0),
              IsErrno(EMSGSIZE));
}

void MessageTellsNoName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  ip::SockAddr name;
  std::array<char, 8> bytes = {};
  iovec part = Part(bytes);
  msghdr message = {.msg_name = name.get(),
                    .msg_namelen = name.size(),
                    .msg_iov = &part,
                    .msg_iovlen = 1,
                    .msg_flags = MSG_TRUNC};
  ASSERT_THAT(c.sys().RecvMsg(pair.server.fd(), &message, 0), IsOkAndHolds(1));
  EXPECT_EQ(message.msg_namelen, 0U);
  EXPECT_EQ(message.msg_flags, 0);
  EXPECT_EQ(name.ToEndpoint(), std::nullopt);
}

void MessageTellsNoControl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  std::array<char, 64> control = {};
  std::array<char, 8> bytes = {};
  iovec part = Part(bytes);
  msghdr message = {.msg_iov = &part,
                    .msg_iovlen = 1,
                    .msg_control = control.data(),
                    .msg_controllen = control.size()};
  ASSERT_THAT(c.sys().RecvMsg(pair.server.fd(), &message, 0), IsOkAndHolds(1));
  EXPECT_EQ(message.msg_controllen, 0U);
}

void NameIsIgnored(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ip::SockAddr elsewhere(ip::Endpoint{c.Foreign(), kPort});
  std::array<char, 1> byte = {'x'};
  iovec part = Part(byte);
  const msghdr message = {.msg_name = elsewhere.get(),
                          .msg_namelen = elsewhere.size(),
                          .msg_iov = &part,
                          .msg_iovlen = 1};
  EXPECT_THAT(c.sys().SendMsg(pair.client.fd(), &message, 0), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("x"));
}

// ---- Null buffers -----------------------------------------------------------

void BadBuffers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(c.sys().Send(pair.client.fd(), nullptr, 4, MSG_NOSIGNAL),
              IsErrno(EFAULT));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(c.sys().Recv(pair.server.fd(), nullptr, 4, 0), IsErrno(EFAULT));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("x"));
}

void BadMessage(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(c.sys().SendMsg(pair.client.fd(), nullptr, 0), IsErrno(EFAULT));
  EXPECT_THAT(c.sys().RecvMsg(pair.client.fd(), nullptr, 0), IsErrno(EFAULT));
}

// ---- FIONREAD and SIOCOUTQ --------------------------------------------------

void Readable(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(Ask(pair.server, FIONREAD), IsOkAndHolds(0));
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_THAT(pair.client.Send("de"), IsOk());
  EXPECT_THAT(Ask(pair.server, FIONREAD), IsOkAndHolds(5));
  ASSERT_THAT(RecvOnce(pair.server, 1), IsOk());
  EXPECT_THAT(Ask(pair.server, FIONREAD), IsOkAndHolds(4));
}

void ReadableAtTheEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(Ask(pair.server, FIONREAD), IsOkAndHolds(3));
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds("abc"));
  EXPECT_THAT(Ask(pair.server, FIONREAD), IsOkAndHolds(0));
}

void Unsent(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(Ask(pair.client, SIOCOUTQ), IsOkAndHolds(0));
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  ASSERT_OK_AND_ASSIGN(const int unsent, Ask(pair.client, SIOCOUTQ));
  EXPECT_GT(unsent, 0);
}

void AskOfOthers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener, NewListener(c));
  EXPECT_THAT(Ask(listener.socket(), FIONREAD), IsErrno(EINVAL));
  EXPECT_THAT(Ask(listener.socket(), SIOCOUTQ), IsErrno(EINVAL));
  ASSERT_OK_AND_ASSIGN(const RawSocket fresh, NewTcp(c));
  EXPECT_THAT(Ask(fresh, FIONREAD), IsOkAndHolds(0));
  EXPECT_THAT(Ask(fresh, SIOCOUTQ), IsOkAndHolds(0));
  EXPECT_THAT(Ask(fresh, /*request=*/0xdead), IsErrno(ENOTTY));
}

}  // namespace

const std::vector<Case>& DataKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.data.stream",
       .requirement = "Data must be received as one stream, whatever the sizes "
                      "of the sends.",
       .source = "tcp(7), DESCRIPTION; RFC 9293, section 2.2",
       .run = &OneStream},
      {.id = "kernel.data.both_ways",
       .requirement =
           "Data must be received in both directions at the same time.",
       .source = "tcp(7), DESCRIPTION",
       .run = &BothWays},
      {.id = "kernel.data.read_write",
       .requirement = "read(2) and write(2) must behave as recv(2) and send(2) "
                      "without flags.",
       .source = "recv(2); send(2), DESCRIPTION",
       .run = &ReadAndWrite},
      {.id = "kernel.data.nothing.send",
       .requirement = "Sending zero bytes must return 0 and send nothing.",
       .source = "measured on Linux 6.18",
       .run = &SendNothing},
      {.id = "kernel.data.nothing.recv_of_some",
       .requirement = "recv(2) of zero bytes must return 0 and leave the data, "
                      "if there is any.",
       .source = "measured on Linux 6.18",
       .run = &ReceiveNothingOfSome},
      {.id = "kernel.data.nothing.recv_of_none",
       .requirement = "recv(2) of zero bytes must block like any recv(2) while "
                      "there is no data.",
       .source = "measured on Linux 6.18",
       .run = &ReceiveNothingOfNone},
      {.id = "kernel.data.nothing.read_of_none",
       .requirement = "read(2) of zero bytes must not block.",
       .source = "read(2), DESCRIPTION",
       .run = &ReadNothingOfNone},
      {.id = "kernel.data.recv.peek",
       .requirement =
           "recv(2) with MSG_PEEK must leave the data in the receive buffer.",
       .source = "recv(2), MSG_PEEK",
       .run = &Peek},
      {.id = "kernel.data.recv.peek_at_end",
       .requirement =
           "recv(2) with MSG_PEEK must return 0 at the end of the stream.",
       .source = "recv(2), MSG_PEEK",
       .run = &PeekAtTheEnd},
      {.id = "kernel.data.recv.discard",
       .requirement =
           "recv(2) with MSG_TRUNC must discard data without storing it.",
       .source = "tcp(7), Sockets API (MSG_TRUNC)",
       .run = &Discard},
      {.id = "kernel.data.recv.wait_all",
       .requirement =
           "recv(2) with MSG_WAITALL must block until the buffer is full.",
       .source = "recv(2), MSG_WAITALL",
       .run = &WaitAll},
      {.id = "kernel.data.recv.wait_all_end",
       .requirement = "recv(2) with MSG_WAITALL must return the available data "
                      "at the end of the stream.",
       .source = "recv(2), MSG_WAITALL",
       .run = &WaitAllEndsAtTheEnd},
      {.id = "kernel.data.recv.wait_all_interrupted",
       .requirement = "recv(2) with MSG_WAITALL must return the data received "
                      "so far on a signal.",
       .source = "recv(2), MSG_WAITALL",
       .run = &WaitAllInterrupted},
      {.id = "kernel.data.recv.wait_all_nonblocking",
       .requirement = "recv(2) with MSG_WAITALL and MSG_DONTWAIT must return "
                      "the available data.",
       .source = "measured on Linux 6.18",
       .run = &WaitAllWithoutWaiting},
      {.id = "kernel.data.dont_wait",
       .requirement = "recv(2) and send(2) with MSG_DONTWAIT must fail with "
                      "EAGAIN where they would block.",
       .source = "recv(2); send(2), MSG_DONTWAIT",
       .run = &DontWait},
      {.id = "kernel.data.recv.no_urgent_data",
       .requirement = "recv(2) with MSG_OOB must fail with EINVAL while there "
                      "is no urgent data.",
       .source = "recv(2), MSG_OOB; measured on Linux 6.18",
       .run = &NoUrgentData},
      {.id = "kernel.data.recv.no_error_queue",
       .requirement = "recv(2) with MSG_ERRQUEUE must fail with EAGAIN while "
                      "the error queue is empty, even if there is data.",
       .source = "recv(2), MSG_ERRQUEUE",
       .run = &NoErrorQueue},
      {.id = "kernel.data.unknown_flag",
       .requirement = "send(2) and recv(2) must ignore unknown flags.",
       .source = "measured on Linux 6.18",
       .run = &UnknownFlag},
      {.id = "kernel.data.message.gather",
       .requirement =
           "sendmsg(2) must send its buffers in order, and skip empty ones.",
       .source = "send(2); readv(2)",
       .run = &Gather},
      {.id = "kernel.data.message.scatter",
       .requirement =
           "recvmsg(2) must fill its buffers in order, and skip empty ones.",
       .source = "recv(2); readv(2)",
       .run = &Scatter},
      {.id = "kernel.data.message.no_parts",
       .requirement =
           "A message without buffers must be treated as one of zero bytes.",
       .source = "measured on Linux 6.18",
       .run = &NoParts},
      {.id = "kernel.data.message.too_many_parts",
       .requirement = "sendmsg(2) and recvmsg(2) must fail with EMSGSIZE for "
                      "more than UIO_MAXIOV buffers.",
       .source = "send(2), EMSGSIZE",
       .run = &TooManyParts},
      {.id = "kernel.data.message.no_name",
       .requirement = "recvmsg(2) on a connection must set msg_namelen and "
                      "msg_flags to 0.",
       .source = "recv(2), DESCRIPTION",
       .run = &MessageTellsNoName},
      {.id = "kernel.data.message.no_control",
       .requirement = "recvmsg(2) must set msg_controllen to 0 if there is no "
                      "ancillary data.",
       .source = "recv(2), DESCRIPTION",
       .run = &MessageTellsNoControl},
      {.id = "kernel.data.message.name_ignored",
       .requirement = "sendmsg(2) on a connection must ignore msg_name.",
       .source = "send(2), EISCONN; measured on Linux 6.18",
       .run = &NameIsIgnored},
      {.id = "kernel.data.bad_buffer",
       .requirement = "send(2) and recv(2) with a null buffer must fail with "
                      "EFAULT, and lose no data.",
       .source = "send(2); recv(2), EFAULT",
       .run = &BadBuffers},
      {.id = "kernel.data.bad_message",
       .requirement = "sendmsg(2) and recvmsg(2) with a null message must fail "
                      "with EFAULT.",
       .source = "send(2); recv(2), EFAULT",
       .run = &BadMessage},
      {.id = "kernel.data.readable.counted",
       .requirement =
           "FIONREAD must return the number of bytes that can be received.",
       .source = "tcp(7), Ioctls",
       .run = &Readable},
      {.id = "kernel.data.readable.at_end",
       .requirement =
           "FIONREAD must not count the end of the stream as a byte.",
       .source = "measured on Linux 6.18",
       .run = &ReadableAtTheEnd},
      {.id = "kernel.data.unsent.counted",
       .requirement =
           "SIOCOUTQ must return more than 0 while data waits to be sent.",
       .source = "tcp(7), Ioctls",
       .run = &Unsent},
      {.id = "kernel.data.ioctl.other_states",
       .requirement = "FIONREAD and SIOCOUTQ must fail with EINVAL on a "
                      "listener, and return 0 on a new socket.",
       .source = "tcp(7), Ioctls; measured on Linux 6.18",
       .run = &AskOfOthers},
  };
  return cases;
}

}  // namespace net::conformance
