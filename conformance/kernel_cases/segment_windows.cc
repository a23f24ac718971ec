// The buffers of a connection, and the windows that they make.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/kernel_cases/times.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// ---- Buffers and windows ----------------------------------------------------

// Sends that do not block, until one is not taken. Returns what was taken.
absl::StatusOr<size_t> SendParts(const RawSocket& socket, size_t size) {
  const std::string part(size, 'x');
  size_t sent = 0;
  for (;;) {
    const SysResult result = socket.Send(part, MSG_DONTWAIT);
    if (!result.ok() && result.error() == EAGAIN) return sent;
    if (!result.ok()) return ErrnoError(result.error(), "send");
    sent += static_cast<size_t>(result.value());
  }
}

absl::StatusOr<size_t> ValueOf(SysResult sent) {
  if (!sent.ok()) return ErrnoError(sent.error(), "send");
  return static_cast<size_t>(sent.value());
}

// A connection of which the client's buffer is full.
struct Taken {
  Pair pair;
  size_t bytes;
  SysResult ready;  // The result of poll(2) for POLLOUT after that.
};

absl::StatusOr<Taken> TakenBy(
    Context& c, int mark,
    absl::FunctionRef<absl::StatusOr<size_t>(const RawSocket&)> send) {
  absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return pair.status();
  const SysResult set = SetTcp(pair->client, TCP_NOTSENT_LOWAT, mark);
  if (!set.ok()) return ErrnoError(set.error(), "setsockopt");
  const absl::StatusOr<size_t> bytes = send(pair->client);
  if (!bytes.ok()) return bytes.status();
  const SysResult ready = pair->client.Ready(POLLOUT);
  return Taken{*std::move(pair), *bytes, ready};
}

// Sets the mark on a new connection, and sends until no more is taken. (An
// acknowledgement that comes meanwhile lets more be taken.)
absl::StatusOr<Taken> TakenAtOnce(
    Context& c, int mark,
    absl::FunctionRef<absl::StatusOr<size_t>(const RawSocket&)> send) {
  std::optional<absl::StatusOr<Taken>> taken;
  Undisturbed(c, [&] { taken.emplace(TakenBy(c, mark, send)); });
  return *std::move(taken);
}

void UnsentLowWaterMark(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Taken taken,
                       TakenAtOnce(c, 1000, loopback::SendUntilFull));
  EXPECT_LT(taken.bytes, size_t{500000});
  EXPECT_THAT(taken.ready, IsOkAndHolds(0));
  ASSERT_THAT(SetTcp(taken.pair.client, TCP_NOTSENT_LOWAT, -1), IsOk());
  EXPECT_THAT(taken.pair.client.Ready(POLLOUT), IsOkAndHolds(POLLOUT));
}

void UnsentLowWaterMarkSends(Context& c) {
  const std::string part(20000, 'x');
  size_t sends = 0;
  const auto send_all = [&](const RawSocket& socket) -> absl::StatusOr<size_t> {
    size_t sent = 0;
    for (sends = 0; sends < 100 && socket.Ready(POLLOUT).value() == POLLOUT;
         ++sends) {
      const absl::StatusOr<size_t> taken =
          ValueOf(socket.Send(part, MSG_DONTWAIT));
      if (!taken.ok()) return taken.status();
      sent += *taken;
    }
    return sent;
  };
  ASSERT_OK_AND_ASSIGN(const Taken taken, TakenAtOnce(c, 1000, send_all));
  EXPECT_EQ(sends, 3U);
  EXPECT_EQ(taken.bytes, 60000U);
}

void UnsentLowWaterMarkBounds(Context& c) {
  struct Row {
    int mark;
    size_t of_64k, of_5000, of_2500, of_one;
  };
  constexpr size_t k64 = 65536;
  const std::string all(1 << 19, 'x');  // more than is taken
  const auto send_all = [&all](const RawSocket& socket) {
    return ValueOf(socket.Send(all, MSG_DONTWAIT));
  };
  // Smaller sends would be too many for Undisturbed() where calls are slow.
  for (const Row& row : {Row{1, 160768, 147520, 131256, 98223},
                         Row{1000, 160768, 147520, 131256, 98223},
                         Row{100000, 256000, 195000, 227512, 196446}}) {
    SCOPED_TRACE(row.mark);
    for (const auto& [size, sent] :
         {std::pair{k64, row.of_64k}, std::pair{size_t{5000}, row.of_5000},
          std::pair{size_t{2500}, row.of_2500}}) {
      ASSERT_OK_AND_ASSIGN(
          const Taken taken,
          TakenAtOnce(c, row.mark, [part = size](const RawSocket& socket) {
            return SendParts(socket, part);
          }));
      EXPECT_THAT(taken.bytes, IsAbout(sent));
      EXPECT_THAT(taken.ready, IsOkAndHolds(0));
    }
    ASSERT_OK_AND_ASSIGN(const Taken taken, TakenAtOnce(c, row.mark, send_all));
    EXPECT_THAT(taken.bytes, IsAbout(row.of_one));
  }
}

