// The samples of docs/FAULTS.md.

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fakes/faults/canary.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/recorder.h"
#include "fakes/faults/replayer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"
#include "tcp/tcp.h"

namespace net {
namespace {

// The code under test: takes a connection, says hello and hangs up.
absl::Status Greet(const Socket& listener) {
  const absl::StatusOr<Socket> client = tcp::Accept(listener);
  if (!client.ok()) return client.status();
  return client->Send("hello").status();
}

absl::Status GreetOnce(Syscalls& sys) {
  uint16_t port = 0;
  const absl::StatusOr<Socket> listener =
      tcp::Listen(ip::kLocalV4, 0, {tcp::PortAssignment{&port}}, sys);
  if (!listener.ok()) return listener.status();
  const absl::StatusOr<Socket> peer = tcp::Connect(ip::kLocalV4, port);
  if (!peer.ok()) return peer.status();
  return Greet(*listener);
}

// Code under test without a peer.
absl::Status ReserveAPort(Syscalls& sys) {
  uint16_t port = 0;
  return tcp::Listen(ip::kLocalV4, 0, {tcp::PortAssignment{&port}}, sys)
      .status();
}

}  // namespace
}  // namespace net

using net::FaultInjector;
using net::GreetOnce;
using net::IsErrno;
using net::IsOk;
using net::ParseFaultPlan;
using net::ReserveAPort;
using testing::IsEmpty;

// [sample]
TEST(GreetOnce, ReportsThatDescriptorsRanOut) {
  FaultInjector sys(net::DefaultSyscalls());
  sys.Arm(ParseFaultPlan("accept4#1=EMFILE; close=EIO").value());
  EXPECT_THAT(GreetOnce(sys), IsErrno(EMFILE));
  EXPECT_THAT(sys.Unmatched(), IsEmpty());
  EXPECT_THAT(sys.OpenDescriptors(), IsEmpty());
}
// [/sample]

// [sample]
TEST(GreetOnce, ReportsEachErrnoOfSend) {
  FaultInjector sys(net::DefaultSyscalls());
  ASSERT_THAT(net::CheckInCharge(sys, [&] { return GreetOnce(sys); }), IsOk());
  for (const int error : {EPIPE, ECONNRESET, ENOBUFS}) {
    net::FaultRule rule;
    rule.selector.calls = "send";
    rule.action.error = error;
    sys.Arm({{rule}});
    EXPECT_THAT(GreetOnce(sys), IsErrno(error)) << rule;
    EXPECT_THAT(sys.Unmatched(), IsEmpty());
  }
}
// [/sample]

// [sample]
TEST(ReserveAPort, IsReplayed) {
  net::Recorder recorder(net::DefaultSyscalls());
  ASSERT_THAT(ReserveAPort(recorder), IsOk());

  net::Replayer kernel(recorder.recorded());
  EXPECT_THAT(ReserveAPort(kernel), IsOk());
  EXPECT_THAT(kernel.Finish(), IsOk());
}
// [/sample]
