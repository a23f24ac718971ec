// The errors of Accept. No error loses a connection.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/cases/connected.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::RawSocket;
using testing::Eq;
using testing::Value;

void WouldBlock(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  EXPECT_THAT(listener.Accept(), Fails(EAGAIN));
}

void WouldBlockOnceDrained(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_THAT(WaitFor(c, listener, POLLIN), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  EXPECT_THAT(listener.Accept(), Fails(EAGAIN));
}

void WouldBlockThenAccepts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_THAT(listener.Accept(), Fails(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_THAT(WaitFor(c, listener, POLLIN), IsOk());
  EXPECT_THAT(listener.Accept(), IsOk());
}

// The flag is the accepted socket's, not the wait's.
void WouldBlockIsTheListeners(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  EXPECT_THAT(listener.Accept({.nonblock = true}), Fails(EAGAIN));
  EXPECT_THAT(listener.Accept({.no_cloexec = true}), Fails(EAGAIN));
}

void OnConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
  EXPECT_THAT(client.Accept(), Fails(EINVAL));
}

void OnAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  EXPECT_THAT(server.Accept(), Fails(EINVAL));
}

void OnBound(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket raw, loopback::NewSocket(c.sys(), c.family()));
  ASSERT_THAT(loopback::Bind(raw, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock bound, AdoptRaw(c, std::move(raw)));
  EXPECT_THAT(bound.Accept(), Fails(EINVAL));
}

void OnNew(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket raw, loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock unbound, AdoptRaw(c, std::move(raw)));
  EXPECT_THAT(unbound.Accept(), Fails(EINVAL));
}

void ClosedDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket raw, loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock closed, AdoptClosed(c, std::move(raw)));
  EXPECT_THAT(closed.Accept(), Fails(EBADF));
  // This case does not check the result of the second close.
  static_cast<void>(closed.Close());
}

void NotASocket(Context& c) {
  const std::optional<Sock> pipe = AdoptPipe(c);
  if (!pipe.has_value()) return;
  EXPECT_THAT(pipe->Accept(), Fails(ENOTSOCK));
}

void NotTcp(Context& c) {
  const SysResult made =
      c.sys().Socket(c.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_THAT(made, IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock udp,
                       AdoptRaw(c, RawSocket(made.fd(), c.sys())));
  EXPECT_THAT(udp.Accept(), Fails(EOPNOTSUPP));
}

void UnknownFlag(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  for (const uint32_t flag : UnknownFlags()) {
    ASSERT_THAT(listener.AcceptWithList({.unknown_flag = flag}), Fails(EINVAL))
        << "with the unknown flag " << flag;
  }
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
  EXPECT_THAT(server.PeerAddr(), IsOkAndHolds(std::optional(origin)));
}

void TooManyFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(listener.Accept(), Fails(EMFILE));
}

void TooManyFilesRecovers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_THAT(client.Send("still here"), IsOk());
  c.env().LimitDescriptors(0);
  ASSERT_THAT(listener.Accept(), Fails(EMFILE));
  ASSERT_THAT(listener.Accept(), Fails(EMFILE));
  c.env().LimitDescriptors(std::nullopt);
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
  EXPECT_THAT(server.PeerAddr(), IsOkAndHolds(std::optional(origin)));
  EXPECT_THAT(server.RecvExactly(10), IsOkAndHolds(Eq("still here")));
}

void TooManyFilesNobodyThere(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  c.env().LimitDescriptors(0);
  const Result<Sock> server = listener.Accept();
  if (Value(server, Fails(EAGAIN))) {
    c.Variation("looks_for_a_connection_first");
    return;
  }
  EXPECT_THAT(server, Fails(EMFILE));
}

void OneDescriptorSuffices(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket one, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const RawSocket two, ConnectTo(c.sys(), at));
  c.env().LimitDescriptors(1);
  EXPECT_THAT(listener.Accept(), IsOk());  // and closed
  EXPECT_THAT(listener.Accept(), IsOk());
}

void AfterShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(listener.Accept(), Fails(EINVAL));
}

void AfterShutdownRefuses(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  ExpectRefused(c, at);
}

void AfterShutdownKeepsThePort(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen({c.Loopback(), kPort}));
  const ip::Endpoint at{c.Loopback(), kPort};
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(loopback::ListenOn(c.sys(), at), IsErrno(EADDRINUSE));
  ASSERT_THAT(listener.Close(), IsOk());
  EXPECT_THAT(loopback::ListenOn(c.sys(), at), IsOk());
}

void ShutdownOfWriting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  const Result<Done> shutdown = listener.Shutdown(SHUT_WR);
  if (Value(shutdown, Fails(ENOTCONN))) {
    c.Variation("a_listener_has_no_direction_to_shut_down");
  } else {
    ASSERT_THAT(shutdown, IsOk());
  }
  ExpectTakes(c, listener, at);
}

}  // namespace

