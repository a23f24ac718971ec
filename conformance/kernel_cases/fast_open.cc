// MSG_FASTOPEN of TCP Fast Open (RFC 7413).

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/fast_open_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::RawSocket;

void Disabled(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "0");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "x"),
              IsErrno(EOPNOTSUPP));
  EXPECT_THAT(client.Send("x", MSG_FASTOPEN), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(SetTcp(client, TCP_FASTOPEN_CONNECT, 1), IsErrno(EOPNOTSUPP));
  ExpectNothingQueued(listener);
}

void Blocking(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "hello"),
              IsOkAndHolds(5));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_ESTABLISHED}));
  ExpectAccepted(listener, "hello");
}

void Nonblocking(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "hello"),
              IsErrno(EINPROGRESS));
  EXPECT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "again"),
              IsOkAndHolds(5));
  ExpectAccepted(listener, "again");
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "x"), IsErrno(EISCONN));
}

void WithoutName(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(client.Send("x", MSG_FASTOPEN), IsErrno(EINVAL));
}

void OnOthers(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  EXPECT_THAT(SendFastOpen(listener.socket(), listener.endpoint(), "x"),
              IsErrno(EISCONN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "x"), IsErrno(EISCONN));
  EXPECT_THAT(client.Send("x", MSG_FASTOPEN), IsErrno(EISCONN));
}

void BlockingRefused(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "1");
  RawSocket holder;
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint refused, RefusedEndpoint(c, holder));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(SendFastOpen(client, refused, "x"), IsErrno(ECONNREFUSED));
}

void WithCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "hello"),
              IsOkAndHolds(5));
  ExpectAccepted(listener, "hello");
}

void WithoutCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "hello"),
              IsErrno(EINPROGRESS));
}

// The system allows it, but not this listener.
void ListenerWithoutCookies(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "3");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
    EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "hello"),
                IsErrno(EINPROGRESS));
    ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  }
}

void AgainUnderWay(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_THAT(
      SendFastOpen(connecting.client, connecting.queue.endpoint(), "hello"),
      IsErrno(EALREADY));
}

void MuchWithCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(
      SendFastOpen(client, listener.endpoint(), std::string(100'000, 'x')),
      IsOkAndHolds(32768));
  ASSERT_OK_AND_ASSIGN(const RawSocket blocking, NewTcp(c));
  EXPECT_THAT(
      SendFastOpen(blocking, listener.endpoint(), std::string(100'000, 'x')),
      IsOkAndHolds(100'000));
}

void RefusedWithCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  RawSocket holder;
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint refused, RefusedEndpoint(c, holder));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendFastOpen(client, refused, "hello"), IsOkAndHolds(5));
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(ECONNREFUSED));
}

void NoCookieNeeded(Context& c) {
  c.env().SetSysctl(kFastOpenSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(SetTcp(client, TCP_FASTOPEN_NO_COOKIE, 1), IsOk());
  EXPECT_THAT(SendFastOpen(client, listener.endpoint(), "hello"),
              IsOkAndHolds(5));
  ASSERT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("hello"));
}

}  // namespace

const std::vector<Case>& FastOpenKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.fast_open.disabled",
       .requirement = "MSG_FASTOPEN and TCP_FASTOPEN_CONNECT must fail with "
                      "EOPNOTSUPP if net.ipv4.tcp_fastopen does not enable "
                      "clients.",
       .source = "tcp(7), TCP_FASTOPEN_CONNECT; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &Disabled},
      {.id = "kernel.fast_open.blocking",
       .requirement =
           "sendmsg(2) with MSG_FASTOPEN and a name must connect and "
           "send.",
       .source = "RFC 7413, appendix A; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &Blocking},
      {.id = "kernel.fast_open.nonblocking",
       .requirement = "A non-blocking sendmsg(2) with MSG_FASTOPEN must fail "
                      "with EINPROGRESS without a cookie; a second one must "
                      "send, and a third one fail with EISCONN.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &Nonblocking},
      {.id = "kernel.fast_open.no_name",
       .requirement = "MSG_FASTOPEN on a new socket must fail with EINVAL "
                      "without a name.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &WithoutName},
      {.id = "kernel.fast_open.others",
       .requirement =
           "MSG_FASTOPEN must fail with EISCONN on a listener and on "
           "a connected socket.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &OnOthers},
      {.id = "kernel.fast_open.refused",
       .requirement =
           "sendmsg(2) with MSG_FASTOPEN must fail with ECONNREFUSED "
           "if nobody listens.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &BlockingRefused},
      {.id = "kernel.fast_open.cookie",
       .requirement =
           "With the server's cookie, a non-blocking sendmsg(2) with "
           "MSG_FASTOPEN must send its data with the SYN.",
       .source = "RFC 7413, section 3",
       .needs = Need::kOwnNetwork,
       .run = &WithCookie},
      {.id = "kernel.fast_open.first",
       .requirement = "The first client of a server must have no cookie.",
       .source = "RFC 7413, section 3",
       .needs = Need::kOwnNetwork,
       .run = &WithoutCookie},
      {.id = "kernel.fast_open.listener",
       .requirement =
           "A listener without TCP_FASTOPEN must give no cookie, even if "
           "net.ipv4.tcp_fastopen enables servers.",
       .source = "tcp(7), TCP_FASTOPEN; Linux, "
                 "Documentation/networking/ip-sysctl.rst, tcp_fastopen",
       .needs = Need::kOwnNetwork,
       .run = &ListenerWithoutCookies},
      {.id = "kernel.fast_open.already",
       .requirement = "A non-blocking send with MSG_FASTOPEN must fail with "
                      "EALREADY while the connection is in progress.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &AgainUnderWay},
      {.id = "kernel.fast_open.much",
       .requirement = "A SYN must take at most a segment of data; a blocking "
                      "sendmsg(2) must send the rest after it.",
       .source = "RFC 7413, section 4.2.1; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &MuchWithCookie},
      {.id = "kernel.fast_open.refused.cookie",
       .requirement = "A non-blocking sendmsg(2) that has sent data with a SYN "
                      "must return its size, and leave ECONNREFUSED pending if "
                      "nobody listens.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &RefusedWithCookie},
      {.id = "kernel.fast_open.no_cookie",
       .requirement =
           "With TCP_FASTOPEN_NO_COOKIE a client must send data with "
           "the SYN without a cookie; a server without Fast Open "
           "must get the data after the handshake.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &NoCookieNeeded},
  };
  return cases;
}

}  // namespace net::conformance
