// TCP_CORK and MSG_MORE: when data is held back, and when it is sent.

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/kernel_cases/times.h"
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

using loopback::ConnectedPair;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

void CorkAndNoDelay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetTcp(socket, TCP_NODELAY, 1), IsOk());
  EXPECT_THAT(SetTcp(socket, TCP_CORK, 1), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_NODELAY), IsOkAndHolds(1));
  EXPECT_THAT(Tcp(socket, TCP_CORK), IsOkAndHolds(1));
}

void Uncorked(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
    ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 1), IsOk());
    ASSERT_THAT(pair.client.Send("a"), IsOk());
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
    ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 0), IsOk());
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
  });
}

void CorkEndsWithTheStream(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 1), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("a"));
}

void CorkedServer(Context& c) {
  constexpr int kSent = 40000;
  std::optional<absl::StatusOr<int>> held_back;
  Undisturbed(c, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
    ASSERT_THAT(SetTcp(pair.server, TCP_CORK, 1), IsOk());
    ASSERT_THAT(pair.server.Send(std::string(kSent, 'a')), IsOkAndHolds(kSent));
    held_back = Ask(pair.server, SIOCOUTQ);
  });
  EXPECT_THAT(*held_back, IsOkAndHolds(kSent - 32768));
}

void NoDelayPushesCorked(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 1), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  ASSERT_THAT(SetTcp(pair.client, TCP_NODELAY, 1), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
}

void FailedUncorkPushesNothing(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
    ASSERT_THAT(pair.client.Send("a", MSG_MORE), IsOk());
    const int off = 0;
    EXPECT_THAT(SetOptionAt(pair.client, IPPROTO_TCP, TCP_CORK, &off, 1),
                IsErrno(EINVAL));
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
  });
}

void MoreIsACork(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
    ASSERT_THAT(pair.client.Send("a", MSG_MORE), IsOk());
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
    ASSERT_THAT(pair.client.Send("b"), IsOk());
    EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("ab"));
  });
}

// Much longer than 200 ms, so that only a kernel without that limit fails.
constexpr timeval kPatience = {.tv_sec = 10, .tv_usec = 0};

void CorkHasALimit(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetOptionTo(pair.server, SOL_SOCKET, SO_RCVTIMEO, kPatience),
              IsOk());
  ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 1), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("a"));
}

// Makes a connection whose segments carry 88 bytes, in addition to the 12 bytes
// of timestamps.
absl::StatusOr<Pair> PairOfSmallSegments(Context& c) {
  absl::StatusOr<Listener> listener = NewListener(c);
  if (!listener.ok()) return listener.status();
  absl::StatusOr<RawSocket> client = NewTcp(c);
  if (!client.ok()) return client.status();
  EXPECT_THAT(SetTcp(*client, TCP_MAXSEG, 100), IsOk());
  EXPECT_THAT(Connect(*client, listener->endpoint()), IsOk());
  absl::StatusOr<RawSocket> server = listener->Accept();
  if (!server.ok()) return server.status();
  return Pair(*std::move(client), *std::move(server));
}

void CorkSendsWholeSegments(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, PairOfSmallSegments(c));
    ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 1), IsOk());
    ASSERT_THAT(pair.client.Send(std::string(100, 'a')), IsOk());
    EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(std::string(88, 'a')));
  });
}

void MoreEndsWithAnAnswer(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, PairOfSmallSegments(c));
  ASSERT_THAT(pair.client.Send(std::string(100, 'a'), MSG_MORE), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string got, RecvOnce(pair.server));
  if (got.size() == 88) return c.Variation("waits_for_the_next");
  EXPECT_EQ(got, std::string(100, 'a'));
}

void CorkOutlastsThePeersStream(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
    ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 1), IsOk());
    ASSERT_THAT(pair.client.Send("a"), IsOk());
    ASSERT_THAT(pair.server.HalfClose(), IsOk());
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
  });
}

void MoreEndsWithThePeersStream(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(pair.client.Send("a", MSG_MORE), IsOk());
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  const SysResult ready = pair.server.Ready(POLLIN);
  ASSERT_THAT(ready, IsOk());
  if (ready.value() == 0) return c.Variation("waits_for_the_next");
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("a"));
}

// A reset is the reply to data. While the data is corked, there can be none.
void CorkedToClosedPeer(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(Pair pair, ConnectedPair(c.sys(), c.family()));
    ASSERT_THAT(pair.server.Close(), IsOk());
    ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 1), IsOk());
    ASSERT_THAT(pair.client.Send("a"), IsOkAndHolds(1));
    EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE_WAIT));
    EXPECT_THAT(Ask(pair.client, SIOCOUTQ), IsOkAndHolds(1));
    ASSERT_THAT(SetTcp(pair.client, TCP_CORK, 0), IsOk());
    EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  });
}

