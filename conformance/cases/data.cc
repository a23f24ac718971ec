// Data arrives complete and in order, in both directions.

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using ::testing::Ge;

constexpr size_t kLarge = size_t{8} << 20;

// The peer's buffer sizes in bytes. The receive buffer is smaller than one
// segment over loopback, so the receive window closes and opens all the time.
// (A smaller send buffer would make each transfer wait for delayed
// acknowledgements.)
constexpr int kTinyReceiveBuffer = 16384;
constexpr int kTinySendBuffer = 65536;

// Returns bytes in which no sequence repeats, and which differ for each seed.
std::string Noise(size_t size, uint64_t seed) {
  std::string noise(size, '\0');
  uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
  for (char& byte : noise) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(state >> 56);
  }
  return noise;
}

// Returns the FNV-1a hash, which depends on the order of the bytes.
uint64_t Checksum(absl::string_view data) {
  uint64_t sum = 0xcbf29ce484222325U;
  for (const char byte : data) {
    sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }
  return sum;
}

// Compares sizes and checksums, so that a failure does not print megabytes.
void ExpectSame(absl::string_view received, absl::string_view sent) {
  EXPECT_EQ(received.size(), sent.size());
  EXPECT_EQ(Checksum(received), Checksum(sent));
}

void Echo(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(at));
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  ASSERT_THAT(client.SendAll("there"), IsOk());
  EXPECT_THAT(server.RecvExactly(5), IsOkAndHolds("there"));
  ASSERT_THAT(server.SendAll("and back"), IsOk());
  EXPECT_THAT(client.RecvExactly(8), IsOkAndHolds("and back"));
}

void EveryByteValue(Context& c) {
  std::string bytes;
  for (int value = 0; value < 256; ++value) {
    bytes.push_back(static_cast<char>(value));
  }
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.SendAll(bytes), IsOk());
  EXPECT_THAT(loopback::RecvExactly(end.peer, 256), IsOkAndHolds(bytes));
  ASSERT_THAT(loopback::SendAll(end.peer, bytes), IsOk());
  EXPECT_THAT(end.sock.RecvExactly(256), IsOkAndHolds(bytes));
}

void ConnectionsApart(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected one, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(Connected other, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(one.peer, "for one"), IsOk());
  ASSERT_THAT(loopback::SendAll(other.peer, "for other"), IsOk());
  EXPECT_THAT(other.sock.RecvExactly(9), IsOkAndHolds("for other"));
  EXPECT_THAT(one.sock.RecvExactly(7), IsOkAndHolds("for one"));
  ASSERT_THAT(other.sock.SendAll("of other"), IsOk());
  ASSERT_THAT(one.sock.SendAll("of one"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(one.peer, 6), IsOkAndHolds("of one"));
  EXPECT_THAT(loopback::RecvExactly(other.peer, 8), IsOkAndHolds("of other"));
}

void SendNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  EXPECT_THAT(end.sock.Send(""), IsOkAndHolds(0U));
  // A stream has no empty message: the peer receives the next byte, not the end
  // of the stream.
  ASSERT_THAT(end.sock.Send("x"), IsOkAndHolds(1U));
  EXPECT_THAT(loopback::RecvExactly(end.peer, 1), IsOkAndHolds("x"));
}

void SendTellsHowMany(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  EXPECT_THAT(end.sock.Send("seven b"), IsOkAndHolds(7U));
  EXPECT_THAT(loopback::RecvExactly(end.peer, 7), IsOkAndHolds("seven b"));
}

void RecvWhatIsThere(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(end.peer, "a little"), IsOk());
  EXPECT_THAT(RecvOnce(end.sock, /*room=*/65536), IsOkAndHolds("a little"));
}

void RecvPart(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(end.peer, "abcdefgh"), IsOk());
  EXPECT_THAT(RecvOnce(end.sock, /*room=*/3), IsOkAndHolds("abc"));
  EXPECT_THAT(RecvOnce(end.sock, /*room=*/3), IsOkAndHolds("def"));
  EXPECT_THAT(RecvOnce(end.sock, /*room=*/3), IsOkAndHolds("gh"));
}

void RecvLeavesRestOfBuffer(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(end.peer, "new"), IsOk());
  std::string buffer = "untouched";
  EXPECT_THAT(end.sock.Recv(absl::MakeSpan(buffer)), IsOkAndHolds(3U));
  EXPECT_EQ(buffer, "newouched");
}

void Dribbled(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, AcceptPeer(c));
  const std::string payload = "one byte at a time";
  loopback::Dribbler dribbler(end.peer, payload);
  std::string received;
  while (!dribbler.done()) {
    ASSERT_THAT(dribbler.Step(), IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string some, RecvOnce(end.sock));
    EXPECT_EQ(some.size(), 1U);
    received += some;
  }
  EXPECT_EQ(received, payload);
}

void QueuedBeforeAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket client,
                       loopback::ConnectTo(c.sys(), at));
  ASSERT_THAT(loopback::SendAll(client, "early"), IsOk());
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  EXPECT_THAT(server.RecvExactly(5), IsOkAndHolds("early"));
}

// Connects to a peer with tiny buffers.
Result<Connected> ConnectToNarrowPeer(Context& c) {
  Result<Connected> end =
      ConnectToPeer(c, {}, {.receive_buffer = kTinyReceiveBuffer});
  if (!end.ok()) return end;
  const SysResult set =
      end->peer.SetOption(SOL_SOCKET, SO_SNDBUF, kTinySendBuffer);
  if (!set.ok()) return Error{.text = "setsockopt SO_SNDBUF"};
  return end;
}

