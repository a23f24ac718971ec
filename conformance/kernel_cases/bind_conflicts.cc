// Two sockets that want the same port: who may share it, and how.

#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/kernel_cases.h"
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

// ---- The holder is bound ----------------------------------------------------

// On the axis's loopback address.
void ExpectBesideBound(Context& c, const Sharing& holder, const Sharing& second,
                       int error) {
  ExpectBesideBound(c, c.Loopback(), holder, c.Loopback(), second, error);
}

// ---- The holder listens -----------------------------------------------------

void ExpectBesideListener(Context& c, const ip::Addr& held,
                          const Sharing& holder, const ip::Addr& wanted,
                          const Sharing& second, int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {held, 0}, holder));
  ASSERT_THAT(Listen(first), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  EXPECT_THAT(BoundSharing(c, {wanted, at.port}, second), Answers(error));
}

void ExpectBesideListener(Context& c, const Sharing& holder,
                          const Sharing& second, int error) {
  ExpectBesideListener(c, c.Loopback(), holder, c.Loopback(), second, error);
}

// Both are bound to one port, and both listen, one after the other.
void ExpectSecondListen(Context& c, const Sharing& both, int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, both));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket second, BoundSharing(c, at, both));
  ASSERT_THAT(Listen(first), IsOk());
  EXPECT_THAT(Listen(second), Answers(error));
}

// The wildcard and a specific address, both bound with SO_REUSEADDR; then both
// listen.
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

// Another user wants the port that a socket with `both` is bound to.
void ExpectOtherUser(Context& c, const Sharing& both, int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, both));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  c.env().AsOtherUser(
      [&] { EXPECT_THAT(BoundSharing(c, at, both), Answers(error)); });
}

// Who made the socket counts, not who binds it.
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

