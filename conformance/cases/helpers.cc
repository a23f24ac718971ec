#include "conformance/cases/helpers.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {

using loopback::ConnectTo;
using loopback::RawSocket;

std::vector<uint32_t> UnknownFlags() {
  constexpr uint32_t kKnown = SOCK_NONBLOCK | SOCK_CLOEXEC;
  std::vector<uint32_t> flags;
  for (uint32_t flag = 1U << 4; flag <= kUnknownFlag; flag <<= 1) {
    if ((flag & kKnown) == 0) flags.push_back(flag);
  }
  return flags;
}

void ExpectTakes(Context& c, const Sock& listener, const ip::Endpoint& at) {
  ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  // The data shows that the two sockets are the ends of one connection.
  ASSERT_THAT(loopback::SendAll(client, "x"), IsOk());
  EXPECT_THAT(server.RecvExactly(1), IsOkAndHolds("x"));
  // A reset leaves no connection in TIME-WAIT, which would keep the port in
  // use.
  EXPECT_THAT(client.Reset(), IsOk());
}

void ExpectRefused(Context& c, const ip::Endpoint& at) {
  EXPECT_THAT(ConnectTo(c.sys(), at), IsErrno(ECONNREFUSED));
}

void ExpectBlocking(Context& c, const Witness& witness) {
  ASSERT_OK_AND_ASSIGN(const bool nonblocking, witness.Nonblocking());
  if (nonblocking) c.Variation("nonblocking_descriptor");
}

void ExpectNoKeepAlive(Context& c, const Witness& witness) {
  ASSERT_OK_AND_ASSIGN(const int keepalive,
                       witness.Option(SOL_SOCKET, SO_KEEPALIVE));
  if (keepalive != 0) c.Variation("keepalive_by_default");
}

void ExpectMapped(Context& c, const ip::Endpoint& told,
                  const ip::Endpoint& mapped) {
  if (told == ip::Endpoint{mapped.addr.Unmapped(), mapped.port}) {
    return c.Variation("as_ipv4");
  }
  EXPECT_EQ(told, mapped);
}

}  // namespace net::conformance
