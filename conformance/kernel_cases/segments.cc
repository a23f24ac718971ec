// When segments are sent, acknowledged and given up: Nagle's algorithm, delayed
// acknowledgements, TCP_USER_TIMEOUT, keepalive, and the counts of TCP_INFO.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/kernel_cases/times.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

const std::string kTen(10, 'x');

// ---- Nagle and delayed acknowledgements -------------------------------------

// One message there, one back.
void Exchange(const Pair& pair) {
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
  ASSERT_THAT(pair.server.Send(kTen), IsOk());
  ASSERT_THAT(RecvOnce(pair.client), IsOkAndHolds(kTen));
}

// The delay may pass before the receiver looks if the machine is busy.
constexpr int kAttempts = 20;

void WriteWriteRead(Context& c) {
  std::string first;
  for (int i = 0; i < kAttempts && first != kTen; ++i) {
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
    Exchange(pair);
    ASSERT_THAT(pair.client.Send(kTen), IsOk());
    ASSERT_THAT(pair.client.Send(kTen), IsOk());
    ASSERT_OK_AND_ASSIGN(first, RecvOnce(pair.server));
    if (first == kTen) {
      EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
    }
  }
  EXPECT_EQ(first, kTen);
}

void WriteWriteReadWithNoDelay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, TCP_NODELAY, 1), IsOk());
  Exchange(pair);
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen + kTen));
}

void FreshConnectionIsQuick(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen + kTen));
}

void QuickAckOff(Context& c) {
  std::string first;
  for (int i = 0; i < kAttempts && first != kTen; ++i) {
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
    ASSERT_THAT(SetTcp(pair.client, TCP_QUICKACK, 0), IsOk());
    ASSERT_THAT(SetTcp(pair.server, TCP_QUICKACK, 0), IsOk());
    ASSERT_THAT(pair.client.Send(kTen), IsOk());
    ASSERT_THAT(pair.client.Send(kTen), IsOk());
    ASSERT_OK_AND_ASSIGN(first, RecvOnce(pair.server));
  }
  EXPECT_EQ(first, kTen);
}

void AnswerEndsQuickMode(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(Tcp(pair.server, TCP_QUICKACK), IsOkAndHolds(1));
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
  EXPECT_THAT(Tcp(pair.server, TCP_QUICKACK), IsOkAndHolds(1));
  ASSERT_THAT(pair.server.Send(kTen), IsOk());
  ASSERT_OK_AND_ASSIGN(const int quick, Tcp(pair.server, TCP_QUICKACK));
  // On a busy machine, more than 40 ms have passed.
  if (quick != 0) return c.Variation("slow");
}

// ---- Giving up --------------------------------------------------------------

// Waits until the connection has failed, and expects that it has timed out.
void ExpectTimesOut(const RawSocket& socket, int error = ETIMEDOUT) {
  EXPECT_THAT(socket.Wait(POLLIN), IsOkAndHolds(POLLIN | POLLERR | POLLHUP));
  EXPECT_THAT(socket.Ready(POLLIN | POLLOUT),
              IsOkAndHolds(POLLIN | POLLOUT | POLLERR | POLLHUP));
  EXPECT_THAT(RecvOnce(socket), IsErrno(error));
  EXPECT_THAT(socket.Send("x", MSG_NOSIGNAL), IsErrno(EPIPE));
}

constexpr int kUserTimeout = 300;  // Milliseconds.

void UserTimeoutOfUnreadData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, TCP_USER_TIMEOUT, kUserTimeout), IsOk());
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  ExpectTimesOut(pair.client);
}

void UserTimeoutLeavesWhatHasArrived(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, TCP_USER_TIMEOUT, kUserTimeout), IsOk());
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  ASSERT_THAT(pair.client.Wait(POLLIN), IsOk());
  size_t bytes = 0;
  absl::StatusOr<std::string> part = RecvOnce(pair.server, 65536);
  for (; part.ok() && !part->empty(); part = RecvOnce(pair.server, 65536)) {
    bytes += part->size();
  }
  EXPECT_THAT(part, IsErrno(ECONNRESET));
  EXPECT_THAT(bytes, IsAbout(128512));
}

// IPv6 without a route reports that as the reason.
int ErrorWithoutLoopback(Context& c) {
  return c.v6() ? ENETUNREACH : ETIMEDOUT;
}

void UserTimeoutOfLostData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, TCP_USER_TIMEOUT, kUserTimeout), IsOk());
  c.env().SetLoopbackUp(false);
  ASSERT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
  ExpectTimesOut(pair.client, ErrorWithoutLoopback(c));
}

void UserTimeoutOfConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(SetTcp(client, TCP_USER_TIMEOUT, kUserTimeout), IsOk());
  EXPECT_THAT(Connect(client, connecting.queue.endpoint()), IsErrno(ETIMEDOUT));
}

void LoopbackDownLosesData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  c.env().SetLoopbackUp(false);
  ASSERT_THAT(pair.client.Send("abc"), IsOkAndHolds(3));
  EXPECT_THAT(RecvOnce(pair.server, 256, MSG_DONTWAIT), IsErrno(EAGAIN));
}

