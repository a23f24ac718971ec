// Calls that block for data or room, their timeouts, and their errors in each
// state of a socket.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

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
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;
using loopback::RefusedPort;

// ---- Full buffers -----------------------------------------------------------

// More bytes than the buffers hold.
constexpr size_t kALot = size_t{16} << 20;

void PartOfALot(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const std::string data(kALot, 'x');
  const SysResult sent = pair.client.Send(data, MSG_DONTWAIT);
  ASSERT_THAT(sent, IsOk());
  EXPECT_GT(sent.value(), 0);
  EXPECT_LT(sent.value(), static_cast<int64_t>(data.size()));
}

void AllOfALot(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const std::string data(kALot, 'x');
  PendingCall send(c, [&] { return pair.client.Send(data); });
  ASSERT_TRUE(send.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const std::string received,
                       loopback::RecvExactly(pair.server, kALot));
  EXPECT_THAT(send.Join(), IsOkAndHolds(static_cast<int64_t>(kALot)));
  EXPECT_TRUE(received == data);
}

void InterruptedInTheMiddle(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const std::string data(kALot, 'x');
  PendingCall send(c, [&] { return pair.client.Send(data); });
  ASSERT_TRUE(send.AwaitBlocked());
  send.Interrupt();
  const SysResult sent = send.Join();
  ASSERT_THAT(sent, IsOk());
  EXPECT_GT(sent.value(), 0);
  EXPECT_LT(sent.value(), static_cast<int64_t>(kALot));
}

// A late acknowledgement may make room for some bytes. The send is then made
// again.
void InterruptedBeforeAnything(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewSmallPair(c));
  SysResult sent = SysResult::Ok();
  while (sent.ok()) {
    ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
    PendingCall send(c, [&] { return pair.client.Send("more"); });
    if (send.AwaitBlocked()) send.Interrupt();
    sent = send.Join();
  }
  EXPECT_THAT(sent, IsErrno(EINTR));
}

void RoomByReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewSmallPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  ASSERT_THAT(pair.client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(pair.client.Send("x", MSG_DONTWAIT), IsOkAndHolds(1));
}

// ---- Timeouts ---------------------------------------------------------------

constexpr timeval kSoon = {.tv_sec = 0, .tv_usec = 20000};

SysResult SetTimeout(const RawSocket& socket, int name) {
  return socket.syscalls().SetSockOpt(socket.fd(), SOL_SOCKET, name, &kSoon,
                                      sizeof(kSoon));
}

void ReceiveTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTimeout(pair.server, SO_RCVTIMEO), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsErrno(EAGAIN));
}

void ReceiveTimeoutOfPart(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTimeout(pair.server, SO_RCVTIMEO), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_WAITALL), IsOkAndHolds("abc"));
}

void SendTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewSmallPair(c));
  ASSERT_THAT(SetTimeout(pair.client, SO_SNDTIMEO), IsOk());
  SysResult sent = SysResult::Ok();
  // A late acknowledgement may make room for some bytes.
  while (sent.ok()) {
    ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
    sent = pair.client.Send("more");
  }
  EXPECT_THAT(sent, IsErrno(EAGAIN));
}

void SendTimeoutOfPart(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTimeout(pair.client, SO_SNDTIMEO), IsOk());
  const SysResult sent = pair.client.Send(std::string(kALot, 'x'));
  ASSERT_THAT(sent, IsOk());
  EXPECT_LT(sent.value(), static_cast<int64_t>(kALot));
}

// ---- The low-water mark -----------------------------------------------------

void LowWaterMarkPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
  ASSERT_THAT(pair.client.Send("c"), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
}

void LowWaterMarkReceive(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  std::array<char, 8> buffer = {};
  PendingCall receive(c,
                      [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
  ASSERT_TRUE(receive.AwaitBlocked());
  // recv(2) has already taken the first bytes, which do not count for the mark.
  ASSERT_THAT(pair.client.Send("c"), IsOk());
  EXPECT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("de"), IsOk());
  EXPECT_THAT(receive.Join(), IsOkAndHolds(5));
}

void LowWaterMarkFromNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  std::array<char, 8> buffer = {};
  PendingCall receive(c,
                      [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
  ASSERT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  EXPECT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("c"), IsOk());
  EXPECT_THAT(receive.Join(), IsOkAndHolds(3));
}

// On Linux, what makes room for send(2) wakes a blocked recv(2) as well, but
// only if a send(2) or poll(2) has found no room before.
void LowWaterMarkWhileSending(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  std::array<char, 1> byte = {};
  PendingCall receive(c,
                      [&] { return pair.server.Recv(absl::MakeSpan(byte)); });
  ASSERT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  EXPECT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("x"));
  EXPECT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("bc"), IsOk());
  EXPECT_THAT(receive.Join(), IsOkAndHolds(1));
}

