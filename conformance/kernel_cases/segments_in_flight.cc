// The segments in flight as TCP_INFO counts them, and when TCP_QUICKACK
// acknowledges them.

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
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
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;
using ::testing::ElementsAre;

const std::string kTen(10, 'x');

tcp_info InfoOf(const RawSocket& socket) {
  const auto info = OptionOf<tcp_info>(socket, IPPROTO_TCP, TCP_INFO);
  EXPECT_THAT(info, IsOk());
  return info.value_or(tcp_info{});
}

// Returns TCP_INFO as soon as it `holds`.
tcp_info AwaitInfo(Context& c, const RawSocket& socket,
                   absl::FunctionRef<bool(const tcp_info&)> holds) {
  tcp_info info = InfoOf(socket);
  for (; !holds(info); info = InfoOf(socket)) {
    EXPECT_THAT(c.sys().Poll(nullptr, 0, 10), IsOkAndHolds(0));
  }
  return info;
}
bool HasRetransmitted(const tcp_info& info) {
  return info.tcpi_retransmits > 0;
}

// Expects that one segment is in flight, and was lost and sent again.
void ExpectOneIsLost(const tcp_info& info) {
  EXPECT_EQ(info.tcpi_unacked, 1U);
  EXPECT_EQ(info.tcpi_lost, 1U);
  EXPECT_EQ(info.tcpi_retrans, 1U);
  EXPECT_EQ(info.tcpi_ca_state, TCP_CA_Loss);
}

// A connection whose client does not wait for acknowledgements, and whose
// server delays them.
absl::StatusOr<Pair> NewDelayingPair(Context& c) {
  absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return pair;
  EXPECT_THAT(SetTcp(pair->client, TCP_NODELAY, 1), IsOk());
  EXPECT_THAT(SetTcp(pair->server, TCP_QUICKACK, 0), IsOk());
  return pair;
}

// ---- Counts -----------------------------------------------------------------

void SegmentsInFlight(Context& c) {
  std::vector<uint32_t> counts;
  Undisturbed(c, [&] {
    counts.clear();
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewDelayingPair(c));
    const auto count = [&] {
      counts.push_back(InfoOf(pair.client).tcpi_unacked);
    };
    count();
    for (const size_t size : {10U, 1U, 100U, 20U}) {
      ASSERT_THAT(pair.client.Send(std::string(size, 'x')), IsOk());
      count();
    }
    ASSERT_THAT(pair.client.HalfClose(), IsOk());
    count();
    ASSERT_THAT(SetTcp(pair.server, TCP_QUICKACK, 1), IsOk());
    ASSERT_THAT(RecvOnce(pair.server), IsOk());
    count();
  });
  EXPECT_THAT(counts, ElementsAre(0, 1, 2, 3, 4, 5, 0));
}

void SynInFlight(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_EQ(InfoOf(connecting.client).tcpi_unacked, 1U);
  ExpectOneIsLost(AwaitInfo(c, connecting.client, HasRetransmitted));
}

// Over IPv6, Linux finds no route before it would join segments.
void LostSegments(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, TCP_NODELAY, 1), IsOk());
  c.env().SetLoopbackUp(false);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(pair.client.Send(kTen), IsOk());
  ExpectOneIsLost(AwaitInfo(c, pair.client, HasRetransmitted));
  c.env().SetLoopbackUp(true);
  const tcp_info sent = AwaitInfo(c, pair.client, [](const tcp_info& info) {
    return info.tcpi_unacked == 0;
  });
  EXPECT_EQ(sent.tcpi_lost, 0U);
  EXPECT_EQ(sent.tcpi_retrans, 0U);
  EXPECT_EQ(sent.tcpi_ca_state, TCP_CA_Open);
}

// ---- TCP_QUICKACK -----------------------------------------------------------

// Returns SIOCOUTQ: the bytes that are not acknowledged.
int Unacknowledged(const RawSocket& socket) {
  const absl::StatusOr<int> bytes = Ask(socket, SIOCOUTQ);
  EXPECT_THAT(bytes, IsOk());
  return bytes.value_or(-1);
}

void QuickAckOfUnread(Context& c) {
  std::vector<int> bytes;
  Undisturbed(c, [&] {
    bytes.clear();
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewDelayingPair(c));
    ASSERT_THAT(pair.client.Send(kTen), IsOk());
    ASSERT_THAT(SetTcp(pair.server, TCP_QUICKACK, 1), IsOk());
    bytes.push_back(Unacknowledged(pair.client));
    ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
    bytes.push_back(Unacknowledged(pair.client));
  });
  EXPECT_THAT(bytes, ElementsAre(10, 0));
}