void LoopbackUpDeliversTheData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  c.env().SetLoopbackUp(false);
  ASSERT_THAT(pair.client.Send("abc"), IsOkAndHolds(3));
  EXPECT_THAT(RecvOnce(pair.server, 256, MSG_DONTWAIT), IsErrno(EAGAIN));
  c.env().SetLoopbackUp(true);
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("abc"));
}

void KeepaliveFindsADeadPeer(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.server, TCP_KEEPIDLE, 1), IsOk());
  ASSERT_THAT(SetTcp(pair.server, TCP_KEEPINTVL, 1), IsOk());
  ASSERT_THAT(SetTcp(pair.server, TCP_KEEPCNT, 1), IsOk());
  ASSERT_THAT(SetSocketOption(pair.server, SO_KEEPALIVE, 1), IsOk());
  c.env().SetLoopbackUp(false);
  ExpectTimesOut(pair.server, ErrorWithoutLoopback(c));
}

// ---- TCP_INFO ---------------------------------------------------------------

// struct tcp_info of <linux/tcp.h>, from tcpi_bytes_acked on.
struct Counts {
  uint64_t bytes_acked = 0;
  uint64_t bytes_received = 0;
  uint32_t segs_out = 0;
  uint32_t segs_in = 0;
};

// The same from tcpi_bytes_sent on.
struct BytesSent {
  uint64_t all = 0;
  uint64_t again = 0;
};

// Returns the part of TCP_INFO that begins at `kOffset`.
template <typename Part, size_t kOffset>
absl::StatusOr<Part> PartOfInfo(const RawSocket& socket) {
  std::array<char, kOffset + sizeof(Part)> info = {};
  socklen_t size = info.size();
  const SysResult got = socket.syscalls().GetSockOpt(
      socket.fd(), IPPROTO_TCP, TCP_INFO, info.data(), &size);
  if (!got.ok()) return ErrnoError(got.error(), "getsockopt");
  Part part;
  std::memcpy(&part, info.data() + kOffset, sizeof(part));
  return part;
}

absl::StatusOr<Counts> CountsOf(const RawSocket& socket) {
  return PartOfInfo<Counts, 120>(socket);
}
absl::StatusOr<BytesSent> BytesSentBy(const RawSocket& socket) {
  return PartOfInfo<BytesSent, 200>(socket);
}

void CountsOfAHandshake(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Counts client, CountsOf(pair.client));
  EXPECT_EQ(client.segs_out, 2U);  // SYN, ACK
  EXPECT_EQ(client.segs_in, 1U);   // SYN-ACK
  EXPECT_EQ(client.bytes_acked, 1U);
  ASSERT_OK_AND_ASSIGN(const Counts server, CountsOf(pair.server));
  EXPECT_EQ(server.segs_out, 0U);
  EXPECT_EQ(server.segs_in, 2U);
  EXPECT_EQ(server.bytes_acked, 0U);
}

void CountsOfAnExchange(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
  ASSERT_OK_AND_ASSIGN(const Counts client, CountsOf(pair.client));
  EXPECT_EQ(client.segs_out, 3U);  // SYN, ACK, data
  EXPECT_EQ(client.segs_in, 2U);   // SYN-ACK, ACK
  EXPECT_EQ(client.bytes_acked, 11U);
  ASSERT_THAT(pair.server.Send(kTen), IsOk());
  ASSERT_THAT(RecvOnce(pair.client), IsOkAndHolds(kTen));
  ASSERT_OK_AND_ASSIGN(const Counts server, CountsOf(pair.server));
  EXPECT_EQ(server.segs_out, 2U);  // ACK, data
  EXPECT_EQ(server.segs_in, 4U);   // SYN, ACK, data, ACK
  EXPECT_EQ(server.bytes_acked, 10U);
  EXPECT_EQ(server.bytes_received, 10U);
}

// Over IPv6, Linux finds no route: what it could not send is not sent again.
void BytesThatWereSentAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("before"), IsOk());
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds("before"));
  ASSERT_OK_AND_ASSIGN(const BytesSent before, BytesSentBy(pair.client));
  EXPECT_EQ(before.all, 6U);
  EXPECT_EQ(before.again, 0U);
  c.env().SetLoopbackUp(false);
  ASSERT_THAT(pair.client.Send("lost"), IsOk());
  c.env().SetLoopbackUp(true);
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds("lost"));
  ASSERT_OK_AND_ASSIGN(const BytesSent after, BytesSentBy(pair.client));
  EXPECT_GE(after.again, 4U);
  EXPECT_EQ(after.again % 4, 0U);
  EXPECT_EQ(after.all, 10 + after.again);
}

void ReadingAnnouncesNoLargerWindow(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
  // Also enlarges SO_RCVBUF.
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 1 << 20), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 1, MSG_DONTWAIT), IsOkAndHolds("x"));
  ASSERT_OK_AND_ASSIGN(const Counts server, CountsOf(pair.server));
  EXPECT_EQ(server.segs_out, 1U);  // The acknowledgement.
}

}  // namespace

