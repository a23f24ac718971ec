// When a listener with TCP_DEFER_ACCEPT queues a connection.

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/kernel_cases/times.h"
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
using loopback::RawSocket;

// Makes a non-blocking listener that waits for data, for about `seconds`.
absl::StatusOr<Listener> NewDeferring(Context& c, int seconds, int backlog) {
  auto listener = NewListener(c, {.backlog = backlog, .nonblocking = true});
  if (!listener.ok()) return listener.status();
  const SysResult set = SetTcp(listener->socket(), TCP_DEFER_ACCEPT, seconds);
  if (!set.ok()) return ErrnoError(set.error(), "setsockopt");
  return listener;
}

absl::StatusOr<RawSocket> ConnectAndSend(Context& c, const Listener& listener,
                                         absl::string_view data) {
  auto client = ConnectTo(c.sys(), listener.endpoint());
  if (!client.ok()) return client.status();
  const SysResult sent = client->Send(data);
  if (!sent.ok()) return ErrnoError(sent.error(), "send");
  return client;
}

// Returns the number of queued connections.
absl::StatusOr<uint32_t> Queued(const Listener& listener) {
  auto info = OptionOf<tcp_info>(listener.socket(), IPPROTO_TCP, TCP_INFO);
  if (!info.ok()) return info.status();
  return info->tcpi_unacked;
}

void ExpectAccepted(const Listener& listener, absl::string_view data) {
  ASSERT_OK_AND_ASSIGN(const RawSocket server, Accept(listener.socket()));
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds(std::string(data)));
}

constexpr int kLong = 100;  // Seconds.

// The queue holds two connections.
void DeferredBeyondBacklog(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewDeferring(c, kLong, 1));
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       ConnectAndSend(c, listener, "first"));
  ASSERT_OK_AND_ASSIGN(const RawSocket second,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket third,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(Queued(listener), IsOkAndHolds(1U));
  ASSERT_THAT(second.Send("second"), IsOkAndHolds(6));
  EXPECT_THAT(Queued(listener), IsOkAndHolds(2U));
  ASSERT_THAT(third.Send("third"), IsOkAndHolds(5));
  EXPECT_THAT(Queued(listener), IsOkAndHolds(2U));
  ExpectAccepted(listener, "first");
  ExpectAccepted(listener, "second");
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_THAT(listener.socket().Wait(POLLIN), IsOkAndHolds(POLLIN));
  ExpectAccepted(listener, "third");
}

void DeferredForLong(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewDeferring(c, 1, 1));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_THAT(listener.socket().Wait(POLLIN), IsOkAndHolds(POLLIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, Accept(listener.socket()));
  EXPECT_THAT(RecvOnce(server, 1, MSG_DONTWAIT), IsErrno(EAGAIN));
  ASSERT_THAT(client.Send("late"), IsOkAndHolds(4));
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("late"));
}

// Returns when data that is sent after a probe of keepalive is accepted.
double AcceptedAfterProbe(Context& c) {
  const absl::StatusOr<Listener> listener = NewDeferring(c, 3, 1);
  if (!listener.ok()) return -1;
  const double start = Now(c);
  const absl::StatusOr<RawSocket> client =
      ConnectTo(c.sys(), listener->endpoint());
  if (!client.ok()) return -1;
  EXPECT_THAT(SetTcp(*client, TCP_KEEPIDLE, 1), IsOk());
  EXPECT_THAT(SetSocketOption(*client, SO_KEEPALIVE, 1), IsOk());
  EXPECT_THAT(c.sys().Poll(nullptr, 0, 1500), IsOkAndHolds(0));
  EXPECT_THAT(client->Send("x"), IsOkAndHolds(1));
  EXPECT_THAT(listener->socket().Wait(POLLIN), IsOkAndHolds(POLLIN));
  return Now(c) - start;
}

// The listener replies to the probe after 1 s. The data echoes the time stamp
// of the reply.
void DeferredAfterKeepalive(Context& c) {
  ExpectAbout(3020, [&] { return AcceptedAfterProbe(c); });
}

