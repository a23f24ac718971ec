// Two sockets that bind the same port: when they may share it.

#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/sharing.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::RawSocket;

// ---- The first socket is bound ----------------------------------------------

// Both on the case's loopback address.
void ExpectBesideBound(Context& c, const Sharing& holder, const Sharing& second,
                       int error) {
  ExpectBesideBound(c, c.Loopback(), holder, c.Loopback(), second, error);
}

// ---- The first socket listens -----------------------------------------------

void ExpectBesideListener(Context& c, const ip::Addr& held,
                          const Sharing& holder, const ip::Addr& wanted,
                          const Sharing& second, int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {held, 0}, holder));
  ASSERT_THAT(Listen(first), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  EXPECT_THAT(BoundSharing(c, {wanted, at.port}, second), ReturnsErrno(error));
}

void ExpectBesideListener(Context& c, const Sharing& holder,
                          const Sharing& second, int error) {
  ExpectBesideListener(c, c.Loopback(), holder, c.Loopback(), second, error);
}

// Binds two sockets to one port, and listens on both. Expects that the second
// listen(2) fails with `error`, or succeeds if `error` is 0.
void ExpectSecondListen(Context& c, const Sharing& both, int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, both));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket second, BoundSharing(c, at, both));
  ASSERT_THAT(Listen(first), IsOk());
  EXPECT_THAT(Listen(second), ReturnsErrno(error));
}

// Binds the wildcard and a specific address, both with SO_REUSEADDR, and
// listens on both.
void WildcardAndSpecificListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket wildcard,
                       BoundSharing(c, {c.Any(), 0}, kReuseAddr));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, wildcard.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket specific,
                       BoundSharing(c, {c.Loopback(), at.port}, kReuseAddr));
  ASSERT_THAT(Listen(wildcard), IsOk());
  EXPECT_THAT(Listen(specific), IsErrno(EADDRINUSE));
}

void ListenAgainOnceTheFirstIsGone(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, kReuseAddr));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket second, BoundSharing(c, at, kReuseAddr));
  ASSERT_THAT(Listen(first), IsOk());
  ASSERT_THAT(Listen(second), IsErrno(EADDRINUSE));
  ASSERT_THAT(first.Close(), IsOk());
  EXPECT_THAT(Listen(second), IsOk());
}

void FailedListenKeepsThePort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, kReuseAddr));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(RawSocket second, BoundSharing(c, at, kReuseAddr));
  ASSERT_THAT(Listen(second), IsOk());
  ASSERT_THAT(Listen(first), IsErrno(EADDRINUSE));
  ASSERT_THAT(second.Close(), IsOk());
  EXPECT_THAT(BoundSharing(c, at, kPlain), IsErrno(EADDRINUSE));
  EXPECT_THAT(Listen(first), IsOk());
}

// ---- Options that change ----------------------------------------------------

void ReuseAddrTakenBack(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, kReuseAddr));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_THAT(SetSocketOption(first, SO_REUSEADDR, 0), IsOk());
  EXPECT_THAT(BoundSharing(c, at, kReuseAddr), IsErrno(EADDRINUSE));
}

void ReuseAddrSetLater(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, kPlain));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_THAT(SetSocketOption(first, SO_REUSEADDR, 1), IsOk());
  EXPECT_THAT(BoundSharing(c, at, kReuseAddr), IsOk());
}

void ReusePortSetLater(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, kPlain));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_THAT(SetSocketOption(first, SO_REUSEPORT, 1), IsOk());
  EXPECT_THAT(BoundSharing(c, at, kReusePort), IsOk());
}

// ---- Users ------------------------------------------------------------------

// Binds a socket with the options `both`, and another user's socket to the same
// port. Expects `error`, or success if it is 0.
void ExpectOtherUser(Context& c, const Sharing& both, int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, both));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  c.env().AsOtherUser(
      [&] { EXPECT_THAT(BoundSharing(c, at, both), ReturnsErrno(error)); });
}