const std::vector<Case>& SegmentsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.segments.nagle.write_write_read",
       .requirement =
           "After an exchange, the second of two small writes must wait until "
           "the first one is acknowledged, and then arrive.",
       .source = "RFC 896; RFC 9293, section 3.8.6.3; measured on Linux 6.18",
       .run = &WriteWriteRead},
      {.id = "kernel.segments.nagle.nodelay",
       .requirement =
           "With TCP_NODELAY, two small writes must arrive immediately.",
       .source = "tcp(7), TCP_NODELAY",
       .run = &WriteWriteReadWithNoDelay},
      {.id = "kernel.segments.quick_ack.fresh",
       .requirement = "On a new connection, two small writes must arrive "
                      "immediately, because acknowledgements are not delayed.",
       .source = "tcp(7), TCP_QUICKACK; measured on Linux 6.18",
       .run = &FreshConnectionIsQuick},
      {.id = "kernel.segments.quick_ack.off",
       .requirement = "Without TCP_QUICKACK at the receiver, the second of two "
                      "small writes on a new connection must wait.",
       .source = "tcp(7), TCP_QUICKACK; measured on Linux 6.18",
       .run = &QuickAckOff},
      {.id = "kernel.segments.quick_ack.answer",
       .requirement = "TCP_QUICKACK must read 0 after the program has answered "
                      "data within 40 ms.",
       .source = "tcp(7), TCP_QUICKACK; measured on Linux 6.18",
       .run = &AnswerEndsQuickMode},
      {.id = "kernel.segments.user_timeout.unread",
       .requirement = "TCP_USER_TIMEOUT must end a connection with ETIMEDOUT "
                      "if the peer does not read what was sent.",
       .source = "tcp(7), TCP_USER_TIMEOUT; measured on Linux 6.18",
       .run = &UserTimeoutOfUnreadData},
      {.id = "kernel.segments.user_timeout.peer",
       .requirement = "After TCP_USER_TIMEOUT has ended a connection, the peer "
                      "must read what has arrived, and then ECONNRESET.",
       .source = "RFC 9293, section 3.10.7.1; measured on Linux 6.18",
       .run = &UserTimeoutLeavesWhatHasArrived},
      {.id = "kernel.segments.user_timeout.lost",
       .requirement = "TCP_USER_TIMEOUT must end a connection with ETIMEDOUT "
                      "if nothing acknowledges what was sent, and over IPv6 "
                      "with ENETUNREACH if there is no route any more.",
       .source = "tcp(7), TCP_USER_TIMEOUT; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &UserTimeoutOfLostData},
      {.id = "kernel.segments.user_timeout.connect",
       .requirement =
           "TCP_USER_TIMEOUT must end a connect(2) that gets no answer.",
       .source = "tcp(7), TCP_USER_TIMEOUT; measured on Linux 6.18",
       .run = &UserTimeoutOfConnect},
      {.id = "kernel.segments.loopback_down.data",
       .requirement = "While the loopback interface is down, data of a "
                      "connection must be accepted and not arrive.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &LoopbackDownLosesData},
      {.id = "kernel.segments.loopback_down.up_again",
       .requirement = "Data that was lost while the loopback interface was "
                      "down must arrive when it is up again.",
       .source = "RFC 6298, section 5; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &LoopbackUpDeliversTheData},
      {.id = "kernel.segments.keepalive.dead_peer",
       .requirement =
           "Keepalive must end a connection with ETIMEDOUT if TCP_KEEPCNT "
           "probes are not answered, and over IPv6 with ENETUNREACH if there "
           "is no route any more.",
       .source = "tcp(7), TCP_KEEPCNT; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &KeepaliveFindsADeadPeer},
      {.id = "kernel.segments.info.handshake",
       .requirement = "TCP_INFO must count the segments of the handshake, "
                      "except the SYN-ACK at the end that sends it.",
       .source = "measured on Linux 6.18",
       .run = &CountsOfAHandshake},
      {.id = "kernel.segments.info.exchange",
       .requirement = "TCP_INFO must count the segments and bytes of an "
                      "exchange, and the SYN as a byte that was acknowledged.",
       .source = "measured on Linux 6.18",
       .run = &CountsOfAnExchange},
      {.id = "kernel.segments.info.sent_again",
       .requirement = "TCP_INFO must count the bytes that were sent again, "
                      "also among those that were sent.",
       .source = "RFC 4898, tcpEStatsPerfOctetsRetrans; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &BytesThatWereSentAgain},
      {.id = "kernel.segments.window_grows_by_data",
       .requirement = "A read must not announce a larger window than any "
                      "before, although SO_RCVLOWAT has enlarged the buffer.",
       .source = "Linux, tcp_grow_window() in net/ipv4/tcp_input.c",
       .run = &ReadingAnnouncesNoLargerWindow},
  };
  return cases;
}

}  // namespace net::conformance