void LowWaterMarkLowered(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  std::array<char, 1> byte = {};
  PendingCall receive(c,
                      [&] { return pair.server.Recv(absl::MakeSpan(byte)); });
  ASSERT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  EXPECT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  EXPECT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 2), IsOk());
  EXPECT_THAT(receive.Join(), IsOkAndHolds(1));
}

// Data below the mark wakes nobody, but is there when the call ends.
void LowWaterMarkTimesOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 9), IsOk());
  // Long, because the data must come before it.
  const timeval timeout = {.tv_sec = 2, .tv_usec = 0};
  ASSERT_THAT(c.sys().SetSockOpt(pair.server.fd(), SOL_SOCKET, SO_RCVTIMEO,
                                 &timeout, sizeof(timeout)),
              IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  // The first call has taken a byte before it waits.
  for (const int there : {3, 2}) {
    std::array<char, 10> buffer = {};
    PendingCall receive(
        c, [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
    ASSERT_TRUE(receive.AwaitBlocked());
    ASSERT_THAT(pair.client.Send("de"), IsOk());
    EXPECT_THAT(receive.Join(), IsOkAndHolds(there));
  }
}

void LowWaterMarkInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 9), IsOk());
  std::array<char, 10> buffer = {};
  PendingCall receive(c,
                      [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
  ASSERT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  ASSERT_TRUE(receive.AwaitBlocked());
  receive.Interrupt();
  EXPECT_THAT(receive.Join(), IsOkAndHolds(2));
}

void LowWaterMarkWithoutWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_DONTWAIT), IsOkAndHolds("ab"));
}

void LowWaterMarkAtTheEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("ab"));
}

// ---- Blocked ----------------------------------------------------------------

void ReceiveWaits(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  std::array<char, 8> buffer = {};
  PendingCall receive(c,
                      [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
  ASSERT_TRUE(receive.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(receive.Join(), IsOkAndHolds(1));
}

void ReceiveInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  std::array<char, 8> buffer = {};
  PendingCall receive(c,
                      [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
  ASSERT_TRUE(receive.AwaitBlocked());
  receive.Interrupt();
  EXPECT_THAT(receive.Join(), IsErrno(EINTR));
}

void SendWaitsForConnection(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connecting connecting, NewConnecting(c));
  ASSERT_THAT(c.sys().Fcntl(connecting.client.fd(), F_SETFL, 0), IsOk());
  PendingCall send(c, [&] { return connecting.client.Send("x"); });
  ASSERT_TRUE(send.AwaitBlocked());
  ASSERT_THAT(connecting.queue.Drain(), IsOk());
  EXPECT_THAT(send.Join(), IsOkAndHolds(1));
}

// ---- States -----------------------------------------------------------------

// Expects that send(2) fails with `send`, and that recv(2) fails with
// `receive`, or returns 0 if that is 0.
void ExpectAnswers(const RawSocket& socket, int send, int receive) {
  EXPECT_THAT(socket.Send("x", MSG_DONTWAIT), IsErrno(send));
  EXPECT_THAT(RecvOnce(socket, 8, MSG_DONTWAIT), ReturnsErrno(receive));
}

void Fresh(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectAnswers(socket, EPIPE, ENOTCONN);
  ASSERT_THAT(loopback::Bind(socket, {c.Loopback(), 0}), IsOk());
  ExpectAnswers(socket, EPIPE, ENOTCONN);
}

void Listening(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ExpectAnswers(listener.socket(), EPIPE, ENOTCONN);
}

void UnderWay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  ExpectAnswers(connecting.client, EAGAIN, EAGAIN);
}

void Refused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  ExpectAnswers(client, EPIPE, ENOTCONN);
}

// Makes a socket whose refusal was not reported yet.
absl::StatusOr<RawSocket> NewRefused(Context& c) {
  const absl::StatusOr<RefusedPort> refused =
      RefusedPort::Reserve(c.sys(), c.family());
  if (!refused.ok()) return refused.status();
  absl::StatusOr<RawSocket> client =
      ConnectTo(c.sys(), refused->endpoint(), {.nonblocking = true});
  if (!client.ok()) return client;
  const SysResult ready = client->Wait(POLLOUT);
  if (!ready.ok()) return ErrnoError(ready.error(), "poll");
  return client;
}

void RefusedToldBySend(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewRefused(c));
  ExpectAnswers(client, ECONNREFUSED, 0);
}

