// The lifetime of a port: calls that bind without bind(2), when a port is
// freed, and what happens when no port is left.

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::Listener;
using loopback::RawSocket;
using loopback::RefusedPort;

// Binds a new socket to `at`. Returns the errno, or 0 on success.
int ErrnoOfBind(Context& c, const ip::Endpoint& at) {
  const absl::StatusOr<RawSocket> socket = NewTcp(c);
  if (!socket.ok()) return net::ErrnoOf(socket);
  return net::ErrnoOf(Bind(*socket, at));
}

// A bound socket and its endpoint.
struct Bound {
  RawSocket socket;
  ip::Endpoint at;
};
absl::StatusOr<Bound> BindTo(Context& c, const ip::Endpoint& local) {
  absl::StatusOr<RawSocket> socket = NewTcp(c);
  if (!socket.ok()) return socket.status();
  const absl::Status bound = Bind(*socket, local);
  if (!bound.ok()) return bound;
  const absl::StatusOr<ip::Endpoint> at = socket->LocalEndpoint();
  if (!at.ok()) return at.status();
  return Bound{*std::move(socket), *at};
}

// ---- Bound without bind(2) --------------------------------------------------

void ListenBinds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Listen(socket), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
  EXPECT_EQ(local.addr, c.Any());
  EXPECT_NE(local.port, 0);
  EXPECT_THAT(ConnectTo(c.sys(), {c.Loopback(), local.port}), IsOk());
}

void ConnectBinds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  EXPECT_EQ(local.addr, c.Loopback());
  EXPECT_NE(local.port, 0);
}

void ConnectCompletesTheAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Bound client, BindTo(c, {c.Any(), 0}));
  ASSERT_THAT(Connect(client.socket, listener.endpoint()), IsOk());
  EXPECT_THAT(client.socket.LocalEndpoint(),
              IsOkAndHolds(ip::Endpoint{c.Loopback(), client.at.port}));
}

void FailedConnectDoesNotBind(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, {c.Foreign(), kPort}), IsErrno(ENETUNREACH));
  EXPECT_THAT(client.LocalEndpoint(), IsOkAndHolds(ip::Endpoint{c.Any(), 0}));
}

// ---- Freeing a port ---------------------------------------------------------

void CloseFrees(Context& c) {
  ASSERT_OK_AND_ASSIGN(Bound holder, BindTo(c, {c.Loopback(), 0}));
  ASSERT_EQ(ErrnoOfBind(c, holder.at), EADDRINUSE);
  ASSERT_THAT(holder.socket.Close(), IsOk());
  EXPECT_EQ(ErrnoOfBind(c, holder.at), 0);
}

void DuplicateHolds(Context& c) {
  ASSERT_OK_AND_ASSIGN(Bound holder, BindTo(c, {c.Loopback(), 0}));
  const SysResult copy = c.sys().Dup(holder.socket.fd());
  ASSERT_THAT(copy, IsOk());
  ASSERT_THAT(holder.socket.Close(), IsOk());
  EXPECT_EQ(ErrnoOfBind(c, holder.at), EADDRINUSE);
  ASSERT_THAT(c.sys().Close(copy.fd()), IsOk());
  EXPECT_EQ(ErrnoOfBind(c, holder.at), 0);
}

void CloseOfListenerFrees(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  ASSERT_THAT(listener.socket().Close(), IsOk());
  EXPECT_EQ(ErrnoOfBind(c, listener.endpoint()), 0);
}

// close(2) of the listener resets the connection in its accept queue.
void CloseOfFullListenerFrees(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(listener.socket().Close(), IsOk());
  EXPECT_EQ(ErrnoOfBind(c, listener.endpoint()), 0);
}

void RefusedHoldsNamedPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Bound client, BindTo(c, {c.Loopback(), kPort}));
  ASSERT_THAT(Connect(client.socket, refused.endpoint()),
              IsErrno(ECONNREFUSED));
  EXPECT_THAT(client.socket.LocalEndpoint(), IsOkAndHolds(client.at));
  EXPECT_EQ(ErrnoOfBind(c, client.at), EADDRINUSE);
}

void RefusedFreesImplicitPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "40000 40000");
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  EXPECT_EQ(ErrnoOfBind(c, {c.Loopback(), 40000}), 0);
}

// A refusal frees a port or an address that the kernel picked for bind(2),
// because the caller did not give it.
void RefusedFreesChosenPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Bound client, BindTo(c, {c.Loopback(), 0}));
  ASSERT_THAT(Connect(client.socket, refused.endpoint()),
              IsErrno(ECONNREFUSED));
  EXPECT_EQ(ErrnoOfBind(c, client.at), 0);
}

void ShutdownHoldsNamedPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Bound listener, BindTo(c, {c.Loopback(), kPort}));
  ASSERT_THAT(Listen(listener.socket), IsOk());
  ASSERT_THAT(listener.socket.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(listener.socket.LocalEndpoint(), IsOkAndHolds(listener.at));
  EXPECT_EQ(ErrnoOfBind(c, listener.at), EADDRINUSE);
}

void ShutdownFreesChosenPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Bound listener, BindTo(c, {c.Loopback(), 0}));
  ASSERT_THAT(Listen(listener.socket), IsOk());
  ASSERT_THAT(listener.socket.Shutdown(SHUT_RD), IsOk());
  EXPECT_EQ(ErrnoOfBind(c, listener.at), 0);
}

void ListenAgainAfterShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Bound listener, BindTo(c, {c.Loopback(), kPort}));
  ASSERT_THAT(Listen(listener.socket), IsOk());
  ASSERT_THAT(listener.socket.Shutdown(SHUT_RD), IsOk());
  ASSERT_THAT(ConnectTo(c.sys(), listener.at), IsErrno(ECONNREFUSED));
  ASSERT_THAT(Listen(listener.socket), IsOk());
  EXPECT_THAT(ConnectTo(c.sys(), listener.at), IsOk());
}

void DisconnectHoldsNamedPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Bound client, BindTo(c, {c.Loopback(), kPort}));
  ASSERT_THAT(Connect(client.socket, listener.endpoint()), IsOk());
  ASSERT_THAT(Disconnect(client.socket), IsOk());
  EXPECT_THAT(client.socket.LocalEndpoint(), IsOkAndHolds(client.at));
  EXPECT_EQ(ErrnoOfBind(c, client.at), EADDRINUSE);
}

void DisconnectFreesImplicitPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, client.LocalEndpoint());
  ASSERT_THAT(Disconnect(client), IsOk());
  EXPECT_EQ(ErrnoOfBind(c, at), 0);
}

// ---- Running out ------------------------------------------------------------

// Leaves the kernel a single port to pick.
constexpr uint16_t kOnlyPort = 40000;
void LeaveOnePort(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "40000 40000");
}

void PicksFromTheRange(Context& c) {
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(const Bound bound, BindTo(c, {c.Loopback(), 0}));
  EXPECT_EQ(bound.at.port, kOnlyPort);
}

void NoPortForBind(Context& c) {
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(Bound holder, BindTo(c, {c.Loopback(), 0}));
  EXPECT_THAT(BindTo(c, {c.Loopback(), 0}), IsErrno(EADDRINUSE));
  ASSERT_THAT(holder.socket.Close(), IsOk());
  EXPECT_THAT(BindTo(c, {c.Loopback(), 0}), IsOk());
}

void NoPortForListen(Context& c) {
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(const Bound holder, BindTo(c, {c.Loopback(), 0}));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Listen(socket), IsErrno(EADDRINUSE));
  EXPECT_THAT(socket.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

void NoPortForConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(const Bound holder, BindTo(c, {c.Loopback(), 0}));
  EXPECT_THAT(ConnectTo(c.sys(), listener.endpoint()), IsErrno(EADDRNOTAVAIL));
}

void ConnectSharesThePort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener one, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Listener two, NewListener(c));
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       ConnectTo(c.sys(), one.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket second,
                       ConnectTo(c.sys(), two.endpoint()));
  EXPECT_THAT(second.LocalEndpoint(),
              IsOkAndHolds(ip::Endpoint{c.Loopback(), kOnlyPort}));
  EXPECT_THAT(ConnectTo(c.sys(), one.endpoint()), IsErrno(EADDRNOTAVAIL));
}

