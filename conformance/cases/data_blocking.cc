// Send and Recv that block, that must not block, and that are woken.

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"

namespace net::conformance {
namespace {

using ::testing::AnyOf;
using ::testing::Gt;

// More bytes than any buffers hold.
constexpr size_t kTooMuch = size_t{32} << 20;

// The maximum number of attempts for a case whose Send may find room although
// the peer does not read: after 200 ms, a receive window that is smaller than a
// segment is probed with data (RFC 9293, section 3.8.6.1). Each attempt has a
// connection of its own.
constexpr int kAttempts = 5;

// The receive buffer of a peer that stalls, in bytes. It is full soon.
constexpr int kSmallBuffer = 65536;

// A Recv in a task. Read `result` after Join().
struct BlockedRecv {
  BlockedRecv(Context& c, const Sock& socket)
      : task(c.env().Start([this, &socket] { result = RecvOnce(socket); })) {}

  Result<std::string> result = Error{.text = "has not returned"};
  std::unique_ptr<Task> task;
};

// A Send of `size` bytes in a task. Read `result` after Join().
struct BlockedSend {
  BlockedSend(Context& c, const Sock& socket, size_t size)
      : data(size, '#'),
        task(c.env().Start([this, &socket] { result = socket.Send(data); })) {}

  const std::string data;
  Result<size_t> result = Error{.text = "has not returned"};
  std::unique_ptr<Task> task;
};

// Sends one chunk after the other in a task until `stop` is set, and then ends
// the stream, so that the reader can count the bytes. Read `sent`, `last` and
// `ended` after Join().
struct BlockedSends {
  BlockedSends(Context& c, const Sock& socket)
      : chunk(kTooMuch, '#'), task(c.env().Start([this, &socket] {
          do {
            last = socket.Send(chunk);
            sent += last.ok() ? *last : 0;
          } while (last.ok() && !stop);
          ended = socket.Shutdown(SHUT_WR);
        })) {}