const std::vector<Case>& AcceptErrorsCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "accept.would_block",
       .requirement = "Accept on a non-blocking listener must fail with EAGAIN "
                      "while the accept queue is empty.",
       .source = "contract: NONBLOCK listener; accept(2), EAGAIN",
       .run = &WouldBlock},
      {.id = "accept.would_block.once_drained",
       .requirement = "Accept on a non-blocking listener must fail with EAGAIN "
                      "once every queued connection has been accepted.",
       .source = "contract: NONBLOCK listener; accept(2), EAGAIN",
       .run = &WouldBlockOnceDrained},
      {.id = "accept.would_block.then_accepts",
       .requirement = "After an Accept has failed with EAGAIN, the next Accept "
                      "must return a connection that has arrived since.",
       .source = "accept(2), EAGAIN, NOTES",
       .run = &WouldBlockThenAccepts},
      {.id = "accept.would_block.whatever_the_flags",
       .requirement = "Whether Accept blocks must depend on the listener's "
                      "O_NONBLOCK, not on the flags for the new socket.",
       .source = "accept(2), EAGAIN, SOCK_NONBLOCK",
       .run = &WouldBlockIsTheListeners},
      {.id = "accept.not_a_listener.connected",
       .requirement = "Accept on a connected socket must fail with EINVAL.",
       .source = "accept(2), EINVAL",
       .run = &OnConnected},
      {.id = "accept.not_a_listener.accepted",
       .requirement = "Accept on an accepted socket must fail with EINVAL: "
                      "listening is not inherited.",
       .source = "accept(2), EINVAL, DESCRIPTION",
       .run = &OnAccepted},
      {.id = "accept.not_a_listener.bound",
       .requirement = "Accept on a socket that is bound but not listening must "
                      "fail with EINVAL.",
       .source = "accept(2), EINVAL",
       .run = &OnBound},
      {.id = "accept.not_a_listener.new",
       .requirement = "Accept on a socket that is neither bound nor connected "
                      "must fail with EINVAL.",
       .source = "accept(2), EINVAL",
       .run = &OnNew},
      {.id = "accept.closed_descriptor",
       .requirement = "Accept on a closed descriptor must fail with EBADF.",
       .source = "accept(2), EBADF",
       .run = &ClosedDescriptor},
      {.id = "accept.not_a_socket",
       .requirement = "Accept on a pipe must fail with ENOTSOCK.",
       .source = "accept(2), ENOTSOCK",
       .run = &NotASocket},
      {.id = "accept.not_tcp",
       .requirement = "Accept on a UDP socket must fail with EOPNOTSUPP.",
       .source = "accept(2), EOPNOTSUPP",
       .run = &NotTcp},
      {.id = "accept.flags.unknown",
       .requirement = "Accept with an unknown flag must fail with EINVAL and "
                      "leave the connection in the accept queue.",
       .source = "contract: flags; accept(2), EINVAL",
       .needs = Need::kOptionLists,
       .run = &UnknownFlag},
      {.id = "accept.too_many_files",
       .requirement = "Accept must fail with EMFILE when the process has "
                      "reached its limit of open descriptors.",
       .source = "accept(2), EMFILE",
       .run = &TooManyFiles},
      {.id = "accept.too_many_files.then_recovered",
       .requirement =
           "After Accept has failed with EMFILE, the connection must stay "
           "queued with its data, and be accepted once a descriptor is free.",
       .source = "contract: Accept; accept(2), EMFILE",
       .run = &TooManyFilesRecovers},
      {.id = "accept.too_many_files.nobody_there",
       .requirement = "Accept should fail with EMFILE at the limit of open "
                      "descriptors even if the accept queue is empty.",
       .source = "Linux; accept(2), EMFILE",
       .level = Level::kVariation,
       .run = &TooManyFilesNobodyThere},
      {.id = "accept.too_many_files.one_suffices",
       .requirement =
           "Accept should need only one free descriptor for each connection.",
       .source = "contract: any success",
       .level = Level::kShould,
       .run = &OneDescriptorSuffices},
      {.id = "accept.shutdown.before",
       .requirement = "Accept on a listener that was shut down must fail with "
                      "EINVAL, without blocking.",
       .source = "Linux; shutdown(2); accept(2), EINVAL",
       .run = &AfterShutdown},
      {.id = "accept.shutdown.refuses",
       .requirement = "Connections to a listener that was shut down must be "
                      "refused.",
       .source = "Linux; shutdown(2); connect(2), ECONNREFUSED",
       .run = &AfterShutdownRefuses},
      {.id = "accept.shutdown.keeps_the_port",
       .requirement = "A listener that was shut down must keep its port until "
                      "it is closed.",
       .source = "Linux; shutdown(2); close(2)",
       .needs = Need::kOwnNetwork,
       .run = &AfterShutdownKeepsThePort},
      {.id = "accept.shutdown.of_writing",
       .requirement = "Shutting down the sending direction of a listener, "
                      "which has none, should have no effect.",
       .source = "Linux; shutdown(2)",
       .level = Level::kVariation,
       .run = &ShutdownOfWriting},
  };
  return cases;
}

}  // namespace net::conformance
