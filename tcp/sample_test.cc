#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tcp/tcp.h"

// The sample of README.md, and a test of what it does.

// [sample]
absl::StatusOr<std::string> Greet() {
  namespace tcp = net::tcp;
  uint16_t port = 0;
  absl::StatusOr<net::Socket> listener = tcp::Listen(
      net::ip::kLocalV6, /*port=*/0,
      {tcp::ReuseAddr{}, tcp::Backlog{128}, tcp::PortAssignment{&port}});
  if (!listener.ok()) return listener.status();
  auto client = tcp::Connect(net::ip::kLocalV6, port, {tcp::KeepAlive{}});
  if (!client.ok()) return client.status();
  absl::StatusOr<net::Socket> server = tcp::Accept(*listener);
  if (!server.ok()) return server.status();
  std::cout << "connected to " << *tcp::PeerAddr(*client) << "\n";
  if (auto sent = server->SendAll("hello"); !sent.ok()) return sent.status;
  std::string greeting(64, '\0');
  absl::StatusOr<size_t> received = client->Recv(absl::MakeSpan(greeting));
  if (!received.ok()) return received.status();  // e.g. ECONNRESET
  return greeting.substr(0, *received);
}
// [/sample]

TEST(Sample, Greets) {
  const absl::StatusOr<std::string> greeting = Greet();
  if (net::ErrnoOf(greeting) == EADDRNOTAVAIL ||
      net::ErrnoOf(greeting) == EAFNOSUPPORT) {
    GTEST_SKIP() << "no IPv6 here: " << greeting.status();
  }
  ASSERT_TRUE(greeting.ok()) << greeting.status();
  EXPECT_EQ(*greeting, "hello");
}
