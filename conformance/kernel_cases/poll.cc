// The events that poll(2) reports in each state of a socket.

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;
using loopback::RefusedPort;

// Every event that can be requested of a socket.
constexpr int16_t kAllEvents = POLLIN | POLLOUT | POLLPRI | POLLRDHUP |
                               POLLRDNORM | POLLWRNORM | POLLRDBAND |
                               POLLWRBAND;
// Events that are reported together if all are requested.
constexpr int kIn = POLLIN | POLLRDNORM;
constexpr int kOut = POLLOUT | POLLWRNORM;

// Returns a text such as "POLLIN|POLLOUT".
std::string EventNames(int events) {
  constexpr std::pair<int, absl::string_view> kNames[] = {
      {POLLIN, "POLLIN"},         {POLLPRI, "POLLPRI"},
      {POLLOUT, "POLLOUT"},       {POLLERR, "POLLERR"},
      {POLLHUP, "POLLHUP"},       {POLLNVAL, "POLLNVAL"},
      {POLLRDNORM, "POLLRDNORM"}, {POLLRDBAND, "POLLRDBAND"},
      {POLLWRNORM, "POLLWRNORM"}, {POLLWRBAND, "POLLWRBAND"},
      {POLLRDHUP, "POLLRDHUP"}};
  std::vector<absl::string_view> names;
  for (const auto& [event, name] : kNames) {
    if ((events & event) != 0) names.push_back(name);
  }
  return absl::StrJoin(names, "|");
}

// Expects that poll(2) reports exactly `events` if all events are requested,
// and only POLLERR and POLLHUP of these if none is requested.
void ExpectEvents(const RawSocket& socket, int events) {
  const SysResult all = socket.Ready(kAllEvents);
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(EventNames(all.fd()), EventNames(events));
  EXPECT_THAT(socket.Ready(0), IsOkAndHolds(events & (POLLERR | POLLHUP)));
}

// ---- Not connected ----------------------------------------------------------

void Fresh(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectEvents(socket, kOut | POLLHUP);
}

void Bound(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ExpectEvents(socket, kOut | POLLHUP);
}

void ListeningIdle(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ExpectEvents(listener.socket(), 0);
}

void ListeningQueued(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ExpectEvents(listener.socket(), kIn);
  ASSERT_THAT(listener.Accept(), IsOk());
  ExpectEvents(listener.socket(), 0);
}

// A connection that was reset while queued can still be accepted.
void ListeningQueuedReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(client.Reset(), IsOk());
  ExpectEvents(listener.socket(), kIn);
}

void ListenerShutDown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_THAT(listener.socket().Shutdown(SHUT_RD), IsOk());
  ExpectEvents(listener.socket(), kOut | POLLHUP);
}

void UnderWay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  ExpectEvents(connecting.client, 0);
}

void Refused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(
      const RawSocket client,
      ConnectTo(c.sys(), refused.endpoint(), {.nonblocking = true}));
  ExpectEvents(client, kIn | kOut | POLLRDHUP | POLLHUP | POLLERR);
  ASSERT_THAT(client.PendingError(), IsOkAndHolds(ECONNREFUSED));
  ExpectEvents(client, kIn | kOut | POLLRDHUP | POLLHUP);
}

// connect(2) has reported the refusal, so the socket is like a new one.
void RefusedAtOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  ExpectEvents(client, kOut | POLLHUP);
}

void Disconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  ExpectEvents(pair.client, kOut | POLLHUP | POLLERR);
  ASSERT_THAT(pair.client.PendingError(), IsOkAndHolds(ECONNRESET));
  ExpectEvents(pair.client, kOut | POLLHUP);
}

// ---- Connected --------------------------------------------------------------

void Established(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ExpectEvents(pair.client, kOut);
  ExpectEvents(pair.server, kOut);
}

void DataWaits(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  ExpectEvents(pair.server, kIn | kOut);
  ASSERT_THAT(RecvOnce(pair.server), IsOk());
  ExpectEvents(pair.server, kOut);
}

void Full(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ExpectEvents(pair.client, 0);
  ASSERT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  ASSERT_THAT(pair.client.Wait(POLLOUT), IsOk());
  ExpectEvents(pair.client, kOut);
}