void RefusedToldByReceive(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewRefused(c));
  EXPECT_THAT(RecvOnce(client), IsErrno(ECONNREFUSED));
  EXPECT_THAT(RecvOnce(client), IsOkAndHolds(""));
  EXPECT_THAT(client.Send("x"), IsErrno(EPIPE));
}

void Disconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  ExpectAnswers(pair.client, ECONNRESET, ENOTCONN);
  ExpectAnswers(pair.client, EPIPE, ENOTCONN);
}

}  // namespace

const std::vector<Case>& DataWaitingKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.data.full.part",
       .requirement = "A non-blocking send(2) must send the part that fits.",
       .source = "send(2), DESCRIPTION; tcp(7)",
       .run = &PartOfALot},
      {.id = "kernel.data.full.all",
       .requirement = "A blocking send(2) must block until all data is taken.",
       .source = "send(2), DESCRIPTION",
       .run = &AllOfALot},
      {.id = "kernel.data.full.interrupted",
       .requirement = "A blocked send(2) must return the number of bytes taken "
                      "so far on a signal.",
       .source = "send(2), RETURN VALUE; signal(7)",
       .run = &InterruptedInTheMiddle},
      {.id = "kernel.data.full.interrupted_before",
       .requirement = "A blocked send(2) that has taken no bytes must fail "
                      "with EINTR on a signal.",
       .source = "send(2), EINTR",
       .run = &InterruptedBeforeAnything},
      {.id = "kernel.data.full.room",
       .requirement = "send(2) must succeed again after the peer has read.",
       .source = "RFC 9293, section 3.8.6",
       .run = &RoomByReading},
      {.id = "kernel.data.timeout.receive",
       .requirement =
           "A blocked recv(2) must fail with EAGAIN when SO_RCVTIMEO expires.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &ReceiveTimeout},
      {.id = "kernel.data.timeout.receive_part",
       .requirement = "recv(2) with MSG_WAITALL must return the data received "
                      "so far when SO_RCVTIMEO expires.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &ReceiveTimeoutOfPart},
      {.id = "kernel.data.timeout.send",
       .requirement = "A blocked send(2) that has taken no bytes must fail "
                      "with EAGAIN when SO_SNDTIMEO expires.",
       .source = "socket(7), SO_SNDTIMEO",
       .run = &SendTimeout},
      {.id = "kernel.data.timeout.send_part",
       .requirement = "A blocked send(2) must return the number of bytes taken "
                      "so far when SO_SNDTIMEO expires.",
       .source = "socket(7), SO_SNDTIMEO",
       .run = &SendTimeoutOfPart},
      {.id = "kernel.data.low_water.poll",
       .requirement = "poll(2) must not report POLLIN while fewer than "
                      "SO_RCVLOWAT bytes are available.",
       .source = "socket(7), SO_RCVLOWAT",
       .run = &LowWaterMarkPoll},
      {.id = "kernel.data.low_water.receive",
       .requirement =
           "recv(2) must block until SO_RCVLOWAT bytes are available.",
       .source = "socket(7), SO_RCVLOWAT",
       .run = &LowWaterMarkFromNothing},
      {.id = "kernel.data.low_water.receive_of_some",
       .requirement = "recv(2) that starts with fewer than SO_RCVLOWAT bytes "
                      "must block until SO_RCVLOWAT more bytes have arrived.",
       .source = "measured on Linux 6.18",
       .run = &LowWaterMarkReceive},
      {.id = "kernel.data.low_water.while_sending",
       .requirement = "A recv(2) that is blocked below SO_RCVLOWAT must stay "
                      "blocked when the same socket sends.",
       .source = "measured on Linux 6.18",
       .run = &LowWaterMarkWhileSending},
      {.id = "kernel.data.low_water.lowered",
       .requirement = "A recv(2) that is blocked below SO_RCVLOWAT must return "
                      "when SO_RCVLOWAT is lowered to the available bytes, and "
                      "must stay blocked when it is lowered to more.",
       .source = "measured on Linux 6.18",
       .run = &LowWaterMarkLowered},
      {.id = "kernel.data.low_water.timeout",
       .requirement = "When SO_RCVTIMEO ends a recv(2) that waits for "
                      "SO_RCVLOWAT bytes, it must return what there is.",
       .source = "socket(7), SO_RCVLOWAT and SO_RCVTIMEO; measured on Linux "
                 "6.18",
       .run = &LowWaterMarkTimesOut},
      {.id = "kernel.data.low_water.interrupted",
       .requirement = "When a signal ends a recv(2) that waits for "
                      "SO_RCVLOWAT bytes, it must return what there is.",
       .source = "recv(2), EINTR; measured on Linux 6.18",
       .run = &LowWaterMarkInterrupted},
      {.id = "kernel.data.low_water.nonblocking",
       .requirement = "A non-blocking recv(2) must return the available data, "
                      "even if it is less than SO_RCVLOWAT.",
       .source = "measured on Linux 6.18",
       .run = &LowWaterMarkWithoutWaiting},
      {.id = "kernel.data.low_water.end",
       .requirement = "recv(2) must return the available data at the end of "
                      "the stream, even if it is less than SO_RCVLOWAT.",
       .source = "socket(7), SO_RCVLOWAT",
       .run = &LowWaterMarkAtTheEnd},
      {.id = "kernel.data.blocked.receive",
       .requirement = "recv(2) must block until there is data.",
       .source = "recv(2), DESCRIPTION",
       .run = &ReceiveWaits},
      {.id = "kernel.data.blocked.receive_interrupted",
       .requirement = "A blocked recv(2) must fail with EINTR on a signal.",
       .source = "recv(2), EINTR",
       .run = &ReceiveInterrupted},
      {.id = "kernel.data.blocked.send_before_connected",
       .requirement = "send(2) must block until the attempt to connect that is "
                      "in progress has succeeded.",
       .source = "measured on Linux 6.18",
       .run = &SendWaitsForConnection},
      {.id = "kernel.data.state.fresh",
       .requirement = "On a socket that was never connected, send(2) must fail "
                      "with EPIPE and recv(2) with ENOTCONN.",
       .source = "recv(2), ENOTCONN; measured on Linux 6.18",
       .run = &Fresh},
      {.id = "kernel.data.state.listening",
       .requirement = "On a listener, send(2) must fail with EPIPE and recv(2) "
                      "with ENOTCONN.",
       .source = "recv(2), ENOTCONN; measured on Linux 6.18",
       .run = &Listening},
      {.id = "kernel.data.state.under_way",
       .requirement = "While an attempt to connect is in progress, "
                      "non-blocking send(2) and recv(2) must fail with EAGAIN.",
       .source = "measured on Linux 6.18",
       .run = &UnderWay},
      {.id = "kernel.data.state.refused",
       .requirement = "After connect(2) has failed with ECONNREFUSED, send(2) "
                      "must fail with EPIPE and recv(2) with ENOTCONN.",
       .source = "measured on Linux 6.18",
       .run = &Refused},
      {.id = "kernel.data.state.refused_send",
       .requirement =
           "After a refusal that was not reported yet, the first send(2) must "
           "fail with ECONNREFUSED, and recv(2) then return 0.",
       .source = "socket(7), SO_ERROR; measured on Linux 6.18",
       .run = &RefusedToldBySend},
      {.id = "kernel.data.state.refused_receive",
       .requirement =
           "After a refusal that was not reported yet, the first recv(2) must "
           "fail with ECONNREFUSED, and the next return 0.",
       .source = "recv(2), ECONNREFUSED; measured on Linux 6.18",
       .run = &RefusedToldByReceive},
      {.id = "kernel.data.state.disconnected",
       .requirement =
           "After connect(2) to AF_UNSPEC the first send(2) must fail with "
           "ECONNRESET, and the next with EPIPE, as on a new socket.",
       .source = "measured on Linux 6.18",
       .run = &Disconnected},
  };
  return cases;
}

}  // namespace net::conformance