// The peer's side of a transfer, in a task. Read `received` and `status` after
// Join().
struct PeerReceiver {
  PeerReceiver(Context& c, const loopback::RawSocket& peer)
      : task(c.env().Start(
            [this, &peer] { received = loopback::RecvUntilEof(peer); })) {}

  absl::StatusOr<std::string> received = std::string();
  std::unique_ptr<Task> task;
};
struct PeerSender {
  PeerSender(Context& c, const loopback::RawSocket& peer,
             absl::string_view data)
      : task(c.env().Start([this, &peer, data] {
          status = loopback::SendAll(peer, data);
          if (status.ok() && !peer.HalfClose().ok()) {
            status = absl::UnknownError("shutdown");
          }
        })) {}

  absl::Status status;
  std::unique_ptr<Task> task;
};

void LargeSent(Context& c) {
  const std::string data = Noise(kLarge, 1);
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToNarrowPeer(c));
  PeerReceiver receiver(c, end.peer);
  ASSERT_THAT(end.sock.SendAll(data), IsOk());
  ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
  receiver.task->Join();
  ASSERT_THAT(receiver.received, IsOk());
  ExpectSame(*receiver.received, data);
}

void LargeReceived(Context& c) {
  const std::string data = Noise(kLarge, 2);
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToNarrowPeer(c));
  PeerSender sender(c, end.peer, data);
  ASSERT_OK_AND_ASSIGN(const std::string received, end.sock.RecvUntilEnd());
  sender.task->Join();
  EXPECT_THAT(sender.status, IsOk());
  ExpectSame(received, data);
}

void LargeBothWays(Context& c) {
  const std::string there = Noise(kLarge, 3);
  const std::string back = Noise(kLarge, 4);
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToNarrowPeer(c));
  PeerReceiver receiver(c, end.peer);
  PeerSender sender(c, end.peer, back);
  Result<Done> sent = Error{.text = "SendAll has not returned"};
  const auto own_sender = c.env().Start([&] {
    sent = end.sock.SendAll(there);
    if (sent.ok()) sent = end.sock.Shutdown(SHUT_WR);
  });
  ASSERT_OK_AND_ASSIGN(const std::string received, end.sock.RecvUntilEnd());
  own_sender->Join();
  sender.task->Join();
  receiver.task->Join();
  EXPECT_THAT(sent, IsOk());
  EXPECT_THAT(sender.status, IsOk());
  ASSERT_THAT(receiver.received, IsOk());
  ExpectSame(received, back);
  ExpectSame(*receiver.received, there);
}

}  // namespace

const std::vector<Case>& DataCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "data.echo",
       .requirement = "Data that one end sends must be received by the other, "
                      "in both directions.",
       .source = "send(2) DESCRIPTION; recv(2) DESCRIPTION",
       .run = &Echo},
      {.id = "data.every_byte_value",
       .requirement = "Every value of a byte must arrive unchanged.",
       .source = "tcp(7) DESCRIPTION",
       .run = &EveryByteValue},
      {.id = "data.connections_apart",
       .requirement = "Data of one connection must not be received on another.",
       .source = "tcp(7) DESCRIPTION",
       .run = &ConnectionsApart},
      {.id = "data.send.nothing",
       .requirement =
           "Sending zero bytes must return 0 and leave the stream unchanged.",
       .source = "send(2) RETURN VALUE",
       .run = &SendNothing},
      {.id = "data.send.tells_how_many",
       .requirement = "Send must return how many bytes it took: all of them, "
                      "if there is room.",
       .source = "send(2) RETURN VALUE",
       .run = &SendTellsHowMany},
      {.id = "data.recv.what_is_there",
       .requirement = "Recv must return the available data without waiting "
                      "until the buffer is full.",
       .source = "recv(2) DESCRIPTION",
       .run = &RecvWhatIsThere},
      {.id = "data.recv.part",
       .requirement = "Data that does not fit into the buffer must be returned "
                      "by the next Recv.",
       .source = "recv(2) DESCRIPTION; tcp(7) DESCRIPTION",
       .run = &RecvPart},
      {.id = "data.recv.rest_of_buffer",
       .requirement = "Recv must not write beyond the bytes that it received.",
       .source = "recv(2) DESCRIPTION",
       .level = Level::kShould,
       .run = &RecvLeavesRestOfBuffer},
      {.id = "data.dribble",
       .requirement = "Each byte must be received when it arrives, if the peer "
                      "sends one byte at a time.",
       .source = "recv(2) DESCRIPTION",
       .run = &Dribbled},
      {.id = "data.before_accept",
       .requirement = "Data that arrived before the connection was accepted "
                      "must be received.",
       .source = "accept(2) DESCRIPTION; RFC 9293 section 3.10.4",
       .run = &QueuedBeforeAccept},
      {.id = "data.large.sent",
       .requirement = "8 MiB sent to a peer with tiny buffers must arrive "
                      "complete and in order.",
       .source = "tcp(7) DESCRIPTION",
       .run = &LargeSent},
      {.id = "data.large.received",
       .requirement = "8 MiB from a peer with tiny buffers must be received "
                      "complete and in order.",
       .source = "tcp(7) DESCRIPTION",
       .run = &LargeReceived},
      {.id = "data.large.both_ways",
       .requirement = "8 MiB sent in each direction at the same time, through "
                      "tiny buffers, must arrive complete and in order.",
       .source = "tcp(7) DESCRIPTION",
       .run = &LargeBothWays},
  };
  return cases;
}

}  // namespace net::conformance