// Nothing more is sent, so the number of unsent bytes changes only if an
// acknowledgement comes. Then the case asks again. The receive window is
// smaller than half of the mark. So no read lets that number fall from the mark
// to less than half of it.
void HalfOfTheUnsentMark(Context& c) {
  constexpr int kMark = 100000;
  ASSERT_OK_AND_ASSIGN(const Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family(),
                                               {.receive_buffer = 16384}, {}));
  ASSERT_THAT(SetTcp(pair.client, TCP_NOTSENT_LOWAT, kMark), IsOk());
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  bool half_seen = false;  // less than the mark, and not less than half of it
  for (bool low = false; !low;) {
    int unsent = 0;
    for (int before = -1; before != unsent;) {
      ASSERT_OK_AND_ASSIGN(before, Ask(pair.client, SIOCOUTQNSD));
      low = before < kMark / 2;
      const SysResult ready = pair.client.Ready(POLLOUT);
      ASSERT_OK_AND_ASSIGN(unsent, Ask(pair.client, SIOCOUTQNSD));
      if (before == unsent) {
        EXPECT_THAT(ready, IsOkAndHolds(low ? POLLOUT : 0)) << unsent;
      }
    }
    half_seen = half_seen || (unsent < kMark && !low);
    if (!low) {
      ASSERT_THAT(RecvOnce(pair.server, 16384), IsOk());
    }
  }
  EXPECT_TRUE(half_seen);
}

void FullAndReadable(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  ExpectEvents(pair.client, kIn);
}

void OnlyWhatIsAskedFor(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
  EXPECT_THAT(pair.server.Ready(POLLRDNORM), IsOkAndHolds(POLLRDNORM));
  EXPECT_THAT(pair.server.Ready(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(pair.server.Ready(POLLWRNORM), IsOkAndHolds(POLLWRNORM));
  EXPECT_THAT(pair.server.Ready(POLLPRI | POLLRDHUP), IsOkAndHolds(0));
}

// ---- Ended ------------------------------------------------------------------

void PeerEnded(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP);
}

void PeerClosed(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Close(), IsOk());
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP);
}

void OwnEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ExpectEvents(pair.client, kOut);
}

// After SHUT_WR the socket is writable, because send(2) fails at once.
void OwnEndBehindData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ExpectEvents(pair.client, kOut);
}

void OwnShutdownForReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Shutdown(SHUT_RD), IsOk());
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP);
  ExpectEvents(pair.server, kOut);
}

void OwnShutdownBothWays(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Shutdown(SHUT_RDWR), IsOk());
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP | POLLHUP);
}

void BothEnded(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP | POLLHUP);
  ExpectEvents(pair.server, kIn | kOut | POLLRDHUP | POLLHUP);
}

void WasReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP | POLLHUP | POLLERR);
  ASSERT_THAT(pair.client.PendingError(), IsOkAndHolds(ECONNRESET));
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP | POLLHUP);
}

void WasResetWithData(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("early"), IsOk());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  ASSERT_THAT(RecvOnce(pair.client), IsOkAndHolds("early"));
  ExpectEvents(pair.client, kIn | kOut | POLLRDHUP | POLLHUP | POLLERR);
}

void AcceptedAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(client.Reset(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ExpectEvents(server, kIn | kOut | POLLRDHUP | POLLHUP | POLLERR);
}

void TimedOut(Context& c) {
  c.env().SetSysctl("net.ipv4.tcp_syn_retries", "1");
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  ASSERT_THAT(connecting.client.Wait(0), IsOkAndHolds(POLLERR | POLLHUP));
  ExpectEvents(connecting.client, kIn | kOut | POLLRDHUP | POLLHUP | POLLERR);
}

}  // namespace

