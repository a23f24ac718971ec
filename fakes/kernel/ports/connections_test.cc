#include "fakes/kernel/ports/connections.h"

#include <cstdint>
#include <deque>
#include <ostream>

#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

void PrintTo(const FourTuple& tuple, std::ostream* os) {
  *os << tuple.local << " -> " << tuple.remote;
}

namespace {

class End final : public ConnectionEnd {};

FourTuple Tuple(const ip::Addr& addr, uint16_t local, uint16_t remote) {
  return {.local = {addr, local}, .remote = {addr, remote}};
}

TEST(Connections, AnEndIsFoundByItsTuple) {
  ConnectionTable table;
  End end;
  table.Insert(end, Tuple(ip::kLocalV4, 1000, 80));
  EXPECT_EQ(table.Find(Tuple(ip::kLocalV4, 1000, 80)), &end);
  EXPECT_EQ(end.tuple(), Tuple(ip::kLocalV4, 1000, 80));
  EXPECT_TRUE(end.in_table());
  table.Remove(end);
}

TEST(Connections, AllFourCount) {
  ConnectionTable table;
  End end;
  table.Insert(end, Tuple(ip::kLocalV4, 1000, 80));
  FourTuple other = Tuple(ip::kLocalV4, 1000, 80);
  other.local.addr = ip::Addr::V4(127, 0, 0, 2);
  EXPECT_EQ(table.Find(other), nullptr);
  other = Tuple(ip::kLocalV4, 1000, 80);
  other.remote.addr = ip::Addr::V4(127, 0, 0, 2);
  EXPECT_EQ(table.Find(other), nullptr);
  EXPECT_EQ(table.Find(Tuple(ip::kLocalV4, 1001, 80)), nullptr);
  EXPECT_EQ(table.Find(Tuple(ip::kLocalV4, 1000, 81)), nullptr);
  EXPECT_EQ(table.Find(Tuple(ip::kLocalV6, 1000, 80)), nullptr);
  table.Remove(end);
}

TEST(Connections, TheTwoEndsAreMirrored) {
  const FourTuple tuple = Tuple(ip::kLocalV6, 1000, 80);
  EXPECT_EQ(tuple.Mirrored(), Tuple(ip::kLocalV6, 80, 1000));
  EXPECT_EQ(tuple.Mirrored().Mirrored(), tuple);
  ConnectionTable table;
  End client;
  End server;
  table.Insert(client, tuple);
  table.Insert(server, tuple.Mirrored());
  EXPECT_EQ(table.Find(tuple), &client);
  EXPECT_EQ(table.Find(tuple.Mirrored()), &server);
  table.Remove(client);
  table.Remove(server);
}

TEST(Connections, AnEndFindsItsPeer) {
  ConnectionTable table;
  End client;
  End server;
  const FourTuple tuple = Tuple(ip::kLocalV4, 1000, 80);
  table.Insert(client, tuple);
  EXPECT_EQ(table.FindPeer(client), nullptr);
  table.Insert(server, tuple.Mirrored());
  EXPECT_EQ(table.FindPeer(client), &server);
  EXPECT_EQ(table.FindPeer(server), &client);
  // A segment of an end can arrive when the end is gone.
  table.Remove(client);
  EXPECT_EQ(table.FindPeer(client), &server);
  table.Remove(server);
  EXPECT_EQ(table.FindPeer(client), nullptr);
}

TEST(Connections, ASocketMayBeBothEnds) {
  ConnectionTable table;
  End end;
  const FourTuple tuple = Tuple(ip::kLocalV4, 80, 80);
  table.Insert(end, tuple);
  EXPECT_EQ(table.Find(tuple.Mirrored()), &end);
  EXPECT_EQ(table.FindPeer(end), &end);
  table.Remove(end);
}

TEST(Connections, WhatWasRemovedIsNotThere) {
  ConnectionTable table;
  End end;
  const FourTuple tuple = Tuple(ip::kLocalV4, 1000, 80);
  table.Remove(end);  // It is not in the table.
  table.Insert(end, tuple);
  table.Remove(end);
  EXPECT_FALSE(end.in_table());
  EXPECT_EQ(table.Find(tuple), nullptr);
  table.Insert(end, tuple.Mirrored());
  EXPECT_EQ(table.Find(tuple.Mirrored()), &end);
  table.Remove(end);
}

// Both ends of a connection have the same hash, but are different entries.
TEST(Connections, OneEndAloneIsFound) {
  ConnectionTable table;
  End server;
  const FourTuple tuple = Tuple(ip::kLocalV4, 1000, 80);
  table.Insert(server, tuple.Mirrored());
  EXPECT_EQ(table.Find(tuple), nullptr);
  EXPECT_EQ(table.Find(tuple.Mirrored()), &server);
  table.Remove(server);
}

TEST(Connections, ManyAreToldApart) {
  ConnectionTable table;
  std::deque<End> ends(60000);
  uint16_t port = 0;
  for (End& end : ends) table.Insert(end, Tuple(ip::kLocalV4, ++port, 80));
  EXPECT_EQ(table.size(), ends.size());
  port = 0;
  for (End& end : ends) {
    ASSERT_EQ(table.Find(Tuple(ip::kLocalV4, ++port, 80)), &end);
  }
  for (End& end : ends) table.Remove(end);
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace net::fake
