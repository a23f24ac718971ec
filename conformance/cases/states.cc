// Operations on sockets in states in which programs rarely make them. The other
// files have the states in which an operation is useful.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using loopback::FullQueue;
using loopback::RawSocket;
using testing::Eq;

// ---- States -----------------------------------------------------------------

// A socket of the implementation in some state.
struct Scene {
  // Keeps the socket in that state. Empty if nothing is needed.
  std::optional<FullQueue> queue;
  RawSocket peer;

  Sock sock;
  ip::Endpoint local;  // the local address that others see
};

void MakeFresh(Context& c, Scene& scene) {
  ASSERT_OK_AND_ASSIGN(RawSocket raw, loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(scene.sock, AdoptRaw(c, std::move(raw)));
}

void MakeBound(Context& c, Scene& scene) {
  ASSERT_OK_AND_ASSIGN(RawSocket raw, loopback::NewSocket(c.sys(), c.family()));
  ASSERT_THAT(loopback::Bind(raw, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(scene.local, raw.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(scene.sock, AdoptRaw(c, std::move(raw)));
}

void MakeListening(Context& c, Scene& scene) {
  ASSERT_OK_AND_ASSIGN(scene.sock, c.Listen());
}

void MakeConnecting(Context& c, Scene& scene) {
  ASSERT_OK_AND_ASSIGN(scene.queue, FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(scene.sock,
                       c.Connect(scene.queue->endpoint(), {.nonblock = true}));
}

void MakeConnected(Context& c, Scene& scene) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(scene.local, end.peer.PeerEndpoint());
  scene.peer = std::move(end.peer);
  scene.sock = std::move(end.sock);
}

void MakeHalfClosedHere(Context& c, Scene& scene) {
  ASSERT_NO_FATAL_FAILURE(MakeConnected(c, scene));
  ASSERT_THAT(scene.sock.Shutdown(SHUT_WR), IsOk());
}

void MakeHalfClosedByPeer(Context& c, Scene& scene) {
  ASSERT_NO_FATAL_FAILURE(MakeConnected(c, scene));
  ASSERT_THAT(scene.peer.HalfClose(), IsOk());
  ASSERT_THAT(RecvOnce(scene.sock), IsOkAndHolds(""));
}

void MakeReset(Context& c, Scene& scene) {
  ASSERT_NO_FATAL_FAILURE(MakeConnected(c, scene));
  ASSERT_THAT(scene.peer.Reset(), IsOk());
  ASSERT_THAT(RecvOnce(scene.sock), Fails(ECONNRESET));
}

// ---- Operations -------------------------------------------------------------

void ExpectNoAccept(Context&, const Scene& scene) {
  EXPECT_THAT(scene.sock.Accept(), Fails(EINVAL));
}

void ExpectLocalAddr(Context&, const Scene& scene) {
  EXPECT_THAT(scene.sock.LocalAddr(), IsOkAndHolds(scene.local));
}

void ExpectNoPendingError(Context&, const Scene& scene) {
  EXPECT_THAT(scene.sock.PendingError(), IsOk());
}

void ExpectSendFails(Context&, const Scene& scene) {
  EXPECT_THAT(scene.sock.Send("x"), Fails(EPIPE));
}

void ExpectRecvFails(Context&, const Scene& scene) {
  EXPECT_THAT(RecvOnce(scene.sock), Fails(ENOTCONN));
}

void ExpectShutdownFails(Context&, const Scene& scene) {
  EXPECT_THAT(scene.sock.Shutdown(SHUT_RDWR), Fails(ENOTCONN));
}

void ExpectShutdownEndsAttempt(Context& c, const Scene& scene) {
  ASSERT_THAT(scene.sock.Shutdown(SHUT_RDWR), IsOk());
  ASSERT_THAT(WaitFor(c, scene.sock, POLLOUT), IsOk());
  EXPECT_THAT(scene.sock.Send("x"), Fails(ECONNRESET));
}

// Makes a scene by the first function and checks it by the second.
template <void (*kMake)(Context&, Scene&),
          void (*kExpect)(Context&, const Scene&)>
void In(Context& c) {
  Scene scene;
  ASSERT_NO_FATAL_FAILURE(kMake(c, scene));
  kExpect(c, scene);
}

// ---- Timed out --------------------------------------------------------------

// A queue that lets attempts time out. On a kernel with real time they take 3
// s, so several begin at the same time.
Result<FullQueue> MakeSilentQueue(Context& c) {
  c.env().SetSysctl("net.ipv4.tcp_syn_retries", "1");
  absl::StatusOr<FullQueue> queue = FullQueue::Make(c.sys(), c.family());
  if (!queue.ok()) return Error{.text = queue.status().ToString()};
  return *std::move(queue);
}

void TimedOut(Context& c) {
  constexpr ConnectOptions kNonblock = {.nonblock = true};
  ASSERT_OK_AND_ASSIGN(const FullQueue queue, MakeSilentQueue(c));
  ASSERT_OK_AND_ASSIGN(const Sock one, c.Connect(queue.endpoint(), kNonblock));
  ASSERT_OK_AND_ASSIGN(const Sock two, c.Connect(queue.endpoint(), kNonblock));
  ASSERT_OK_AND_ASSIGN(const Sock three,
                       c.Connect(queue.endpoint(), kNonblock));
  for (const Sock* sock : {&one, &two, &three}) {
    ASSERT_THAT(WaitFor(c, *sock, POLLOUT), IsOk());
  }
  EXPECT_THAT(one.PeerAddr(), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(one.Send("x"), Fails(ETIMEDOUT));
  EXPECT_THAT(two.Shutdown(SHUT_RDWR), Fails(ENOTCONN));
  EXPECT_THAT(RecvOnce(two), Fails(ETIMEDOUT));
  EXPECT_THAT(three.PeerAddr(), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(RecvOnce(three), Fails(ETIMEDOUT));
}

// The pending error is 0 during the attempt, then ETIMEDOUT once.
void PendingErrorOfTimedOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue, MakeSilentQueue(c));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), {.nonblock = true}));
  ASSERT_THAT(client.PendingError(), IsOk());
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PendingError(), Fails(ETIMEDOUT));
  EXPECT_THAT(client.PendingError(), IsOk());
}

void LocalAddrOfTimedOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue, MakeSilentQueue(c));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), {.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint before, client.LocalAddr());
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.LocalAddr(), IsOkAndHolds(before));
  EXPECT_THAT(RecvOnce(client), Fails(ETIMEDOUT));
}

void AcceptOnTimedOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue, MakeSilentQueue(c));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), {.nonblock = true}));
  // An API without such an Accept ends the case here, not after 3 s.
  ASSERT_THAT(client.Accept(), Fails(EINVAL));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.Accept(), Fails(EINVAL));
  EXPECT_THAT(RecvOnce(client), Fails(ETIMEDOUT));
}

std::vector<Case> BeforeTheConnection() {
  return {
      {.id = "states.fresh.pending_error",
       .requirement =
           "A socket that was never connected must have no pending error.",
       .source = "socket(7), SO_ERROR",
       .run = &In<MakeFresh, ExpectNoPendingError>},
      {.id = "states.bound.localaddr",
       .requirement = "A bound socket must have the local address to which it "
                      "is bound.",
       .source = "getsockname(2) DESCRIPTION",
       .run = &In<MakeBound, ExpectLocalAddr>},
      {.id = "states.bound.send",
       .requirement = "Send on a bound socket must fail with EPIPE.",
       .source = "send(2); measured on Linux 6.18",
       .run = &In<MakeBound, ExpectSendFails>},
      {.id = "states.bound.recv",
       .requirement = "Recv on a bound socket must fail with ENOTCONN.",
       .source = "recv(2), ENOTCONN",
       .run = &In<MakeBound, ExpectRecvFails>},
      {.id = "states.bound.shutdown",
       .requirement = "Shutdown of a bound socket must fail with ENOTCONN.",
       .source = "shutdown(2), ENOTCONN",
       .run = &In<MakeBound, ExpectShutdownFails>},
      {.id = "states.bound.pending_error",
       .requirement = "A bound socket must have no pending error.",
       .source = "socket(7), SO_ERROR",
       .run = &In<MakeBound, ExpectNoPendingError>},
      {.id = "states.listening.send",
       .requirement = "Send on a listener must fail with EPIPE.",
       .source = "send(2); measured on Linux 6.18",
       .run = &In<MakeListening, ExpectSendFails>},
      {.id = "states.listening.pending_error",
       .requirement = "A listener must have no pending error.",
       .source = "socket(7), SO_ERROR",
       .run = &In<MakeListening, ExpectNoPendingError>},
      {.id = "states.connecting.accept",
       .requirement = "Accept on a connecting socket must fail with EINVAL.",
       .source = "accept(2), EINVAL",
       .run = &In<MakeConnecting, ExpectNoAccept>},
      {.id = "states.connecting.shutdown",
       .requirement = "Shutdown of a connecting socket must end the attempt, "
                      "and Send must then fail with ECONNRESET.",
       .source = "Linux: inet_shutdown() in net/ipv4/af_inet.c, "
                 "tcp_disconnect() in net/ipv4/tcp.c",
       .run = &In<MakeConnecting, ExpectShutdownEndsAttempt>},
  };
}

