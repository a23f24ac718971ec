#include "fakes/differential/print_case.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "fakes/call.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Step About(Call call, int slot) {
  Step step;
  step.call = call;
  step.slot = slot;
  return step;
}

Observation Answer(SysResult result) {
  Observation seen;
  seen.result = result;
  return seen;
}

Difference Sample() {
  Step socket;
  socket.out = 3;
  Step connect = About(Call::kConnect, 3);
  connect.address.port = PortKind::kFixed;
  connect.address.index = 1;
  Step poll = About(Call::kPoll, kNoSlot);
  poll.polled = {{3, POLLIN | POLLOUT}};
  Observation ready = Answer(SysResult::Ok(1));
  ready.numbers = {POLLOUT | POLLHUP};
  ready.text = "1 ready: 0x14";
  Observation other = Answer(SysResult::Ok(0));
  other.text = "0 ready: 0";
  return {
      {socket, connect, poll},
      {Answer(SysResult::Ok(7)), Answer(SysResult::Error(EINPROGRESS)), ready},
      {Answer(SysResult::Ok(0)), Answer(SysResult::Error(EINPROGRESS)), other}};
}

TEST(PrintCaseTest, IsTheFunctionOfACase) {
  const Difference sample = Sample();
  EXPECT_EQ(PrintCase("Found", sample.program, sample.expected),
            R"(void Found(Context& c) {
  Syscalls& sys = c.sys();
  int s3 = -1;
  s3 = sys.Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0).fd();
  ip::SockAddr address2({*ip::Addr::Parse("127.0.0.1"),
                   static_cast<uint16_t>(kPort + 1)});
  EXPECT_THAT(sys.Connect(s3, address2.get(), address2.size()), IsErrno(EINPROGRESS));
  pollfd polled3[] = {{s3, POLLIN | POLLOUT, 0}};
  EXPECT_THAT(sys.Poll(polled3, 1, 0), IsOkAndHolds(1));
  EXPECT_EQ(polled3[0].revents, POLLOUT | POLLHUP);
  if (s3 >= 0) EXPECT_THAT(sys.Close(s3), IsOk());
}
)");
}

TEST(PrintCaseTest, PrintsTheOtherKernelsResult) {
  EXPECT_THAT(PrintDifference("Found", Sample()),
              StartsWith("// Last call, expected: 1 ready: 0x14\n"
                         "// Last call, actual:   0 ready: 0\n"
                         "void Found("));
}

TEST(PrintCaseTest, BringsWhatItNeedsForPortsOfOthers) {
  Step bind = About(Call::kBind, 0);
  bind.address.port = PortKind::kOfSlot;
  bind.address.index = 1;
  const auto text = PrintCase("Found", {bind}, {Answer(SysResult::Ok())});
  EXPECT_THAT(text, StartsWith("uint16_t PortOf("));
  EXPECT_THAT(text, HasSubstr("static_cast<uint16_t>(PortOf(sys, s1))"));
}

TEST(PrintCaseTest, LeavesOutWhatWasSkipped) {
  Observation skipped;
  skipped.skipped = true;
  EXPECT_EQ(PrintCase("Found", {About(Call::kClose, 1)}, {skipped}),
            "void Found(Context& c) {\n  Syscalls& sys = c.sys();\n}\n");
}

TEST(PrintCaseTest, HasSymbolsForOptions) {
  Step option = About(Call::kGetSockOpt, 2);
  option.level = SOL_SOCKET;
  option.name = SO_ERROR;
  Observation refused = Answer(SysResult::Ok());
  refused.numbers = {ECONNREFUSED};
  const auto text = PrintCase("Found", {option}, {refused});
  EXPECT_THAT(text, HasSubstr("sys.GetSockOpt(s2, SOL_SOCKET, SO_ERROR, "
                              "&value1, &length1)"));
  EXPECT_THAT(text, HasSubstr("EXPECT_EQ(value1, 111);"));
}

}  // namespace
}  // namespace net::differential
