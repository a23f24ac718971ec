#include "conformance/loopback/peers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <string>

#include "absl/types/span.h"
#include "conformance/loopback/connection.h"
#include "conformance/loopback/fixture.h"
#include "conformance/loopback/raw_socket.h"
#include "conformance/loopback/transfer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net::loopback {
namespace {

using ::testing::Eq;
using ::testing::Ne;

using PeersTest = LoopbackTest;
INSTANTIATE_TEST_SUITE_P(BothFamilies, PeersTest, BothFamilies(), FamilyName);

TEST_P(PeersTest, DribblesOneByteAStep) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  const std::string payload("a\0b", 3);
  Dribbler dribbler(pair->server, payload);
  std::string buffer(8, '?');
  for (size_t i = 0; i < payload.size(); ++i) {
    EXPECT_FALSE(dribbler.done());
    EXPECT_EQ(dribbler.sent(), i);
    ASSERT_THAT(dribbler.Step(), IsOk());
    ASSERT_THAT(pair->client.Recv(absl::MakeSpan(buffer)), IsOkAndHolds(Eq(1)));
    EXPECT_EQ(buffer[0], payload[i]);
  }
  EXPECT_TRUE(dribbler.done());
  EXPECT_THAT(pair->server.Option(IPPROTO_TCP, TCP_NODELAY),
              IsOkAndHolds(Ne(0)));
}

TEST_P(PeersTest, ADribblerThatIsDoneSendsNoMore) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  Dribbler nothing(pair->server, "");
  EXPECT_TRUE(nothing.done());
  ASSERT_THAT(nothing.Step(), IsOk());
  Dribbler dribbler(pair->server, "x");
  ASSERT_THAT(dribbler.Step(), IsOk());
  ASSERT_THAT(dribbler.Step(), IsOk());
  ASSERT_THAT(pair->server.HalfClose(), IsOk());
  EXPECT_THAT(RecvUntilEof(pair->client), IsOkAndHolds(Eq("x")));
}

TEST_P(PeersTest, ADribblerReportsThePeersReset) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  Dribbler dribbler(pair->server, "ab");
  ASSERT_THAT(dribbler.Step(), IsOk());
  ASSERT_THAT(pair->client.Reset(), IsOk());
  EXPECT_THAT(dribbler.Step(), IsErrno(ECONNRESET));
  EXPECT_EQ(dribbler.sent(), 1u);
}

TEST_P(PeersTest, ClosingWithUnreadDataResets) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(pair->client.Send("request"), IsOk());
  ASSERT_THAT(CloseWithUnreadData(pair->server), IsOk());
  EXPECT_FALSE(pair->server.is_open());
  EXPECT_THAT(RecvUntilEof(pair->client), IsErrno(ECONNRESET));
}

TEST_P(PeersTest, WithoutUnreadDataThereIsNoResetToBeHad) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(pair->client.HalfClose(), IsOk());
  EXPECT_THAT(CloseWithUnreadData(pair->server), IsErrno(ENODATA));
  EXPECT_TRUE(pair->server.is_open());
}

}  // namespace
}  // namespace net::loopback