void CorkedToDeafPeer(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
    ASSERT_THAT(pair.server.Shutdown(SHUT_RDWR), IsOk());
    ASSERT_THAT(pair.client.Send("a", MSG_MORE), IsOkAndHolds(1));
    EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE_WAIT));
    ASSERT_THAT(pair.client.HalfClose(), IsOk());
    EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
    EXPECT_THAT(pair.server.TcpState(), IsOkAndHolds(TCP_CLOSE));
  });
}

void MoreToClosedPeer(Context& c) {
  Undisturbed(c, kWhileHeldBack, [&] {
    ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
    ASSERT_THAT(pair.client.Close(), IsOk());
    EXPECT_THAT(pair.server.Send("x", MSG_MORE), IsOkAndHolds(1));
    const char byte = 0;
    EXPECT_THAT(SetOptionAt(pair.server, IPPROTO_TCP, TCP_CORK, &byte, 1),
                IsErrno(EINVAL));
    EXPECT_THAT(pair.server.Send("y"), IsOkAndHolds(1));
    EXPECT_THAT(pair.server.Send("z"), IsErrno(EPIPE));
  });
}

}  // namespace

const std::vector<Case>& OptionsCorkKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.tcp.cork.and_nodelay",
       .requirement =
           "TCP_CORK and TCP_NODELAY must be able to be set together.",
       .source = "tcp(7), TCP_CORK",
       .run = &CorkAndNoDelay},
      {.id = "kernel.options.tcp.cork.uncorked",
       .requirement = "A corked byte must be sent when TCP_CORK is cleared, "
                      "and not before.",
       .source = "tcp(7), TCP_CORK",
       .run = &Uncorked},
      {.id = "kernel.options.tcp.cork.end_of_stream",
       .requirement = "shutdown(SHUT_WR) must send corked data.",
       .source = "measured on Linux 6.18",
       .run = &CorkEndsWithTheStream},
      {.id = "kernel.options.tcp.cork.nodelay_pushes",
       .requirement = "Setting TCP_NODELAY must send corked data.",
       .source = "tcp(7), TCP_NODELAY",
       .run = &NoDelayPushesCorked},
      {.id = "kernel.options.tcp.cork.failed_uncork",
       .requirement = "A setsockopt(TCP_CORK) that fails with EINVAL must not "
                      "send data that MSG_MORE holds back.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .run = &FailedUncorkPushesNothing},
      {.id = "kernel.options.tcp.cork.msg_more",
       .requirement =
           "Data sent with MSG_MORE must be held back until the next send(2).",
       .source = "send(2), MSG_MORE",
       .run = &MoreIsACork},
      {.id = "kernel.options.tcp.cork.limit",
       .requirement = "Corked data must be sent after 200 ms at the latest.",
       .source = "tcp(7), TCP_CORK",
       .run = &CorkHasALimit},
      {.id = "kernel.options.tcp.cork.whole_segments",
       .requirement = "TCP_CORK must not hold back full segments.",
       .source = "tcp(7), TCP_CORK",
       .run = &CorkSendsWholeSegments},
      {.id = "kernel.options.tcp.cork.whole_segments.of_server",
       .requirement =
           "A full segment must be half of the largest window, which "
           "for an accepted socket is 64 KiB at first.",
       .source = "Linux: tcp_bound_to_half_wnd() in include/net/tcp.h; "
                 "measured on Linux 6.18",
       .run = &CorkedServer},
      {.id = "kernel.options.tcp.cork.msg_more.answered",
       .requirement = "Data that MSG_MORE holds back after a full segment may "
                      "be sent when that segment is acknowledged.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .level = Level::kVariation,
       .run = &MoreEndsWithAnAnswer},
      {.id = "kernel.options.tcp.cork.peers_end",
       .requirement = "The peer's FIN must not cause corked data to be sent.",
       .source = "tcp(7), TCP_CORK; measured on Linux 6.18",
       .run = &CorkOutlastsThePeersStream},
      {.id = "kernel.options.tcp.cork.msg_more.peers_end",
       .requirement =
           "The peer's FIN may cause data that MSG_MORE holds back to be sent.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .level = Level::kVariation,
       .run = &MoreEndsWithThePeersStream},
      {.id = "kernel.options.tcp.cork.to_closed_peer",
       .requirement = "Corked data for a peer that has closed must not cause a "
                      "reset before it is sent.",
       .source = "tcp(7), TCP_CORK; measured on Linux 6.18",
       .run = &CorkedToClosedPeer},
      {.id = "kernel.options.tcp.cork.to_deaf_peer",
       .requirement =
           "Data that MSG_MORE holds back for a peer that has shut down both "
           "directions must cause a reset when shutdown(SHUT_WR) sends it.",
       .source = "send(2), MSG_MORE; measured on Linux 6.18",
       .run = &CorkedToDeafPeer},
      {.id = "kernel.data.more.closed_peer",
       .requirement = "A byte that MSG_MORE holds back for a peer that has "
                      "closed must not be answered by a reset before it is "
                      "sent.",
       .source = "measured on Linux 6.18",
       .run = &MoreToClosedPeer},
  };
  return cases;
}

}  // namespace net::conformance