const std::vector<Case>& BindConflictKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.bind.conflict.bound.plain",
       .requirement = "A port that a socket is bound to must be in use.",
       .source = "bind(2), EADDRINUSE",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kPlain, kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_both",
       .requirement = "Two sockets with SO_REUSEADDR that do not listen must "
                      "share a port.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) { ExpectBesideBound(c, kReuseAddr, kReuseAddr, 0); }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_of_holder",
       .requirement = "SO_REUSEADDR of the holder alone must not share a port.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReuseAddr, kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_of_second",
       .requirement = "SO_REUSEADDR of the second alone must not share a port.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kPlain, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseport_both",
       .requirement = "Two sockets with SO_REUSEPORT must share a port.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) { ExpectBesideBound(c, kReusePort, kReusePort, 0); }},
      {.id = "kernel.bind.conflict.bound.reuseport_of_holder",
       .requirement = "SO_REUSEPORT of the holder alone must not share a port.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReusePort, kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseport_of_second",
       .requirement = "SO_REUSEPORT of the second alone must not share a port.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kPlain, kReusePort, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseaddr_and_reuseport",
       .requirement = "SO_REUSEADDR of one and SO_REUSEPORT of the other must "
                      "not share a port.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReuseAddr, kReusePort, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.reuseport_and_reuseaddr",
       .requirement = "SO_REUSEPORT of the holder and SO_REUSEADDR of the "
                      "second must not share a port.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kReusePort, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.bound.both_options_and_one",
       .requirement =
           "One of two options in common must be enough to share a port.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, kBoth, kReuseAddr, 0);
             ExpectBesideBound(c, kReusePort, kBoth, 0);
           }},
      {.id = "kernel.bind.conflict.listening.reuseaddr_both",
       .requirement = "A port with a listener must be in use, also with "
                      "SO_REUSEADDR of both.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, kReuseAddr, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.listening.reuseport_both",
       .requirement = "Two sockets with SO_REUSEPORT must share a port also "
                      "when the first listens.",
       .source = "socket(7), SO_REUSEPORT",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, kReusePort, kReusePort, 0);
           }},
      {.id = "kernel.bind.conflict.listening.both_options_and_reuseaddr",
       .requirement = "A listener with both options must share its port only "
                      "by SO_REUSEPORT.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, kBoth, kReuseAddr, EADDRINUSE);
             ExpectBesideListener(c, kBoth, kReusePort, 0);
           }},
      {.id = "kernel.bind.conflict.second_listen.reuseaddr",
       .requirement = "Of two sockets that share a port by SO_REUSEADDR only "
                      "one must listen.",
       .source = "listen(2), EADDRINUSE",
       .run =
           [](Context& c) { ExpectSecondListen(c, kReuseAddr, EADDRINUSE); }},
      {.id = "kernel.bind.conflict.second_listen.reuseport",
       .requirement =
           "Two sockets that share a port by SO_REUSEPORT must both listen.",
       .source = "socket(7), SO_REUSEPORT",
       .run = [](Context& c) { ExpectSecondListen(c, kReusePort, 0); }},
      {.id = "kernel.bind.conflict.second_listen.wildcard_and_specific",
       .requirement = "A listener on the wildcard must exclude one on a "
                      "specific address of its port.",
       .source = "listen(2), EADDRINUSE",
       .run = &WildcardAndSpecificListen},
      {.id = "kernel.bind.conflict.second_listen.once_first_is_gone",
       .requirement = "A listen that found its port in use must succeed once "
                      "the other listener is closed.",
       .source = "listen(2), EADDRINUSE",
       .run = &ListenAgainOnceTheFirstIsGone},
      {.id = "kernel.bind.conflict.second_listen.keeps_port",
       .requirement = "A listen that fails must leave its socket the port, "
                      "also one that the system had picked.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FailedListenKeepsThePort},
      {.id = "kernel.bind.conflict.option.reuseaddr_taken_back",
       .requirement = "SO_REUSEADDR that was cleared after the bind must no "
                      "longer share the port.",
       .source = "measured on Linux 6.18",
       .run = &ReuseAddrTakenBack},
      {.id = "kernel.bind.conflict.option.reuseaddr_set_later",
       .requirement =
           "SO_REUSEADDR that was set after the bind must share the port.",
       .source = "measured on Linux 6.18",
       .run = &ReuseAddrSetLater},
      {.id = "kernel.bind.conflict.option.reuseport_set_later",
       .requirement =
           "SO_REUSEPORT that was set after the bind must share the port.",
       .source = "measured on Linux 6.18",
       .run = &ReusePortSetLater},
      {.id = "kernel.bind.conflict.wildcard.held",
       .requirement =
           "A wildcard that is bound must hold its port for every address.",
       .source = "ip(7), INADDR_ANY",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, c.Any(), kPlain, c.Loopback(), kPlain,
                               EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.wildcard.wanted",
       .requirement =
           "The wildcard must not be bound where one address holds the port.",
       .source = "ip(7), INADDR_ANY",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, c.Loopback(), kPlain, c.Any(), kPlain,
                               EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.wildcard.reuseaddr",
       .requirement = "The wildcard and an address must share a port by "
                      "SO_REUSEADDR of both.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideBound(c, c.Any(), kReuseAddr, c.Loopback(), kReuseAddr,
                               0);
           }},
      {.id = "kernel.bind.conflict.wildcard.listening",
       .requirement = "A listener on the wildcard must hold its port against "
                      "SO_REUSEADDR of both.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideListener(c, c.Any(), kReuseAddr, c.Loopback(),
                                  kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.two_addresses",
       .requirement = "Two addresses must each have a port of the same number.",
       .source = "ip(7), Address format",
       .axes = Axes::kV4,
       .run =
           [](Context& c) {
             ExpectBesideListener(c, ip::kLocalV4, kPlain,
                                  ip::Addr::V4(127, 0, 0, 2), kPlain, 0);
           }},
      {.id = "kernel.bind.conflict.other_user.reuseport",
       .requirement = "SO_REUSEPORT must not share a port with another user.",
       .source = "socket(7), SO_REUSEPORT",
       .needs = Need::kOtherUser,
       .run = [](Context& c) { ExpectOtherUser(c, kReusePort, EADDRINUSE); }},
      {.id = "kernel.bind.conflict.other_user.reuseaddr",
       .requirement = "SO_REUSEADDR must share a port also with another user.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOtherUser,
       .run = [](Context& c) { ExpectOtherUser(c, kReuseAddr, 0); }},
      {.id = "kernel.bind.conflict.other_user.made_the_socket",
       .requirement = "The user who made the socket must count for "
                      "SO_REUSEPORT, not the one who binds it.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOtherUser,
       .run = &OtherUsersSocket},
  };
  return cases;
}

}  // namespace net::conformance