const std::vector<Case>& PollKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.poll.fresh",
       .requirement =
           "poll(2) must report POLLOUT and POLLHUP on a new socket.",
       .source = "measured on Linux 6.18",
       .run = &Fresh},
      {.id = "kernel.poll.bound",
       .requirement =
           "poll(2) must report POLLOUT and POLLHUP on a bound socket.",
       .source = "measured on Linux 6.18",
       .run = &Bound},
      {.id = "kernel.poll.listening.idle",
       .requirement = "poll(2) must report no event on a listener whose accept "
                      "queue is empty.",
       .source = "accept(2), DESCRIPTION",
       .run = &ListeningIdle},
      {.id = "kernel.poll.listening.queued",
       .requirement = "poll(2) must report POLLIN on a listener while a "
                      "connection is queued.",
       .source = "accept(2), DESCRIPTION",
       .run = &ListeningQueued},
      {.id = "kernel.poll.listening.queued_reset",
       .requirement = "poll(2) must report POLLIN on a listener even if the "
                      "queued connection was reset.",
       .source = "measured on Linux 6.18",
       .run = &ListeningQueuedReset},
      {.id = "kernel.poll.listening.shut_down",
       .requirement = "poll(2) must report the same events on a listener that "
                      "was shut down as on a new socket.",
       .source = "measured on Linux 6.18",
       .run = &ListenerShutDown},
      {.id = "kernel.poll.connecting.under_way",
       .requirement = "poll(2) must report no event while an attempt to "
                      "connect is in progress.",
       .source = "connect(2), EINPROGRESS",
       .run = &UnderWay},
      {.id = "kernel.poll.connecting.refused",
       .requirement =
           "After a refusal poll(2) must report POLLIN, POLLOUT, POLLRDHUP and "
           "POLLHUP, and POLLERR until the error is read.",
       .source = "connect(2), EINPROGRESS; poll(2), POLLERR",
       .run = &Refused},
      {.id = "kernel.poll.connecting.refused_at_once",
       .requirement = "poll(2) must report the same events on a socket whose "
                      "connect(2) failed with ECONNREFUSED as on a new socket.",
       .source = "measured on Linux 6.18",
       .run = &RefusedAtOnce},
      {.id = "kernel.poll.connecting.timed_out",
       .requirement = "After an attempt has timed out poll(2) must report "
                      "POLLIN, POLLOUT, POLLRDHUP, POLLHUP and POLLERR.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &TimedOut},
      {.id = "kernel.poll.disconnected",
       .requirement =
           "After connect(2) to AF_UNSPEC poll(2) must report the events of a "
           "new socket, and POLLERR until the error is read.",
       .source = "measured on Linux 6.18",
       .run = &Disconnected},
      {.id = "kernel.poll.established",
       .requirement = "poll(2) must report POLLOUT and not POLLIN on a "
                      "connection without data.",
       .source = "poll(2), POLLOUT",
       .run = &Established},
      {.id = "kernel.poll.data",
       .requirement =
           "poll(2) must report POLLIN on a connection while there is data.",
       .source = "poll(2), POLLIN",
       .run = &DataWaits},
      {.id = "kernel.poll.full",
       .requirement = "poll(2) must report POLLOUT on a connection only while "
                      "there is room to send.",
       .source = "poll(2), POLLOUT",
       .run = &Full},
      {.id = "kernel.poll.unsent_mark",
       .requirement =
           "With TCP_NOTSENT_LOWAT, poll(2) must report POLLOUT only "
           "while less than half of it is unsent.",
       .source = "Linux, sk_stream_write_space() in net/core/stream.c and "
                 "__tcp_stream_memory_free() in net/ipv4/tcp.c",
       .run = &HalfOfTheUnsentMark},
      {.id = "kernel.poll.full_and_readable",
       .requirement = "poll(2) must report POLLIN on a connection that has "
                      "data but no room to send.",
       .source = "poll(2)",
       .run = &FullAndReadable},
      {.id = "kernel.poll.asked_for",
       .requirement = "poll(2) must report only events that were requested.",
       .source = "poll(2), DESCRIPTION",
       .run = &OnlyWhatIsAskedFor},
      {.id = "kernel.poll.ended.peer",
       .requirement = "poll(2) must report POLLIN and POLLRDHUP once the peer "
                      "has ended its stream.",
       .source = "poll(2), POLLRDHUP",
       .run = &PeerEnded},
      {.id = "kernel.poll.ended.peer_closed",
       .requirement = "poll(2) must report the same events for a peer that has "
                      "closed as for one that has ended its stream.",
       .source = "measured on Linux 6.18",
       .run = &PeerClosed},
      {.id = "kernel.poll.ended.own",
       .requirement =
           "poll(2) must still report POLLOUT after shutdown(SHUT_WR).",
       .source = "measured on Linux 6.18",
       .run = &OwnEnd},
      {.id = "kernel.poll.ended.own_behind_data",
       .requirement = "poll(2) must report POLLOUT after shutdown(SHUT_WR), "
                      "even if there is no room to send.",
       .source = "measured on Linux 6.18",
       .run = &OwnEndBehindData},
      {.id = "kernel.poll.ended.shut_rd",
       .requirement = "After shutdown(SHUT_RD) poll(2) must report POLLIN and "
                      "POLLRDHUP on the socket, and not on its peer.",
       .source = "measured on Linux 6.18",
       .run = &OwnShutdownForReading},
      {.id = "kernel.poll.ended.shut_both",
       .requirement = "poll(2) must report POLLHUP after shutdown(SHUT_RDWR).",
       .source = "poll(2), POLLHUP",
       .run = &OwnShutdownBothWays},
      {.id = "kernel.poll.ended.both",
       .requirement = "poll(2) must report POLLHUP once both sides have ended "
                      "their streams.",
       .source = "poll(2), POLLHUP",
       .run = &BothEnded},
      {.id = "kernel.poll.reset",
       .requirement =
           "After a reset poll(2) must report POLLIN, POLLOUT, POLLRDHUP and "
           "POLLHUP, and POLLERR until the error is read.",
       .source = "poll(2), POLLERR, POLLHUP",
       .run = &WasReset},
      {.id = "kernel.poll.reset.with_data",
       .requirement = "poll(2) must report the same events for a reset after "
                      "data as for one without.",
       .source = "measured on Linux 6.18",
       .run = &WasResetWithData},
      {.id = "kernel.poll.reset.accepted",
       .requirement =
           "poll(2) must report the same events for a connection that was "
           "reset before it was accepted as for one reset later.",
       .source = "measured on Linux 6.18",
       .run = &AcceptedAfterReset},
  };
  return cases;
}

}  // namespace net::conformance
