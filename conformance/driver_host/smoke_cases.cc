#include "conformance/driver_host/smoke_cases.h"

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/implementation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

constexpr absl::string_view kSource = "conformance/drivers/PROTOCOL.md";

// The runner sends hello before this case and reset after it.
void Greets(Context& c) { static_cast<void>(c); }

void Listens(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock socket, c.Listen());
}

void TellsItsPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, listener.LocalAddr());
  EXPECT_EQ(local.addr, c.Loopback());
  EXPECT_NE(local.port, 0);
}

// A connection of the driver with itself. No operation blocks.
struct Pair {
  Sock listener;
  Sock client;
  Sock server;
};
Result<Pair> MakePair(Context& c) {
  Pair pair;
  Result<Sock> listener = c.Listen();
  if (!listener.ok()) return listener.As<Pair>();
  const Result<ip::Endpoint> local = listener->LocalEndpoint();
  if (!local.ok()) return local.As<Pair>();
  Result<Sock> client = c.Connect(*local);
  if (!client.ok()) return client.As<Pair>();
  Result<Sock> server = listener->Accept();
  if (!server.ok()) return server.As<Pair>();
  return Pair{.listener = *std::move(listener),
              .client = *std::move(client),
              .server = *std::move(server)};
}

void Connects(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, MakePair(c));
}

void TellsBothEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, MakePair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, pair.client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const auto peer, pair.server.PeerAddr());
  EXPECT_EQ(peer, std::optional(local));
}

void CarriesData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, MakePair(c));
  ASSERT_THAT(pair.client.SendAll("hello"), IsOk());
  EXPECT_THAT(pair.server.RecvExactly(5), IsOkAndHolds("hello"));
}

void CarriesEveryByte(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, MakePair(c));
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  ASSERT_THAT(pair.client.SendAll(all), IsOk());
  EXPECT_THAT(pair.server.RecvExactly(all.size()), IsOkAndHolds(all));
}

void SeesTheEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, MakePair(c));
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(pair.server.RecvUntilEnd(), IsOkAndHolds(""));
}

void ReportsErrors(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::RefusedPort refused,
                       loopback::RefusedPort::Reserve(c.sys(), c.family()));
  EXPECT_THAT(c.Connect(refused.endpoint()), Fails(ECONNREFUSED));
}

void SurvivesErrors(Context& c) {
  ReportsErrors(c);
  ASSERT_OK_AND_ASSIGN(const Pair pair, MakePair(c));
}

void HoldsManySockets(Context& c) {
  std::vector<Sock> listeners;
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
    listeners.push_back(std::move(listener));
  }
}

// Sockets that were not closed show at reset, their descriptors in the ledger.
void Closes(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, MakePair(c));
  ASSERT_THAT(pair.client.Close(), IsOk());
  ASSERT_THAT(pair.server.Close(), IsOk());
  ASSERT_THAT(pair.listener.Close(), IsOk());
}

constexpr Case Smoke(absl::string_view id, absl::string_view requirement,
                     void (*run)(Context&), Level level = Level::kMust) {
  return {.id = id,
          .requirement = requirement,
          .source = kSource,
          .level = level,
          .families = AddressFamilies::kV4,
          .run = run};
}

constexpr Case kCases[] = {
    Smoke("driver.hello", "A driver must answer `hello` and `reset`.", Greets),
    Smoke("driver.listen", "A driver must listen.", Listens),
    Smoke("driver.localaddr",
          "A driver that supports `localaddr` must return the listener's "
          "address.",
          TellsItsPort, Level::kShould),
    Smoke("driver.connect", "A driver must connect and accept.", Connects),
    Smoke("driver.peeraddr", "A driver must return the peer's address.",
          TellsBothEnds),
    Smoke("driver.data", "A driver must send and receive.", CarriesData),
    Smoke("driver.bytes", "A driver must carry every byte as it is.",
          CarriesEveryByte),
    Smoke("driver.end", "A driver must report the end of a stream.",
          SeesTheEnd),
    Smoke("driver.error",
          "A driver must report a refused connection as ECONNREFUSED "
          "or `refused`.",
          ReportsErrors),
    Smoke("driver.after_error", "A driver must still work after an error.",
          SurvivesErrors),
    Smoke("driver.many", "A driver must hold 20 sockets at once.",
          HoldsManySockets),
    Smoke("driver.close", "A driver must close the sockets that `close` names.",
          Closes),
};

}  // namespace

absl::Span<const Case> SmokeCases() { return kCases; }

}  // namespace net::conformance
