// accept(2) that blocks: what wakes it, and what does not.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::RawSocket;

// Returns a call of accept4(2) that may block. It uses the descriptor's number,
// because it may outlive the descriptor.
std::function<SysResult()> AcceptCall(Context& c, const RawSocket& listener) {
  return [&c, fd = listener.fd()] {
    return c.sys().Accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  };
}

void WokenByConnection(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, client.LocalEndpoint());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(from));
}

// Linux hands out the lowest free number.
void ReservesItsDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  if (accepted.fd() > client.fd()) {
    return c.Variation("takes_its_number_at_the_end");
  }
}

void WokenByShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(listener.socket().Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(accept.Join(), IsErrno(EINVAL));
}

void WokenBySignal(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  accept.Interrupt();
  EXPECT_THAT(accept.Join(), IsErrno(EINTR));
}

void WokenByDisconnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(Disconnect(listener.socket()), IsOk());
  EXPECT_THAT(accept.Join(), IsErrno(EINVAL));
}

// The second call stays blocked, and goes on when the socket listens again.
void DisconnectWakesOne(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall first(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(first.AwaitBlocked());
  PendingCall second(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(second.AwaitBlocked());
  ASSERT_THAT(Disconnect(listener.socket()), IsOk());
  EXPECT_THAT(first.Join(), IsErrno(EINVAL));
  ASSERT_THAT(Listen(listener.socket(), 1), IsOk());
  EXPECT_TRUE(second.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint again,
                       listener.socket().LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(
      const RawSocket client,
      ConnectTo(c.sys(), {listener.endpoint().addr, again.port}));
  const SysResult accepted = second.Join();
  ASSERT_THAT(accepted, IsOk());
  EXPECT_THAT(c.sys().Close(accepted.fd()), IsOk());
}

// A blocked call keeps the listener alive after its descriptor is closed.
void OutlivesTheDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(listener.socket().Close(), IsOk());
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  EXPECT_THAT(c.sys().Close(accepted.fd()), IsOk());
  // The call has returned, so the listener is closed.
  EXPECT_THAT(ConnectTo(c.sys(), listener.endpoint()), IsErrno(ECONNREFUSED));
}

void OneWakesOne(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall first(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(first.AwaitBlocked());
  PendingCall second(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(second.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket one,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = first.Join();
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  // The second call stays blocked until the next connection.
  EXPECT_TRUE(second.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket two,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult next = second.Join();
  ASSERT_THAT(next, IsOk());
  EXPECT_THAT(c.sys().Close(next.fd()), IsOk());
}

void ReceiveTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  const timeval soon = {.tv_sec = 0, .tv_usec = 20000};
  ASSERT_THAT(c.sys().SetSockOpt(listener.socket().fd(), SOL_SOCKET,
                                 SO_RCVTIMEO, &soon, sizeof(soon)),
              IsOk());
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(Accept(listener.socket()), IsOk());
}

void BlocksThoughMadeNonblocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(c.sys().Fcntl(listener.socket().fd(), F_SETFL, O_NONBLOCK),
              IsOk());
  EXPECT_TRUE(accept.AwaitBlocked());
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  EXPECT_THAT(c.sys().Close(accepted.fd()), IsOk());
}

}  // namespace

const std::vector<Case>& AcceptBlockedKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.accept.blocked.connection",
       .requirement =
           "A blocked accept(2) must return when a connection arrives.",
       .source = "accept(2), DESCRIPTION",
       .run = &WokenByConnection},
      {.id = "kernel.accept.blocked.reserves_its_descriptor",
       .requirement = "A blocked accept(2) may have taken its descriptor's "
                      "number already, "
                      "so that later calls get higher ones.",
       .source = "Linux: __sys_accept4() in net/socket.c; measured on Linux "
                 "6.18",
       .level = Level::kVariation,
       .run = &ReservesItsDescriptor},
      {.id = "kernel.accept.blocked.shutdown",
       .requirement = "A blocked accept(2) must fail with EINVAL when the "
                      "listener is shut down.",
       .source = "measured on Linux 6.18",
       .run = &WokenByShutdown},
      {.id = "kernel.accept.blocked.signal",
       .requirement = "A blocked accept(2) must fail with EINTR on a signal.",
       .source = "accept(2), EINTR",
       .run = &WokenBySignal},
      {.id = "kernel.accept.blocked.disconnect",
       .requirement =
           "A blocked accept(2) must fail with EINVAL when connect(2) to "
           "AF_UNSPEC dissolves the listener's association.",
       .source = "measured on Linux 6.18",
       .run = &WokenByDisconnect},
      {.id = "kernel.accept.blocked.disconnect_of_two",
       .requirement =
           "connect(2) to AF_UNSPEC must wake one of the blocked accept(2)s of "
           "a listener, the one that has blocked longest.",
       .source = "Linux: sk_error_report() in tcp_disconnect(); measured on "
                 "Linux 6.18",
       .run = &DisconnectWakesOne},
      {.id = "kernel.accept.blocked.close",
       .requirement =
           "A blocked accept(2) must keep the listener alive after its "
           "descriptor is closed, until it has returned a connection.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &OutlivesTheDescriptor},
      {.id = "kernel.accept.blocked.one_for_one",
       .requirement = "One connection must wake one blocked accept(2), the one "
                      "that has blocked longest.",
       .source = "measured on Linux 6.18",
       .run = &OneWakesOne},
      {.id = "kernel.accept.blocked.receive_timeout",
       .requirement = "A blocked accept(2) must fail with EAGAIN when "
                      "SO_RCVTIMEO expires.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &ReceiveTimeout},
      {.id = "kernel.accept.blocked.nonblock_set",
       .requirement = "A blocked accept(2) must stay blocked when O_NONBLOCK "
                      "is set on the listener.",
       .source = "measured on Linux 6.18",
       .run = &BlocksThoughMadeNonblocking},
  };
  return cases;
}

}  // namespace net::conformance
