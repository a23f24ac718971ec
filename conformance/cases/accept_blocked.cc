// Blocked Accepts, what wakes them, and concurrent Accepts.

#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/cases/pending.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::RawSocket;
using testing::Eq;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

void InterruptedGoesOn(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  Pending<Sock> accepting(c, [&] { return listener.Accept(); });
  ASSERT_TRUE(accepting.AwaitBlocked());
  accepting.Interrupt();
  ASSERT_TRUE(accepting.AwaitBlocked()) << "Accept returned on a signal";
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  EXPECT_THAT(accepting.Join(), IsOk());
}

void InterruptedSeveralTimes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  Pending<Sock> accepting(c, [&] { return listener.Accept(); });
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(accepting.AwaitBlocked()) << "Accept returned on signal " << i;
    accepting.Interrupt();
  }
  ASSERT_TRUE(accepting.AwaitBlocked()) << "Accept returned on the last signal";
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  EXPECT_THAT(accepting.Join(), IsOk());
}

// Accept may report the signal or not.
void InterruptedLosesNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  Pending<Sock> accepting(c, [&] { return listener.Accept(); });
  ASSERT_TRUE(accepting.AwaitBlocked());
  accepting.Interrupt();
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  Result<Sock> server = accepting.Join();
  if (!server.ok()) {
    ASSERT_THAT(server, Fails(EINTR));
    server = listener.Accept();
  }
  ASSERT_THAT(server, IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
  EXPECT_THAT(server->PeerAddr(), IsOkAndHolds(std::optional(origin)));
}

void ShutdownWakes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  Pending<Sock> accepting(c, [&] { return listener.Accept(); });
  ASSERT_TRUE(accepting.AwaitBlocked());
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(accepting.Join(), Fails(EINVAL));
}

void ShutdownWakesAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  const auto accept = [&] { return listener.Accept(); };
  Pending<Sock> one(c, accept);
  Pending<Sock> two(c, accept);
  Pending<Sock> three(c, accept);
  for (Pending<Sock>* accepting : {&one, &two, &three}) {
    ASSERT_TRUE(accepting->AwaitBlocked());
  }
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  for (Pending<Sock>* accepting : {&one, &two, &three}) {
    EXPECT_THAT(accepting->Join(), Fails(EINVAL));
  }
}

void EachGetsOne(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  const auto accept = [&] { return listener.Accept(); };
  Pending<Sock> one(c, accept);
  Pending<Sock> two(c, accept);
  ASSERT_TRUE(one.AwaitBlocked());
  ASSERT_TRUE(two.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket first, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const RawSocket second, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server_one, one.Join());
  ASSERT_OK_AND_ASSIGN(const Sock server_two, two.Join());
  ASSERT_OK_AND_ASSIGN(const auto peer_one, server_one.PeerAddr());
  ASSERT_OK_AND_ASSIGN(const auto peer_two, server_two.PeerAddr());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin_one, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin_two, second.LocalEndpoint());
  EXPECT_THAT((std::vector{peer_one, peer_two}),
              UnorderedElementsAre(origin_one, origin_two));
}

void HoldsUpNobody(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock quiet, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at_quiet, quiet.LocalEndpoint());
  Pending<Sock> accepting(c, [&] { return quiet.Accept(); });
  ASSERT_TRUE(accepting.AwaitBlocked());
  {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
    ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(at));
    ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
    ASSERT_THAT(client.SendAll("x"), IsOk());
    EXPECT_THAT(server.RecvExactly(1), IsOkAndHolds(Eq("x")));
  }
  ASSERT_TRUE(accepting.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at_quiet));
  EXPECT_THAT(accepting.Join(), IsOk());
}

void ManyAcceptors(Context& c) {
  constexpr int kAcceptors = 8;
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  std::vector<std::unique_ptr<Pending<Sock>>> accepting;
  for (int i = 0; i < kAcceptors; ++i) {
    accepting.push_back(
        std::make_unique<Pending<Sock>>(c, [&] { return listener.Accept(); }));
    ASSERT_TRUE(accepting.back()->AwaitBlocked());
  }
  std::vector<RawSocket> clients;
  std::vector<ip::Endpoint> made;
  for (int i = 0; i < kAcceptors; ++i) {
    ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
    made.push_back(origin);
    clients.push_back(std::move(client));
  }
  std::vector<ip::Endpoint> accepted;
  for (const auto& pending : accepting) {
    ASSERT_OK_AND_ASSIGN(const Sock server, pending->Join());
    ASSERT_OK_AND_ASSIGN(const auto peer, server.PeerAddr());
    ASSERT_TRUE(peer.has_value());
    accepted.push_back(*peer);
  }
  EXPECT_THAT(accepted, UnorderedElementsAreArray(made));
}

}  // namespace

const std::vector<Case>& AcceptBlockedCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "accept.interrupted.goes_on",
       .requirement = "A blocked Accept should not return because of a signal, "
                      "but block until the next connection and return that.",
       .source = "contract: Accept; accept(2), EINTR",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &InterruptedGoesOn},
      {.id = "accept.interrupted.several_times",
       .requirement = "A blocked Accept should not return because of signals, "
                      "however many arrive.",
       .source = "contract: Accept; accept(2), EINTR",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &InterruptedSeveralTimes},
      {.id = "accept.interrupted.loses_nothing",
       .requirement = "A connection that arrives after a signal must be "
                      "accepted: by the interrupted Accept or, if that failed "
                      "with EINTR, by the next Accept.",
       .source = "accept(2), EINTR; signal(7), Interruption of system calls",
       .needs = Need::kInterrupt,
       .run = &InterruptedLosesNothing},
      {.id = "accept.shutdown.wakes",
       .requirement = "A blocked Accept must fail with EINVAL when the "
                      "listener is shut down.",
       .source = "Linux; shutdown(2); accept(2), EINVAL",
       .run = &ShutdownWakes},
      {.id = "accept.shutdown.wakes_all",
       .requirement = "Every blocked Accept must fail with EINVAL when the "
                      "listener is shut down.",
       .source = "Linux; shutdown(2); accept(2), EINVAL",
       .run = &ShutdownWakesAll},
      {.id = "accept.concurrent.each_gets_one",
       .requirement =
           "Two concurrent Accepts must return one each of two connections.",
       .source = "accept(2), DESCRIPTION; pthreads(7)",
       .run = &EachGetsOne},
      {.id = "accept.concurrent.many",
       .requirement = "Eight concurrent Accepts on one listener must return "
                      "one each of eight connections.",
       .source = "accept(2), DESCRIPTION; pthreads(7)",
       .run = &ManyAcceptors},
      {.id = "accept.concurrent.holds_up_nobody",
       .requirement = "While an Accept is blocked, other sockets must still be "
                      "able to listen, connect, accept, send and receive.",
       .source = "accept(2), DESCRIPTION (blocks the caller); pthreads(7)",
       .run = &HoldsUpNobody},
  };
  return cases;
}

}  // namespace net::conformance