// After 1 s there is no room, and after 3 s there is.
void DeferredForLongBeyondBacklog(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewDeferring(c, 1, 1));
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket second,
                       ConnectAndSend(c, listener, "second"));
  ASSERT_OK_AND_ASSIGN(const RawSocket third,
                       ConnectAndSend(c, listener, "third"));
  EXPECT_THAT(Queued(listener), IsOkAndHolds(2U));
  EXPECT_THAT(c.sys().Poll(nullptr, 0, 1500), IsOkAndHolds(0));
  EXPECT_THAT(Queued(listener), IsOkAndHolds(2U));
  ExpectAccepted(listener, "second");
  ExpectAccepted(listener, "third");
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_THAT(listener.socket().Wait(POLLIN), IsOkAndHolds(POLLIN));
  EXPECT_THAT(Accept(listener.socket()), IsOk());
}

void DeferredUntilEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewDeferring(c, kLong, 1));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(client.HalfClose(), IsOk());
  ExpectAccepted(listener, "");
}

void DeferredUntilReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewDeferring(c, kLong, 1));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(Disconnect(client), IsOk());
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
}

// With a backlog of 0, the second half-open connection uses a SYN cookie.
void NotDeferredWithSynCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewDeferring(c, kLong, 0));
  ASSERT_THAT(SetTcp(listener.socket(), TCP_SAVE_SYN, 1), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(Queued(listener), IsOkAndHolds(0U));
  ASSERT_OK_AND_ASSIGN(const RawSocket second,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, Accept(listener.socket()));
  EXPECT_EQ(server.PeerEndpoint().value(), second.LocalEndpoint().value());
  std::string syn(200, '\0');
  auto size = static_cast<socklen_t>(syn.size());
  EXPECT_THAT(c.sys().GetSockOpt(server.fd(), IPPROTO_TCP, TCP_SAVED_SYN,
                                 syn.data(), &size),
              IsOk());
  EXPECT_EQ(size, 0U);
}

}  // namespace

const std::vector<Case>& DeferAcceptKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.defer_accept.backlog",
       .requirement = "A connection that TCP_DEFER_ACCEPT has held back must "
                      "not enter a full accept queue; its data must be "
                      "dropped, and the retransmission be accepted.",
       .source = "Linux, tcp_check_req() in net/ipv4/tcp_minisocks.c",
       .run = &DeferredBeyondBacklog},
      {.id = "kernel.defer_accept.timeout",
       .requirement = "A connection without data must be queued when the time "
                      "of TCP_DEFER_ACCEPT is over.",
       .source = "tcp(7), TCP_DEFER_ACCEPT; measured on Linux 6.18",
       .run = &DeferredForLong},
      {.id = "kernel.defer_accept.timeout.backlog",
       .requirement = "A connection whose time of TCP_DEFER_ACCEPT is over "
                      "while the accept queue is full must be queued with a "
                      "later retransmission of the SYN-ACK.",
       .source = "Linux, syn_ack_recalc() in net/ipv4/inet_connection_sock.c; "
                 "measured on Linux 6.18",
       .run = &DeferredForLongBeyondBacklog},
      {.id = "kernel.defer_accept.keepalive",
       .requirement = "Data that echoes the time stamp of a reply to a probe "
                      "of keepalive must not complete a connection that "
                      "TCP_DEFER_ACCEPT holds back; the next SYN-ACK must.",
       .source = "Linux, tcp_check_req() in net/ipv4/tcp_minisocks.c; "
                 "measured on Linux 6.18",
       .run = &DeferredAfterKeepalive},
      {.id = "kernel.defer_accept.end",
       .requirement = "With TCP_DEFER_ACCEPT, the end of the stream must be "
                      "accepted as data is.",
       .source = "Linux, tcp_check_req() in net/ipv4/tcp_minisocks.c",
       .run = &DeferredUntilEnd},
      {.id = "kernel.defer_accept.reset",
       .requirement = "A connection that TCP_DEFER_ACCEPT holds back and that "
                      "is reset must not be queued.",
       .source = "RFC 9293, section 3.10.7.4; measured on Linux 6.18",
       .run = &DeferredUntilReset},
      {.id = "kernel.defer_accept.syn_cookie",
       .requirement = "While more connections are half-open than the backlog, "
                      "a new one must be made by a SYN cookie: without "
                      "TCP_DEFER_ACCEPT and TCP_SAVE_SYN.",
       .source = "Linux, Documentation/networking/ip-sysctl.rst, "
                 "tcp_syncookies; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &NotDeferredWithSynCookie},
  };
  return cases;
}

}  // namespace net::conformance
