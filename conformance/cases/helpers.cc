#include "conformance/cases/helpers.h"

#include <cerrno>

#include "conformance/case_matchers.h"
#include "conformance/context.h"
#include "conformance/loopback/loopback.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/endpoint.h"
#include "syscalls/matchers.h"

namespace net::conformance {

using loopback::ConnectTo;
using loopback::RawSocket;

void ExpectTakes(Context& c, const Sock& listener, const ip::Endpoint& at) {
  ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  // That the two are ends of one connection is seen by what comes through.
  ASSERT_THAT(loopback::SendAll(client, "x"), IsOk());
  EXPECT_THAT(server.RecvExactly(1), IsOkAndHolds("x"));
  // A reset leaves nothing in TIME_WAIT that would hold on to the port.
  EXPECT_THAT(client.Reset(), IsOk());
}

void ExpectRefused(Context& c, const ip::Endpoint& at) {
  EXPECT_THAT(ConnectTo(c.sys(), at), IsErrno(ECONNREFUSED));
}

}  // namespace net::conformance
