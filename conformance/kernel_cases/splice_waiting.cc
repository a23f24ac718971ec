// splice(2) and sendfile(2) that wait.

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/file_commands.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/splice_calls.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;
using ::testing::AllOf;
using ::testing::Gt;
using ::testing::Lt;

constexpr int kPage = 4096;  // Of a pipe.
constexpr int64_t kPipeSize = int64_t{16} * kPage;

void WaitsForBytes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(SetBlocking(pipe.read), IsOk());
  PendingCall call(c, [&] { return Splice(pipe.read, pair.client, 100); });
  ASSERT_TRUE(call.AwaitBlocked());
  ASSERT_THAT(Write(pipe.write, "hello"), IsOk());
  EXPECT_THAT(call.Join(), IsOkAndHolds(5)) << "it does not wait for the rest";
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("hello"));
}

void WaitsForRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds from, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds to, NewPipe(c));
  ASSERT_THAT(SetBlocking(from.read), IsOk());
  ASSERT_THAT(SetBlocking(to.write), IsOk());
  ASSERT_THAT(Fcntl(to.write, F_SETPIPE_SZ, kPage), IsOk());
  ASSERT_THAT(Write(to.write, "full"), IsOk());
  ASSERT_THAT(Write(from.write, "hello"), IsOk());
  PendingCall call(c, [&] { return Splice(from.read, to.write, 100); });
  ASSERT_TRUE(call.AwaitBlocked());
  EXPECT_THAT(Read(to.read), IsOkAndHolds("full"));
  EXPECT_THAT(call.Join(), IsOkAndHolds(5));
  EXPECT_THAT(Read(to.read), IsOkAndHolds("hello"));
}

// ---- Signals ----------------------------------------------------------------

// Interrupts a call that waits, and returns its result.
SysResult Interrupted(Context& c, std::function<SysResult()> call) {
  PendingCall pending(c, std::move(call));
  EXPECT_TRUE(pending.AwaitBlocked());
  pending.Interrupt();
  return pending.Join();
}

// A blocking pipe with room for one page, which it has.
absl::StatusOr<PipeEnds> NewFullPipe(Context& c) {
  absl::StatusOr<PipeEnds> pipe = NewPipe(c);
  if (!pipe.ok()) return pipe;
  EXPECT_THAT(Fcntl(pipe->write, F_SETPIPE_SZ, kPage), IsOk());
  EXPECT_THAT(Write(pipe->write, "full"), IsOk());
  EXPECT_THAT(SetBlocking(pipe->write), IsOk());
  return pipe;
}

void InterruptedForBytes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(SetBlocking(pipe.read), IsOk());
  ASSERT_THAT(SetBlocking(pipe.write), IsOk());
  EXPECT_THAT(
      Interrupted(c, [&] { return Splice(pipe.read, pair.client, 100); }),
      IsErrno(EINTR));
  EXPECT_THAT(
      Interrupted(c, [&] { return Splice(pair.server, pipe.write, 100); }),
      IsErrno(EINTR));
}

void InterruptedForRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds full, NewFullPipe(c));
  ASSERT_THAT(pair.client.Send("from a socket"), IsOk());
  EXPECT_THAT(
      Interrupted(c, [&] { return Splice(pair.server, full.write, 100); }),
      IsErrno(EINTR));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("from a socket"));
  ASSERT_THAT(Write(pipe.write, "from a pipe"), IsOk());
  ASSERT_THAT(SetBlocking(pipe.read), IsOk());
  EXPECT_THAT(
      Interrupted(c, [&] { return Splice(pipe.read, full.write, 100); }),
      IsErrno(EINTR));
  EXPECT_THAT(Read(pipe.read), IsOkAndHolds("from a pipe"));
  EXPECT_THAT(Read(full.read), IsOkAndHolds("full"));
}

void InterruptedInTheMiddle(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewSmallPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(Write(pipe.write, std::string(kPipeSize, 'x')),
              IsOkAndHolds(kPipeSize));
  const SysResult sent =
      Interrupted(c, [&] { return Splice(pipe.read, pair.client, kPipeSize); });
  ASSERT_THAT(sent, IsOkAndHolds(AllOf(Gt(0), Lt(kPipeSize))));
  EXPECT_THAT(Ask(pipe.read, FIONREAD), IsOkAndHolds(kPipeSize - sent.value()));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(
      loopback::RecvExactly(pair.server, static_cast<size_t>(sent.value())),
      IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

// A late acknowledgement may make room for some bytes. The call is then made
// again.
void InterruptedBeforeAnything(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewSmallPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  SysResult sent = SysResult::Ok();
  while (sent.ok()) {
    ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
    ASSERT_THAT(Write(pipe.write, "more"), IsOk());
    PendingCall call(c, [&] { return Splice(pipe.read, pair.client, 4); });
    if (call.AwaitBlocked()) call.Interrupt();
    sent = call.Join();
  }
  EXPECT_THAT(sent, IsErrno(EINTR));
  EXPECT_THAT(Read(pipe.read), IsOkAndHolds("more"));
}

void SendFileInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const PipeEnds full, NewFullPipe(c));
  EXPECT_THAT(
      Interrupted(c, [&] { return SendFile(pipe.write, pair.server, 100); }),
      IsErrno(EINTR));
  ASSERT_THAT(pair.client.Send("hello"), IsOk());
  EXPECT_THAT(
      Interrupted(c, [&] { return SendFile(full.write, pair.server, 100); }),
      IsErrno(EINTR));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("hello"));
}

}  // namespace

const std::vector<Case>& SpliceWaitingKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.splice.waits_for_bytes",
       .requirement = "splice(2) from an empty pipe must wait for the first "
                      "bytes, and for no more.",
       .source = "splice(2)",
       .run = &WaitsForBytes},
      {.id = "kernel.splice.waits_for_room",
       .requirement = "splice(2) to a full pipe must wait for room.",
       .source = "splice(2)",
       .families = AddressFamilies::kV4,
       .run = &WaitsForRoom},
      {.id = "kernel.splice.interrupted",
       .requirement = "A signal must end a splice(2) that waits for the first "
                      "bytes of a pipe or of a socket, with EINTR.",
       .source = "signal(7)",
       .run = &InterruptedForBytes},
      {.id = "kernel.splice.interrupted_for_room",
       .requirement = "A signal must end a splice(2) that waits for room in a "
                      "pipe, with EINTR. The bytes must stay in the input.",
       .source = "signal(7)",
       .run = &InterruptedForRoom},
      {.id = "kernel.splice.interrupted_part",
       .requirement =
           "A signal must end a splice(2) from a pipe that waits for "
           "room in a socket after it has moved some bytes. It must "
           "return their number, and the rest must stay in the pipe.",
       .source = "measured on Linux 6.18",
       .run = &InterruptedInTheMiddle},
      {.id = "kernel.splice.interrupted_before",
       .requirement = "A signal must end a splice(2) from a pipe to a full "
                      "socket with EINTR. The bytes must stay in the pipe.",
       .source = "signal(7)",
       .run = &InterruptedBeforeAnything},
      {.id = "kernel.sendfile.interrupted",
       .requirement =
           "A signal must end a sendfile(2) from a socket that waits "
           "for bytes or for room in the pipe, with EINTR. The bytes "
           "must stay in the socket.",
       .source = "signal(7)",
       .run = &SendFileInterrupted},
  };
  return cases;
}

}  // namespace net::conformance
