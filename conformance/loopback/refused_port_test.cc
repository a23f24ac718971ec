#include "conformance/loopback/refused_port.h"

#include <cerrno>
#include <utility>

#include "conformance/loopback/connection.h"
#include "conformance/loopback/fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

namespace net::loopback {
namespace {

using RefusedPortTest = LoopbackTest;
INSTANTIATE_TEST_SUITE_P(BothFamilies, RefusedPortTest, BothFamilies(),
                         FamilyName);

TEST_P(RefusedPortTest, RefusesEveryTime) {
  auto refused = RefusedPort::Reserve(sys(), family());
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->endpoint().addr, LoopbackAddr(family()));
  EXPECT_GT(refused->port(), 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(ConnectTo(sys(), refused->endpoint()), IsErrno(ECONNREFUSED));
  }
}

TEST_P(RefusedPortTest, NobodyElseCanListenThere) {
  auto refused = RefusedPort::Reserve(sys(), family());
  ASSERT_THAT(refused, IsOk());
  const ip::Endpoint here = refused->endpoint();
  EXPECT_THAT(ListenOn(sys(), here), IsErrno(EADDRINUSE));
  EXPECT_THAT(ListenOn(sys(), here, {.reuse_addr = true}), IsErrno(EADDRINUSE));
  EXPECT_THAT(ListenOn(sys(), here, {.reuse_port = true}), IsErrno(EADDRINUSE));
  const ip::Addr any = family() == AF_INET ? ip::kAnyV4 : ip::kAnyV6;
  EXPECT_THAT(ListenOn(sys(), {any, here.port}, {.reuse_addr = true}),
              IsErrno(EADDRINUSE));
}

TEST_P(RefusedPortTest, HoldsThePortAlsoWhenMoved) {
  auto refused = RefusedPort::Reserve(sys(), family());
  ASSERT_THAT(refused, IsOk());
  const RefusedPort moved = *std::move(refused);
  EXPECT_THAT(ListenOn(sys(), moved.endpoint()), IsErrno(EADDRINUSE));
  EXPECT_THAT(ConnectTo(sys(), moved.endpoint()), IsErrno(ECONNREFUSED));
}

}  // namespace
}  // namespace net::loopback