std::vector<Case> AtTheEnd() {
  return {
      {.id = "states.half_closed.accept",
       .requirement =
           "Accept on a socket that was shut down must fail with EINVAL.",
       .source = "accept(2), EINVAL",
       .run = &In<MakeHalfClosedHere, ExpectNoAccept>},
      {.id = "states.half_closed.localaddr",
       .requirement =
           "A socket must keep its local address when it is shut down.",
       .source = "getsockname(2) DESCRIPTION; shutdown(2) DESCRIPTION",
       .run = &In<MakeHalfClosedHere, ExpectLocalAddr>},
      {.id = "states.half_closed.pending_error",
       .requirement = "A shutdown must leave no pending error.",
       .source = "socket(7), SO_ERROR; shutdown(2) DESCRIPTION",
       .run = &In<MakeHalfClosedHere, ExpectNoPendingError>},
      {.id = "states.half_closed_by_peer.accept",
       .requirement =
           "Accept on a socket whose peer has closed must fail with EINVAL.",
       .source = "accept(2), EINVAL",
       .run = &In<MakeHalfClosedByPeer, ExpectNoAccept>},
      {.id = "states.half_closed_by_peer.localaddr",
       .requirement =
           "A socket must keep its local address when its peer closes.",
       .source = "getsockname(2) DESCRIPTION; RFC 9293, section 3.6",
       .run = &In<MakeHalfClosedByPeer, ExpectLocalAddr>},
      {.id = "states.half_closed_by_peer.pending_error",
       .requirement = "The peer's FIN must leave no pending error.",
       .source = "socket(7), SO_ERROR; RFC 9293, section 3.6",
       .run = &In<MakeHalfClosedByPeer, ExpectNoPendingError>},
      {.id = "states.reset.accept",
       .requirement = "Accept on a socket that was reset must fail with "
                      "EINVAL.",
       .source = "accept(2), EINVAL",
       .run = &In<MakeReset, ExpectNoAccept>},
      {.id = "states.reset.localaddr",
       .requirement = "A socket must keep its local address after a reset.",
       .source = "measured on Linux 6.18",
       .run = &In<MakeReset, ExpectLocalAddr>},
      {.id = "states.timed_out",
       .requirement =
           "After an attempt has timed out, there must be no peer address, "
           "Send "
           "and Recv must fail with ETIMEDOUT, and Shutdown with ENOTCONN.",
       .source =
           "connect(2), ETIMEDOUT; getpeername(2), ENOTCONN; shutdown(2), "
           "ENOTCONN",
       .needs = Need::kOwnNetwork,
       .run = &TimedOut},
      {.id = "states.timed_out.pending_error",
       .requirement = "The pending error must be 0 while the attempt is in "
                      "progress, then ETIMEDOUT once, and then 0 again.",
       .source = "connect(2), ETIMEDOUT; socket(7), SO_ERROR",
       .needs = Need::kOwnNetwork,
       .run = &PendingErrorOfTimedOut},
      {.id = "states.timed_out.localaddr",
       .requirement = "A socket must keep its local address when its attempt "
                      "times out.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &LocalAddrOfTimedOut},
      {.id = "states.timed_out.accept",
       .requirement =
           "Accept on a socket whose attempt has timed out must fail with "
           "EINVAL.",
       .source = "accept(2), EINVAL",
       .needs = Need::kOwnNetwork,
       .run = &AcceptOnTimedOut},
  };
}

}  // namespace

const std::vector<Case>& StatesCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(BeforeTheConnection());
    const std::vector<Case> more = AtTheEnd();
    all->insert(all->end(), more.begin(), more.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