  const std::string chunk;
  std::atomic<bool> stop = false;
  size_t sent = 0;
  Result<size_t> last = Error{.text = "has not returned"};
  Result<Done> ended = Error{.text = "has not returned"};
  std::unique_ptr<Task> task;
};

// Sends on the socket's descriptor until a send(2) would block. Returns the
// number of bytes sent.
Result<size_t> Fill(Context& c, const Sock& socket) {
  const Result<Witness> witness = socket.Inspect();
  if (!witness.ok()) return witness.As<size_t>();
  // Released below, because the implementation owns the descriptor.
  loopback::RawSocket view(witness->fd(), c.sys());
  const absl::StatusOr<size_t> filled = loopback::SendUntilFull(view);
  static_cast<void>(view.Release());
  if (!filled.ok()) return Error{.text = filled.status().ToString()};
  return *filled;
}

// Starts a Send of one byte that blocks. A full connection may get a lot of
// room a moment later: then fills it again, and adds the bytes sent before the
// blocked Send to `filled`. Returns null after a failed assertion.
std::unique_ptr<BlockedSend> SendThatWaits(Context& c, const Sock& socket,
                                           size_t& filled) {
  while (true) {
    auto send = std::make_unique<BlockedSend>(c, socket, 1);
    if (send->task->AwaitBlocked()) return send;
    send->task->Join();
    EXPECT_THAT(send->result, IsOkAndHolds(1U));
    const Result<size_t> more = Fill(c, socket);
    EXPECT_THAT(more, IsOk());
    if (!send->result.ok() || !more.ok()) return nullptr;
    filled += 1 + *more;
  }
}

// Connects to a peer that does not read until the case does.
Result<Connected> ConnectToStallingPeer(Context& c) {
  return ConnectToPeer(c, {}, {.receive_buffer = kSmallBuffer});
}

void NonblockingRecv(Context& c, const Connected& end) {
  EXPECT_THAT(RecvOnce(end.sock), Fails(EAGAIN));
  ASSERT_THAT(loopback::SendAll(end.peer, "now"), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  EXPECT_THAT(end.sock.RecvExactly(3), IsOkAndHolds("now"));
  EXPECT_THAT(RecvOnce(end.sock), Fails(EAGAIN));
}

void RecvWouldBlock(Context& c) {
  {
    SCOPED_TRACE("accepted");
    ASSERT_OK_AND_ASSIGN(Connected end, AcceptPeer(c, {.nonblock = true}));
    NonblockingRecv(c, end);
  }
  SCOPED_TRACE("connected");
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(at, {.nonblock = true}));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(RecvOnce(client), Fails(EAGAIN));
}

void RecvWouldBlockThenEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, AcceptPeer(c, {.nonblock = true}));
  EXPECT_THAT(RecvOnce(end.sock), Fails(EAGAIN));
  ASSERT_THAT(end.peer.HalfClose(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
}

// Sends until Send fails, and expects EAGAIN. Returns the number of bytes sent.
size_t SendUntilRefused(const Sock& socket) {
  const std::string chunk(65536, '#');
  size_t total = 0;
  while (total < kTooMuch) {
    const Result<size_t> sent = socket.Send(chunk);
    if (!sent.ok()) {
      EXPECT_THAT(sent, Fails(EAGAIN));
      return total;
    }
    if (*sent == 0) {
      ADD_FAILURE() << "Send returned 0 for 65536 bytes";
      return total;
    }
    total += *sent;
  }
  ADD_FAILURE() << "Send did not fail with EAGAIN after " << total << " bytes";
  return total;
}

void SendWouldBlock(Context& c) {
  ASSERT_OK_AND_ASSIGN(
      Connected end,
      AcceptPeer(c, {.nonblock = true}, {.receive_buffer = kSmallBuffer}));
  const size_t sent = SendUntilRefused(end.sock);
  EXPECT_THAT(sent, Gt(0U));
  // The bytes that Send reported arrive, and no byte of the Send that failed.
  ASSERT_OK_AND_ASSIGN(const std::string received,
                       loopback::RecvExactly(end.peer, sent));
  ASSERT_THAT(WaitFor(c, end.sock, POLLOUT), IsOk());
  EXPECT_THAT(end.sock.Send("!"), IsOkAndHolds(1U));
  EXPECT_THAT(loopback::RecvExactly(end.peer, 1), IsOkAndHolds("!"));
}

void SendWhileConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::FullQueue queue,
                       loopback::FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client,
                       c.Connect(queue.endpoint(), {.nonblock = true}));
  EXPECT_THAT(client.Send("too early"), Fails(EAGAIN));
  EXPECT_THAT(RecvOnce(client), Fails(EAGAIN));
}

void RecvWaits(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  BlockedRecv recv(c, end.sock);
  ASSERT_TRUE(recv.task->AwaitBlocked());
  ASSERT_THAT(loopback::SendAll(end.peer, "at last"), IsOk());
  recv.task->Join();
  EXPECT_THAT(recv.result, IsOkAndHolds("at last"));
}

void RecvWaitsUntilEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  BlockedRecv recv(c, end.sock);
  ASSERT_TRUE(recv.task->AwaitBlocked());
  ASSERT_THAT(end.peer.Close(), IsOk());
  recv.task->Join();
  EXPECT_THAT(recv.result, IsOkAndHolds(""));
}

void RecvWaitsUntilReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  BlockedRecv recv(c, end.sock);
  ASSERT_TRUE(recv.task->AwaitBlocked());
  ASSERT_THAT(end.peer.Reset(), IsOk());
  recv.task->Join();
  EXPECT_THAT(recv.result, Fails(ECONNRESET));
}

void SendWaits(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToStallingPeer(c));
  ASSERT_OK_AND_ASSIGN(size_t filled, Fill(c, end.sock));
  const auto send = SendThatWaits(c, end.sock, filled);
  ASSERT_TRUE(send);
  ASSERT_OK_AND_ASSIGN(const std::string received,
                       loopback::RecvExactly(end.peer, filled + 1));
  send->task->Join();
  EXPECT_THAT(send->result, IsOkAndHolds(1U));
}

