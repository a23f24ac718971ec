// Signals while Connect is blocked. A full accept queue makes it block. Once
// there is room, a kernel with real time takes one second to retransmit the
// SYN.

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "conformance/cases/helpers.h"
#include "conformance/cases/pending.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using loopback::FullQueue;
using loopback::RawSocket;
using loopback::RecvExactly;
using testing::Eq;

void ThenEstablished(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  Pending<Sock> connecting(
      c, [&c, at = queue.endpoint()] { return c.Connect(at); });
  ASSERT_TRUE(connecting.AwaitBlocked());
  connecting.Interrupt();
  ASSERT_TRUE(connecting.AwaitBlocked()) << "Connect returned on a signal";
  ASSERT_THAT(queue.Drain(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock client, connecting.Join());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket server,
                       queue.listener().AcceptFrom(local));
  ASSERT_THAT(client.SendAll("x"), IsOk());
  EXPECT_THAT(RecvExactly(server, 1), IsOkAndHolds(Eq("x")));
  ASSERT_OK_AND_ASSIGN(const Witness witness, client.Inspect());
  ExpectBlocking(c, witness);
}

void ThenRefused(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  Pending<Sock> connecting(
      c, [&c, at = queue.endpoint()] { return c.Connect(at); });
  ASSERT_TRUE(connecting.AwaitBlocked());
  connecting.Interrupt();
  ASSERT_TRUE(connecting.AwaitBlocked()) << "Connect returned on a signal";
  { const FullQueue closing = std::move(queue); }
  EXPECT_THAT(connecting.Join(), Fails(ECONNREFUSED));
}

// Connect may report the signal or not.
void OneConnection(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  Pending<Sock> connecting(
      c, [&c, at = queue.endpoint()] { return c.Connect(at); });
  for (int i = 0; i < 3 && connecting.AwaitBlocked(); ++i) {
    connecting.Interrupt();
  }
  ASSERT_THAT(queue.Drain(), IsOk());
  const Result<Sock> client = connecting.Join();
  if (client.ok()) {
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client->LocalEndpoint());
    ASSERT_OK_AND_ASSIGN(const RawSocket first, queue.listener().Accept());
    EXPECT_THAT(first.PeerEndpoint(), IsOkAndHolds(local));
  } else {
    EXPECT_THAT(client, Fails(EINTR));
  }
  EXPECT_THAT(queue.listener().socket().Ready(POLLIN), IsOkAndHolds(Eq(0)))
      << "a second connection arrived";
}

void SeveralTimes(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  Pending<Sock> connecting(
      c, [&c, at = queue.endpoint()] { return c.Connect(at); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(connecting.AwaitBlocked())
        << "Connect returned on signal " << i;
    connecting.Interrupt();
  }
  ASSERT_TRUE(connecting.AwaitBlocked())
      << "Connect returned on the last signal";
  ASSERT_THAT(queue.Drain(), IsOk());
  EXPECT_THAT(connecting.Join(), IsOk());
}

// An fd_set has FD_SETSIZE descriptors, 1,024.
void HighDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  c.env().LimitDescriptors(FD_SETSIZE + 100);
  std::vector<RawSocket> fillers;
  while (fillers.empty() || fillers.back().fd() < FD_SETSIZE) {
    const SysResult filler = c.sys().EventFd(0, EFD_CLOEXEC);
    ASSERT_THAT(filler, IsOk());
    fillers.emplace_back(filler.fd(), c.sys());
  }
  Pending<Sock> connecting(
      c, [&c, at = queue.endpoint()] { return c.Connect(at); });
  ASSERT_TRUE(connecting.AwaitBlocked());
  connecting.Interrupt();
  ASSERT_TRUE(connecting.AwaitBlocked()) << "Connect returned on a signal";
  ASSERT_THAT(queue.Drain(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock client, connecting.Join());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket server,
                       queue.listener().AcceptFrom(local));
  ASSERT_THAT(client.SendAll("x"), IsOk());
  EXPECT_THAT(RecvExactly(server, 1), IsOkAndHolds(Eq("x")));
}

}  // namespace

const std::vector<Case>& ConnectInterruptedCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "connect.interrupted.then_established",
       .requirement =
           "A blocked Connect should not return because of a signal, but block "
           "until it is connected; the socket should stay blocking.",
       .source = "contract: blocking Connect + EINTR",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &ThenEstablished},
      {.id = "connect.interrupted.then_refused",
       .requirement =
           "A Connect that was interrupted should fail with ECONNREFUSED if "
           "the listener closes before the connection is established.",
       .source = "contract: blocking Connect + EINTR; socket(7), SO_ERROR",
       .level = Level::kShould,
       .needs = Need::kOwnNetwork | Need::kInterrupt,
       .run = &ThenRefused},
      {.id = "connect.interrupted.several_times",
       .requirement = "A blocked Connect should not return because of signals, "
                      "however many arrive.",
       .source = "contract: blocking Connect + EINTR; poll(2), EINTR",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &SeveralTimes},
      {.id = "connect.interrupted.high_descriptor",
       .requirement = "A blocked Connect should not return because of a "
                      "signal if its descriptor is FD_SETSIZE or above, "
                      "either.",
       .source = "contract: blocking Connect + EINTR; select(2), BUGS",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &HighDescriptor},
      {.id = "connect.interrupted.one_connection",
       .requirement = "Signals must not cause a second connection, and a "
                      "Connect that fails with EINTR must leave no connection.",
       .source = "contract: blocking Connect + EINTR; contract: any failure",
       .needs = Need::kInterrupt,
       .run = &OneConnection},
  };
  return cases;
}

}  // namespace net::conformance
