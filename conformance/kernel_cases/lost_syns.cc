// A connection whose first SYNs got no reply: what TCP_INFO counts, and how
// much data may be in flight.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;
using testing::Ge;

absl::StatusOr<tcp_info> InfoOf(const RawSocket& socket) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  const SysResult got = socket.syscalls().GetSockOpt(socket.fd(), IPPROTO_TCP,
                                                     TCP_INFO, &info, &size);
  if (!got.ok()) return ErrnoError(got.error(), "getsockopt");
  return info;
}

// Connects after at least `lost` SYNs got no reply, because the accept queue
// was full. Linux sends one in each second.
absl::StatusOr<Pair> NewPairAfter(Context& c, unsigned lost) {
  absl::StatusOr<Connecting> connecting = NewConnecting(c);
  if (!connecting.ok()) return connecting.status();
  RawSocket& client = connecting->client;
  constexpr int kMostLooks = 1000;
  for (int i = 0; i < kMostLooks; ++i) {
    const absl::StatusOr<tcp_info> info = InfoOf(client);
    if (!info.ok()) return info.status();
    if (info->tcpi_total_retrans + 1 >= lost) break;
    pollfd entry = {.fd = client.fd(), .events = POLLOUT, .revents = 0};
    const SysResult polled = c.sys().Poll(&entry, 1, /*timeout_ms=*/20);
    if (!polled.ok()) return ErrnoError(polled.error(), "poll");
  }
  const absl::Status drained = connecting->queue.Drain();
  if (!drained.ok()) return drained;
  const SysResult writable = client.Wait(POLLOUT);
  if (!writable.ok()) return ErrnoError(writable.error(), "poll");
  absl::StatusOr<RawSocket> server = connecting->queue.listener().Accept();
  if (!server.ok()) return server.status();
  return Pair(std::move(client), *std::move(server));
}

void OneLost(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPairAfter(c, 1));
  ASSERT_OK_AND_ASSIGN(const tcp_info info, InfoOf(pair.client));
  // The machine has been busy for a second.
  if (info.tcpi_total_retrans > 1) return c.Variation("slow");
  EXPECT_EQ(info.tcpi_total_retrans, 1U);
  EXPECT_EQ(info.tcpi_snd_cwnd, 10U);
}

void SeveralLost(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPairAfter(c, 2));
  ASSERT_OK_AND_ASSIGN(const tcp_info info, InfoOf(pair.client));
  EXPECT_THAT(info.tcpi_total_retrans, Ge(2U));
  EXPECT_EQ(info.tcpi_snd_cwnd, 1U);
}

void SecondWriteWaits(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPairAfter(c, 2));
  ASSERT_THAT(SetTcp(pair.client, TCP_NODELAY, 1), IsOk());
  ASSERT_THAT(SetTcp(pair.server, TCP_QUICKACK, 0), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_THAT(pair.client.Send("de"), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string first, RecvOnce(pair.server));
  // The acknowledgement was sent after 40 ms, before the machine looked.
  if (first == "abcde") return c.Variation("slow");
  EXPECT_EQ(first, "abc");
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("de"));
  ASSERT_OK_AND_ASSIGN(const tcp_info info, InfoOf(pair.client));
  EXPECT_THAT(info.tcpi_snd_cwnd, Ge(2U));
}

void SynSentIsShown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  ASSERT_OK_AND_ASSIGN(const tcp_info before, InfoOf(connecting.client));
  if (before.tcpi_total_retrans > 0) return c.Variation("slow");
  EXPECT_EQ(before.tcpi_snd_cwnd, 10U);
  pollfd entry = {.fd = connecting.client.fd(), .events = POLLIN, .revents = 0};
  constexpr int kBetweenFirstAndSecond = 1500;  // ms
  ASSERT_THAT(c.sys().Poll(&entry, 1, kBetweenFirstAndSecond), IsOkAndHolds(0));
  ASSERT_OK_AND_ASSIGN(const tcp_info after, InfoOf(connecting.client));
  EXPECT_THAT(after.tcpi_total_retrans, Ge(1U));
  EXPECT_EQ(after.tcpi_retransmits, after.tcpi_total_retrans);
  EXPECT_EQ(after.tcpi_snd_cwnd, 1U);
}

}  // namespace

const std::vector<Case>& LostSynsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.segments.lost_syns.under_way",
       .requirement = "While connect(2) is under way, TCP_INFO must count the "
                      "SYNs that were sent again, and report a congestion "
                      "window of one segment after the first of them.",
       .source = "net/ipv4/tcp_timer.c, tcp_retransmit_timer(); measured on "
                 "Linux 6.18",
       .run = &SynSentIsShown},
      {.id = "kernel.segments.lost_syns.one",
       .requirement =
           "After the loss of one SYN, the congestion window must be "
           "that of a new connection.",
       .source = "net/ipv4/tcp_input.c, tcp_init_transfer(); RFC 6298, section "
                 "5.7; measured on Linux 6.18",
       .run = &OneLost},
      {.id = "kernel.segments.lost_syns.several",
       .requirement = "After the loss of two or more SYNs, the congestion "
                      "window must be one segment.",
       .source = "net/ipv4/tcp_input.c, tcp_init_transfer(); RFC 5681, section "
                 "3.1",
       .run = &SeveralLost},
      {.id = "kernel.segments.lost_syns.second_write",
       .requirement = "After the loss of two or more SYNs, a second segment "
                      "must wait for the acknowledgement of the first one, in "
                      "spite of TCP_NODELAY.",
       .source = "net/ipv4/tcp_output.c, tcp_cwnd_test(); RFC 5681, section "
                 "3.1",
       .run = &SecondWriteWaits},
  };
  return cases;
}

}  // namespace net::conformance