// Expects that a blocked Send fails with `error` once `end_wait` is called.
// `end_wait` returns false if it fails.
void ExpectEndOfWait(Context& c, absl::FunctionRef<bool(Connected&)> end_wait,
                     int error) {
  for (int attempt = 1;; ++attempt) {
    ASSERT_OK_AND_ASSIGN(Connected end, ConnectToStallingPeer(c));
    ASSERT_OK_AND_ASSIGN(size_t filled, Fill(c, end.sock));
    const auto send = SendThatWaits(c, end.sock, filled);
    ASSERT_TRUE(send);
    ASSERT_TRUE(end_wait(end));
    send->task->Join();
    if (send->result.ok() && attempt < kAttempts) continue;
    EXPECT_THAT(send->result, Fails(error));
    return;
  }
}

void SendWaitsUntilReset(Context& c) {
  ExpectEndOfWait(
      c, [](Connected& end) { return end.peer.Reset().ok(); }, ECONNRESET);
}

void RecvInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  BlockedRecv recv(c, end.sock);
  ASSERT_TRUE(recv.task->AwaitBlocked());
  recv.task->Interrupt();
  if (recv.task->AwaitBlocked()) {
    c.Variation("goes_on");
    ASSERT_THAT(loopback::SendAll(end.peer, "kept"), IsOk());
    recv.task->Join();
    EXPECT_THAT(recv.result, IsOkAndHolds("kept"));
    return;
  }
  recv.task->Join();
  EXPECT_THAT(recv.result, Fails(EINTR));
  ASSERT_THAT(loopback::SendAll(end.peer, "kept"), IsOk());
  EXPECT_THAT(end.sock.RecvExactly(4), IsOkAndHolds("kept"));
}

void SendInterrupted(Context& c) {
  for (int attempt = 1;; ++attempt) {
    ASSERT_OK_AND_ASSIGN(Connected end, ConnectToStallingPeer(c));
    ASSERT_OK_AND_ASSIGN(size_t left, Fill(c, end.sock));
    const auto send = SendThatWaits(c, end.sock, left);
    ASSERT_TRUE(send);
    send->task->Interrupt();
    const bool goes_on = send->task->AwaitBlocked();
    if (goes_on) {
      // The Send returns once the peer has read.
      c.Variation("goes_on");
      ASSERT_THAT(loopback::RecvExactly(end.peer, left), IsOk());
      left = 0;
    }
    send->task->Join();
    if (send->result.ok()) {
      if (!goes_on && attempt < kAttempts) continue;  // it found room
      left += *send->result;
    } else {
      EXPECT_THAT(send->result, Fails(EINTR));
    }
    ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string received,
                         loopback::RecvUntilEof(end.peer));
    EXPECT_EQ(received.size(), left)
        << "the data must arrive once or not at all";
    return;
  }
}

void SendInterruptedMidway(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToStallingPeer(c));
  // Several chunks, because one Send may be too short to be interrupted.
  BlockedSends sends(c, end.sock);
  ASSERT_TRUE(sends.task->AwaitBlocked());
  sends.stop = true;
  sends.task->Interrupt();
  if (sends.task->AwaitBlocked()) c.Variation("goes_on");
  ASSERT_OK_AND_ASSIGN(const std::string received,
                       loopback::RecvUntilEof(end.peer));
  sends.task->Join();
  // The last Send may have sent nothing.
  EXPECT_THAT(sends.last, AnyOf(IsOk(), Fails(EINTR)));
  EXPECT_THAT(sends.ended, IsOk());
  EXPECT_EQ(received.size(), sends.sent);
}

void ShutdownWakesRecv(Context& c) {
  for (const int how : {SHUT_RD, SHUT_RDWR}) {
    SCOPED_TRACE(how == SHUT_RD ? "SHUT_RD" : "SHUT_RDWR");
    ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
    BlockedRecv recv(c, end.sock);
    ASSERT_TRUE(recv.task->AwaitBlocked());
    ASSERT_THAT(end.sock.Shutdown(how), IsOk());
    recv.task->Join();
    EXPECT_THAT(recv.result, IsOkAndHolds(""));
  }
}

void ShutdownWakesSend(Context& c) {
  ExpectEndOfWait(
      c, [](Connected& end) { return end.sock.Shutdown(SHUT_WR).ok(); }, EPIPE);
}

