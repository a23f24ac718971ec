#include "fakes/differential/streams.h"

#include <cstddef>
#include <optional>

#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::differential {
namespace {

constexpr ip::Endpoint kClient = {ip::kLocalV4, 40000};
constexpr ip::Endpoint kServer = {ip::kLocalV4, 80};

TEST(StreamsTest, TheEndsOfAConnectionMeet) {
  Streams streams;
  const End client = streams.Connected(kClient, kServer);
  const End server = streams.Accepted(kServer, kClient);
  ASSERT_TRUE(server.known());
  EXPECT_EQ(&client.out(), &server.in());
  EXPECT_EQ(&client.in(), &server.out());
  EXPECT_NE(&client.in(), &client.out());
}

TEST(StreamsTest, MappedAddressesAreThoseOfIpv4) {
  Streams streams;
  const End client = streams.Connected({ip::kLocalV4.Mapped(), 40000},
                                       {ip::kLocalV4.Mapped(), 80});
  EXPECT_EQ(&streams.Accepted(kServer, kClient).in(), &client.out());
}

TEST(StreamsTest, ASocketMayMeetItself) {
  Streams streams;
  const End end = streams.Connected(kServer, kServer);
  EXPECT_EQ(&end.in(), &end.out());
  EXPECT_FALSE(streams.Accepted(kServer, kServer).known());
}

TEST(StreamsTest, WithoutANameItIsTheOneThatHasWaitedLongest) {
  Streams streams;
  const End first = streams.Connected(kClient, kServer);
  const End second = streams.Connected({ip::kLocalV4, 40001}, kServer);
  EXPECT_EQ(&streams.Accepted(kServer, std::nullopt).in(), &first.out());
  EXPECT_EQ(&streams.Accepted(kServer, std::nullopt).in(), &second.out());
  EXPECT_FALSE(streams.Accepted(kServer, std::nullopt).known());
}

TEST(StreamsTest, NobodyConnectedFromThere) {
  Streams streams;
  EXPECT_FALSE(streams.Accepted(kServer, kClient).known());
}

TEST(StreamsTest, RecordsWhichSocketsHaveMet) {
  Streams streams;
  static_cast<void>(streams.Connected(kClient, kServer));
  EXPECT_TRUE(streams.HaveMet(40000, 80));
  EXPECT_FALSE(streams.HaveMet(80, 40000));
  EXPECT_FALSE(streams.HaveMet(40000, 81));
}

TEST(StreamsTest, RecordsWhichPortsMayBeFreeAgain) {
  Streams streams;
  const End client = streams.Connected(kClient, kServer);
  client.out().finished = true;
  EXPECT_FALSE(streams.MayHaveEnded(80));
  client.out().uncertain = true;
  EXPECT_TRUE(streams.MayHaveEnded(80));
  EXPECT_TRUE(streams.MayHaveEnded(40000));
  EXPECT_FALSE(streams.MayHaveEnded(81));
  client.out() = {};
  client.in().torn = true;
  EXPECT_TRUE(streams.MayHaveEnded(80));
}

TEST(PayloadTest, IsKnownByPosition) {
  Direction direction;
  const auto whole = Payload(direction, 0, kMostBytes);
  ASSERT_EQ(whole.size(), kMostBytes);
  EXPECT_EQ(Payload(direction, 1000, 10), whole.substr(1000, 10));
  EXPECT_EQ(Payload(direction, 100000, 10), whole.substr(100000, 10));
}

TEST(PayloadTest, DiffersBetweenDirections) {
  Direction one;
  Direction other;
  other.seed = 1;
  EXPECT_NE(Payload(one, 0, 10), Payload(other, 0, 10));
}

}  // namespace
}  // namespace net::differential