void QuickAckOfRead(Context& c) {
  std::vector<int> bytes;
  Undisturbed(c, [&] {
    bytes.clear();
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewDelayingPair(c));
    ASSERT_THAT(pair.client.Send(kTen), IsOk());
    ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
    bytes.push_back(Unacknowledged(pair.client));
    ASSERT_THAT(SetTcp(pair.server, TCP_QUICKACK, 1), IsOk());
    bytes.push_back(Unacknowledged(pair.client));
  });
  EXPECT_THAT(bytes, ElementsAre(10, 0));
}

void QuickAckAfterOwnEnd(Context& c) {
  std::vector<int> bytes;
  Undisturbed(c, [&] {
    bytes.clear();
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewDelayingPair(c));
    ASSERT_THAT(pair.server.HalfClose(), IsOk());
    ASSERT_THAT(pair.client.Send(kTen), IsOk());
    ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
    ASSERT_THAT(SetTcp(pair.server, TCP_QUICKACK, 1), IsOk());
    bytes.push_back(Unacknowledged(pair.client));
  });
  EXPECT_THAT(bytes, ElementsAre(10));
}

void QuickAckOnce(Context& c) {
  std::vector<int> bytes;
  Undisturbed(c, [&] {
    bytes.clear();
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewDelayingPair(c));
    for (int i = 0; i < 2; ++i) {
      ASSERT_THAT(pair.client.Send(kTen), IsOk());
      ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
      bytes.push_back(Unacknowledged(pair.client));
      if (i > 0) continue;
      ASSERT_THAT(SetTcp(pair.server, TCP_QUICKACK, 2), IsOk());
      bytes.push_back(Unacknowledged(pair.client));
    }
  });
  EXPECT_THAT(bytes, ElementsAre(10, 0, 10));
}

}  // namespace

const std::vector<Case>& SegmentsInFlightKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.segments.info.in_flight",
       .requirement = "TCP_INFO must count the segments that are not "
                      "acknowledged, the FIN among them.",
       .source = "Linux, tcp_get_info() in net/ipv4/tcp.c; measured on Linux "
                 "6.18",
       .run = &SegmentsInFlight},
      {.id = "kernel.segments.info.syn_in_flight",
       .requirement = "TCP_INFO must count a SYN that is not acknowledged, and "
                      "one that is "
                      "sent again.",
       .source = "measured on Linux 6.18",
       .run = &SynInFlight},
      {.id = "kernel.segments.info.lost",
       .requirement = "After a timeout, TCP_INFO must count the segments that "
                      "are lost and those sent again; small ones are joined.",
       .source = "Linux, tcp_enter_loss() in net/ipv4/tcp_input.c and "
                 "tcp_retrans_try_collapse() in net/ipv4/tcp_output.c",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &LostSegments},
      {.id = "kernel.segments.quick_ack.read",
       .requirement =
           "Switching TCP_QUICKACK on must acknowledge data that the "
           "program has read.",
       .source = "tcp(7), TCP_QUICKACK; measured on Linux 6.18",
       .run = &QuickAckOfRead},
      {.id = "kernel.segments.quick_ack.unread",
       .requirement = "Switching TCP_QUICKACK on must not acknowledge a small "
                      "segment that is not read; reading it must.",
       .source = "Linux, __tcp_sock_set_quickack() and __tcp_cleanup_rbuf() in "
                 "net/ipv4/tcp.c",
       .run = &QuickAckOfUnread},
      {.id = "kernel.segments.quick_ack.own_end",
       .requirement = "After shutdown(SHUT_WR), switching TCP_QUICKACK on must "
                      "not acknowledge what was received before.",
       .source = "Linux, __tcp_sock_set_quickack() in net/ipv4/tcp.c",
       .run = &QuickAckAfterOwnEnd},
      {.id = "kernel.segments.quick_ack.once",
       .requirement = "TCP_QUICKACK 2 must acknowledge what was received "
                      "before, and delay later acknowledgements.",
       .source = "Linux, __tcp_sock_set_quickack() in net/ipv4/tcp.c",
       .run = &QuickAckOnce},
  };
  return cases;
}

}  // namespace net::conformance