std::vector<Case> NotWaiting() {
  return {
      {.id = "data.recv.would_block",
       .requirement = "Recv on a non-blocking socket must fail with EAGAIN "
                      "while there is no data, and succeed once there is data.",
       .source = "contract: Send, Recv; recv(2) EAGAIN",
       .run = &RecvWouldBlock},
      {.id = "data.recv.would_block_then_end",
       .requirement = "Recv on a non-blocking socket must return 0 at the end "
                      "of the stream, not fail with EAGAIN.",
       .source = "recv(2) RETURN VALUE",
       .run = &RecvWouldBlockThenEnd},
      {.id = "data.send.would_block",
       .requirement =
           "Send on a non-blocking socket must fail with EAGAIN while the peer "
           "does not read, and the data that it took before must arrive.",
       .source = "contract: Send, Recv; send(2) EAGAIN",
       .run = &SendWouldBlock},
      {.id = "data.while_connecting",
       .requirement = "Send and Recv on a socket that is still connecting must "
                      "fail with EAGAIN.",
       .source = "contract: Send, Recv; connect(2) EINPROGRESS",
       .run = &SendWhileConnecting},
  };
}

std::vector<Case> Waiting() {
  return {
      {.id = "data.recv.waits_for_data",
       .requirement = "Recv on a blocking socket must block until there is "
                      "data, and return it.",
       .source = "recv(2) DESCRIPTION",
       .run = &RecvWaits},
      {.id = "data.recv.waits_for_end",
       .requirement =
           "A blocked Recv must return 0 when the peer ends its stream.",
       .source = "recv(2) RETURN VALUE",
       .run = &RecvWaitsUntilEnd},
      {.id = "data.recv.waits_for_reset",
       .requirement = "A blocked Recv must fail with ECONNRESET when the peer "
                      "resets the connection.",
       .source = "RFC 9293 section 3.10.7.4; recv(2) ERRORS",
       .run = &RecvWaitsUntilReset},
      {.id = "data.send.waits_for_room",
       .requirement = "Send on a blocking socket must block while the peer "
                      "does not read, and continue once it reads.",
       .source = "send(2) DESCRIPTION",
       .run = &SendWaits},
      {.id = "data.send.waits_for_reset",
       .requirement = "A blocked Send must fail with ECONNRESET when the peer "
                      "resets the connection.",
       .source = "send(2) ECONNRESET; RFC 9293 section 3.10.7.4",
       .run = &SendWaitsUntilReset},
      {.id = "data.recv.interrupted",
       .requirement = "A blocked Recv should fail with EINTR on a signal, and "
                      "the stream must be unaffected.",
       .source = "contract: Send, Recv; recv(2) EINTR",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &RecvInterrupted},
      {.id = "data.send.interrupted",
       .requirement = "A blocked Send that has sent nothing should fail with "
                      "EINTR on a signal, and send none of its data.",
       .source = "contract: Send, Recv; send(2) EINTR",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &SendInterrupted},
      {.id = "data.send.interrupted_midway",
       .requirement =
           "A blocked Send that has sent part of its data should return on a "
           "signal, with the number of bytes that will arrive.",
       .source = "send(2) RETURN VALUE; signal(7) Interruption of system calls",
       .level = Level::kShould,
       .needs = Need::kInterrupt,
       .run = &SendInterruptedMidway},
      {.id = "data.shutdown.wakes_recv",
       .requirement = "A blocked Recv must return 0 when the receiving "
                      "direction is shut down.",
       .source = "shutdown(2) DESCRIPTION",
       .run = &ShutdownWakesRecv},
      {.id = "data.shutdown.wakes_send",
       .requirement = "A blocked Send must fail with EPIPE when the sending "
                      "direction is shut down.",
       .source = "shutdown(2) DESCRIPTION; send(2) EPIPE",
       .run = &ShutdownWakesSend},
  };
}

}  // namespace

const std::vector<Case>& DataBlockingCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(NotWaiting());
    const std::vector<Case> waiting = Waiting();
    all->insert(all->end(), waiting.begin(), waiting.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