// Another user makes the socket, this user binds it.
void OtherUsersSocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, kReusePort));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  RawSocket second;
  c.env().AsOtherUser([&] {
    ASSERT_OK_AND_ASSIGN(second, NewSharing(c, c.family(), kReusePort));
  });
  EXPECT_THAT(Bind(second, at), IsErrno(EADDRINUSE));
}

}  // namespace

const std::vector<Case>& BindConflictsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.bind.conflict.bound.plain",
       .requirement = "bind(2) must fail with EADDRINUSE if another socket is "
                      "bound to the port.",
       .source = "bind(2), EADDRINUSE",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kPlain, kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_both",
       .requirement = "Two sockets that do not listen must be able to bind the "
                      "same port if both have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) { ExpectBesideBound(c, kReuseAddr, kReuseAddr, 0); }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_of_holder",
       .requirement = "bind(2) must fail with EADDRINUSE if only the first "
                      "socket has SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReuseAddr, kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_of_second",
       .requirement = "bind(2) must fail with EADDRINUSE if only the second "
                      "socket has SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kPlain, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseport_both",
       .requirement = "Two sockets must be able to bind the same port if both "
                      "have SO_REUSEPORT.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) { ExpectBesideBound(c, kReusePort, kReusePort, 0); }},
      {.id = "kernel.bind.conflict.bound.reuseport_of_holder",
       .requirement = "bind(2) must fail with EADDRINUSE if only the first "
                      "socket has SO_REUSEPORT.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReusePort, kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseport_of_second",
       .requirement = "bind(2) must fail with EADDRINUSE if only the second "
                      "socket has SO_REUSEPORT.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kPlain, kReusePort, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_and_reuseport",
       .requirement = "bind(2) must fail with EADDRINUSE if the first socket "
                      "has only SO_REUSEADDR and the second only SO_REUSEPORT.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReuseAddr, kReusePort, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseport_and_reuseaddr",
       .requirement = "bind(2) must fail with EADDRINUSE if the first socket "
                      "has only SO_REUSEPORT and the second only SO_REUSEADDR.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReusePort, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.both_options_and_one",
       .requirement = "Two sockets must be able to bind the same port if they "
                      "have one of SO_REUSEADDR and SO_REUSEPORT in common.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kBoth, kReuseAddr, 0);
             ExpectBesideBound(c, kReusePort, kBoth, 0);
           }},
      {.id = "kernel.bind.conflict.listening.reuseaddr_both",
       .requirement = "bind(2) must fail with EADDRINUSE if the first socket "
                      "listens, even if both have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, kReuseAddr, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.listening.reuseport_both",
       .requirement = "Two sockets with SO_REUSEPORT must be able to bind the "
                      "same port, even if the first listens.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, kReusePort, kReusePort, 0);
           }},
      {.id = "kernel.bind.conflict.listening.both_options_and_reuseaddr",
       .requirement =
           "A listener with SO_REUSEADDR and SO_REUSEPORT must share its port "
           "only with sockets that have SO_REUSEPORT.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, kBoth, kReuseAddr, EADDRINUSE);
             ExpectBesideListener(c, kBoth, kReusePort, 0);
           }},
      {.id = "kernel.bind.conflict.second_listen.reuseaddr",
       .requirement = "The second listen(2) must fail with EADDRINUSE if two "
                      "sockets share a port by SO_REUSEADDR.",
       .source = "listen(2), EADDRINUSE",
       .run =
           [](Context& c) { ExpectSecondListen(c, kReuseAddr, EADDRINUSE); }},
      {.id = "kernel.bind.conflict.second_listen.reuseport",
       .requirement = "Both listen(2) calls must succeed if two sockets share "
                      "a port by SO_REUSEPORT.",
       .source = "socket(7), SO_REUSEPORT",
       .run = [](Context& c) { ExpectSecondListen(c, kReusePort, 0); }},
      {.id = "kernel.bind.conflict.second_listen.wildcard_and_specific",
       .requirement = "listen(2) on a specific address must fail with "
                      "EADDRINUSE if a socket listens on the same port of the "
                      "wildcard, even if both have SO_REUSEADDR.",
       .source = "listen(2), EADDRINUSE",
       .run = &WildcardAndSpecificListen},
      {.id = "kernel.bind.conflict.second_listen.once_first_is_gone",
       .requirement = "A listen(2) that failed with EADDRINUSE must succeed "
                      "once the other listener is closed.",
       .source = "listen(2), EADDRINUSE",
       .run = &ListenAgainOnceTheFirstIsGone},
      {.id = "kernel.bind.conflict.second_listen.keeps_port",
       .requirement = "A listen(2) that fails must leave its socket bound, "
                      "even to a port that the system picked.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FailedListenKeepsThePort},
      {.id = "kernel.bind.conflict.option.reuseaddr_taken_back",
       .requirement = "bind(2) must fail with EADDRINUSE if SO_REUSEADDR of "
                      "the first socket was cleared after its bind(2).",
       .source = "measured on Linux 6.18",
       .run = &ReuseAddrTakenBack},
      {.id = "kernel.bind.conflict.option.reuseaddr_set_later",
       .requirement = "Two sockets must be able to bind the same port if "
                      "SO_REUSEADDR of the first was set after its bind(2).",
       .source = "measured on Linux 6.18",
       .run = &ReuseAddrSetLater},
      {.id = "kernel.bind.conflict.option.reuseport_set_later",
       .requirement = "Two sockets must be able to bind the same port if "
                      "SO_REUSEPORT of the first was set after its bind(2).",
       .source = "measured on Linux 6.18",
       .run = &ReusePortSetLater},
      {.id = "kernel.bind.conflict.wildcard.held",
       .requirement =
           "bind(2) to a specific address must fail with EADDRINUSE if another "
           "socket is bound to the same port of the wildcard.",
       .source = "ip(7), INADDR_ANY",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, c.Any(), kPlain, c.Loopback(), kPlain,
                               EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.wildcard.wanted",
       .requirement =
           "bind(2) to the wildcard must fail with EADDRINUSE if another "
           "socket is bound to the same port of a specific address.",
       .source = "ip(7), INADDR_ANY",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, c.Loopback(), kPlain, c.Any(), kPlain,
                               EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.wildcard.reuseaddr",
       .requirement =
           "Two sockets must be able to bind the same port of the wildcard and "
           "of a specific address if both have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, c.Any(), kReuseAddr, c.Loopback(), kReuseAddr,
                               0);
           }},
      {.id = "kernel.bind.conflict.wildcard.listening",
       .requirement = "bind(2) to a specific address must fail with EADDRINUSE "
                      "if another socket listens on the same port of the "
                      "wildcard, even if both have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, c.Any(), kReuseAddr, c.Loopback(),
                                  kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.two_addresses",
       .requirement = "Two sockets must be able to bind the same port of two "
                      "specific addresses.",
       .source = "ip(7), Address format",
       .families = AddressFamilies::kV4,
       .run =
           [](Context& c) {
             ExpectBesideListener(c, ip::kLocalV4, kPlain,
                                  ip::Addr::V4(127, 0, 0, 2), kPlain, 0);
           }},
      {.id = "kernel.bind.conflict.other_user.reuseport",
       .requirement = "SO_REUSEPORT must not let two users bind the same port.",
       .source = "socket(7), SO_REUSEPORT",
       .needs = Need::kOtherUser,
       .run = [](Context& c) { ExpectOtherUser(c, kReusePort, EADDRINUSE); }},
      {.id = "kernel.bind.conflict.other_user.reuseaddr",
       .requirement = "SO_REUSEADDR must let two users bind the same port.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOtherUser,
       .run = [](Context& c) { ExpectOtherUser(c, kReuseAddr, 0); }},
      {.id = "kernel.bind.conflict.other_user.made_the_socket",
       .requirement = "SO_REUSEPORT must compare the users who made the "
                      "sockets, not those who bind them.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOtherUser,
       .run = &OtherUsersSocket},
  };
  return cases;
}

}  // namespace net::conformance