void UnsentLowWaterMarkAfterReading(Context& c) {
  constexpr size_t k64 = 65536;
  ASSERT_OK_AND_ASSIGN(const Taken taken,
                       TakenAtOnce(c, 1000, [](const RawSocket& socket) {
                         return SendParts(socket, k64);
                       }));
  EXPECT_THAT(taken.ready, IsOkAndHolds(0));
  for (size_t read = 0; read < k64;) {
    ASSERT_OK_AND_ASSIGN(const std::string part,
                         RecvOnce(taken.pair.server, k64 - read));
    read += part.size();
  }
  EXPECT_THAT(taken.pair.client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
}

// Only in a network of its own: what Linux remembers of earlier connections to
// this address (tcp_metrics) may let it send several pieces at once.
void SmallWindowArrivesInPieces(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVBUF, 1), IsOk());
  const std::string data(60000, 'x');
  ASSERT_THAT(pair.client.Send(data, MSG_DONTWAIT), IsOkAndHolds(60000));
  ASSERT_OK_AND_ASSIGN(const std::string first,
                       RecvOnce(pair.server, data.size()));
  EXPECT_THAT(first.size(), IsAbout(32741));
  constexpr size_t kPiece = 3072;
  constexpr size_t kPieces = 3;
  size_t received = 0;
  while (received < kPieces * kPiece * 3 / 4) {
    // On a busy machine, several pieces have come when it returns.
    ASSERT_OK_AND_ASSIGN(const std::string pieces,
                         RecvOnce(pair.server, data.size()));
    EXPECT_GE(pieces.size(), kPiece * 3 / 4);
    received += pieces.size();
  }
  ASSERT_OK_AND_ASSIGN(const tcp_info info,
                       OptionOf<tcp_info>(pair.client, IPPROTO_TCP, TCP_INFO));
  EXPECT_LE(received, info.tcpi_total_retrans * kPiece * 5 / 4);
}

void WindowIsNotTakenBack(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVBUF, 1), IsOk());
  const std::string data(30000, 'x');
  ASSERT_THAT(pair.client.Send(data), IsOkAndHolds(30000));
  EXPECT_THAT(RecvOnce(pair.server, data.size()), IsOkAndHolds(data));
}

}  // namespace

const std::vector<Case>& SegmentWindowsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.segments.notsent_lowat",
       .requirement = "With TCP_NOTSENT_LOWAT, POLLOUT must end while more "
                      "than that is unsent, and come back when it is raised.",
       .source = "<linux/tcp.h>; measured on Linux 6.18",
       .run = &UnsentLowWaterMark},
      {.id = "kernel.segments.notsent_lowat.sends",
       .requirement = "With TCP_NOTSENT_LOWAT 1000, POLLOUT must end after "
                      "three sends of 20000 bytes.",
       .source = "measured on Linux 6.18",
       .run = &UnsentLowWaterMarkSends},
      {.id = "kernel.segments.notsent_lowat.bounds",
       .requirement = "With TCP_NOTSENT_LOWAT, sends that do not block must "
                      "take little more than the first window and the mark.",
       .source = "<linux/tcp.h>; measured on Linux 6.18",
       .run = &UnsentLowWaterMarkBounds},
      {.id = "kernel.segments.notsent_lowat.read",
       .requirement = "With TCP_NOTSENT_LOWAT 1000, POLLOUT must come back "
                      "after the peer has read 64 KiB.",
       .source = "measured on Linux 6.18",
       .run = &UnsentLowWaterMarkAfterReading},
      {.id = "kernel.segments.small_window",
       .requirement = "After SO_RCVBUF was lowered, a segment that has no room "
                      "must be dropped, and the rest arrive in pieces of the "
                      "new window, one for each retransmission.",
       .source = "net/ipv4/tcp_input.c, tcp_data_queue(); measured on Linux "
                 "6.18",
       .needs = Need::kOwnNetwork,
       .run = &SmallWindowArrivesInPieces},
      {.id = "kernel.segments.window_not_taken_back",
       .requirement = "Lowering SO_RCVBUF must not take back the window that "
                      "was announced.",
       .source = "RFC 9293, section 3.8.6; measured on Linux 6.18",
       .run = &WindowIsNotTakenBack},
  };
  return cases;
}

}  // namespace net::conformance