void ConnectedPortIsNotBound(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(BindTo(c, {c.Loopback(), 0}), IsErrno(EADDRINUSE));
}

void OtherAddressHasItsOwn(Context& c) {
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(const Bound holder, BindTo(c, {ip::kLocalV4, 0}));
  ASSERT_OK_AND_ASSIGN(const Bound other,
                       BindTo(c, {ip::Addr::V4(127, 0, 0, 2), 0}));
  EXPECT_EQ(other.at.port, kOnlyPort);
}

// Binds two sockets that both have `option` to port 0. Expects `error`.
void ExpectSharedPortZero(Context& c, int option, int error) {
  LeaveOnePort(c);
  ASSERT_OK_AND_ASSIGN(const RawSocket first, NewTcp(c));
  ASSERT_THAT(SetSocketOption(first, option, 1), IsOk());
  ASSERT_THAT(Bind(first, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket second, NewTcp(c));
  ASSERT_THAT(SetSocketOption(second, option, 1), IsOk());
  EXPECT_THAT(Bind(second, {c.Loopback(), 0}), ReturnsErrno(error));
}

}  // namespace

const std::vector<Case>& BindPortsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.bind.port.implicit.listen",
       .requirement = "listen(2) on a socket that is not bound must bind it to "
                      "a port of the wildcard address.",
       .source = "listen(2); ip(7), DESCRIPTION",
       .run = &ListenBinds},
      {.id = "kernel.bind.port.implicit.connect",
       .requirement = "connect(2) of a socket that is not bound must bind it "
                      "to a port of the route's source address.",
       .source = "connect(2); ip(7), DESCRIPTION",
       .run = &ConnectBinds},
      {.id = "kernel.bind.port.implicit.address",
       .requirement = "connect(2) of a socket bound to the wildcard must set "
                      "the local address and keep the port.",
       .source = "ip(7), DESCRIPTION",
       .run = &ConnectCompletesTheAddress},
      {.id = "kernel.bind.port.implicit.not_by_failure",
       .requirement = "A connect(2) that fails with ENETUNREACH must leave the "
                      "socket unbound.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FailedConnectDoesNotBind},
      {.id = "kernel.bind.port.close.frees",
       .requirement = "close(2) of a bound socket must free its port at once.",
       .source = "close(2)",
       .needs = Need::kOwnNetwork,
       .run = &CloseFrees},
      {.id = "kernel.bind.port.close.duplicate",
       .requirement = "A port must stay in use until the last descriptor of "
                      "its socket is closed.",
       .source = "dup(2); close(2)",
       .needs = Need::kOwnNetwork,
       .run = &DuplicateHolds},
      {.id = "kernel.bind.port.close.listener",
       .requirement = "close(2) of a listener must free its port at once.",
       .source = "close(2)",
       .needs = Need::kOwnNetwork,
       .run = &CloseOfListenerFrees},
      {.id = "kernel.bind.port.close.listener_with_queue",
       .requirement = "close(2) of a listener must free its port at once, even "
                      "if connections are queued.",
       .source = "RFC 9293, section 3.10.4",
       .needs = Need::kOwnNetwork,
       .run = &CloseOfFullListenerFrees},
      {.id = "kernel.bind.port.refused.named",
       .requirement = "A connect(2) that is refused must keep the local port "
                      "if bind(2) was given the port.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &RefusedHoldsNamedPort},
      {.id = "kernel.bind.port.refused.implicit",
       .requirement = "A connect(2) that is refused must free the local port "
                      "if connect(2) picked it.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &RefusedFreesImplicitPort},
      {.id = "kernel.bind.port.refused.chosen",
       .requirement = "A connect(2) that is refused must free the local port "
                      "if the kernel picked it for bind(2).",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &RefusedFreesChosenPort},
      {.id = "kernel.bind.port.shutdown.named",
       .requirement = "shutdown(2) of a listener must keep the port if bind(2) "
                      "was given the port.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &ShutdownHoldsNamedPort},
      {.id = "kernel.bind.port.shutdown.chosen",
       .requirement = "shutdown(2) of a listener must free the port if the "
                      "kernel picked it for bind(2).",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &ShutdownFreesChosenPort},
      {.id = "kernel.bind.port.shutdown.listen_again",
       .requirement =
           "A listener that was shut down must refuse connections, and accept "
           "them again on the same port after another listen(2).",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &ListenAgainAfterShutdown},
      {.id = "kernel.bind.port.disconnect.named",
       .requirement = "connect(2) to AF_UNSPEC must keep the local port if "
                      "bind(2) was given the port.",
       .source = "connect(2), AF_UNSPEC",
       .needs = Need::kOwnNetwork,
       .run = &DisconnectHoldsNamedPort},
      {.id = "kernel.bind.port.disconnect.implicit",
       .requirement = "connect(2) to AF_UNSPEC must free the local port if "
                      "connect(2) picked it.",
       .source = "connect(2), AF_UNSPEC",
       .needs = Need::kOwnNetwork,
       .run = &DisconnectFreesImplicitPort},
      {.id = "kernel.bind.port.range.respected",
       .requirement =
           "A port that the kernel picks must be in ip_local_port_range.",
       .source = "ip(7), ip_local_port_range",
       .needs = Need::kOwnNetwork,
       .run = &PicksFromTheRange},
      {.id = "kernel.bind.port.exhausted.bind",
       .requirement = "bind(2) to port 0 must fail with EADDRINUSE while every "
                      "port is bound, and succeed once one is free.",
       .source = "bind(2), EADDRINUSE",
       .needs = Need::kOwnNetwork,
       .run = &NoPortForBind},
      {.id = "kernel.bind.port.exhausted.listen",
       .requirement = "listen(2) on a socket that is not bound must fail with "
                      "EADDRINUSE while every port is bound.",
       .source = "listen(2), EADDRINUSE",
       .needs = Need::kOwnNetwork,
       .run = &NoPortForListen},
      {.id = "kernel.bind.port.exhausted.connect",
       .requirement =
           "connect(2) must fail with EADDRNOTAVAIL while every port is bound.",
       .source = "connect(2), EADDRNOTAVAIL",
       .needs = Need::kOwnNetwork,
       .run = &NoPortForConnect},
      {.id = "kernel.bind.port.exhausted.connect_shares",
       .requirement = "connect(2) must pick a port that is connected to "
                      "another destination, but not one that is connected to "
                      "the same destination.",
       .source = "connect(2), EADDRNOTAVAIL; RFC 9293, section 3.1",
       .needs = Need::kOwnNetwork,
       .run = &ConnectSharesThePort},
      {.id = "kernel.bind.port.exhausted.connected_is_not_bound",
       .requirement =
           "bind(2) to port 0 must not pick the local port of a connection.",
       .source = "bind(2), EADDRINUSE",
       .needs = Need::kOwnNetwork,
       .run = &ConnectedPortIsNotBound},
      {.id = "kernel.bind.port.exhausted.other_address",
       .requirement = "bind(2) to port 0 must be able to pick a port that is "
                      "bound on another address.",
       .source = "ip(7), Address format",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &OtherAddressHasItsOwn},
      {.id = "kernel.bind.port.exhausted.reuseaddr",
       .requirement = "bind(2) to port 0 must not pick a port that another "
                      "socket is bound to, even if both have SO_REUSEADDR.",
       .source = "ip-sysctl, ip_autobind_reuse",
       .needs = Need::kOwnNetwork,
       .run =
           [](Context& c) {
             ExpectSharedPortZero(c, SO_REUSEADDR, EADDRINUSE);
           }},
      {.id = "kernel.bind.port.exhausted.reuseport",
       .requirement = "bind(2) to port 0 must not pick a port that another "
                      "socket is bound to, even if both have SO_REUSEPORT.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run =
           [](Context& c) {
             ExpectSharedPortZero(c, SO_REUSEPORT, EADDRINUSE);
           }},
  };
  return cases;
}

}  // namespace net::conformance
