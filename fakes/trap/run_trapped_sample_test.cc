// The sample of docs/FAULTS.md: a test of code that does not know class
// Syscalls.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/trap/probe.h"
#include "fakes/trap/run_trapped.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::IsEmpty;

// The library under test. It makes system calls itself.
std::string StartServer() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return "no socket";
  const std::string result = listen(fd, 8) == 0 ? "started" : "cannot listen";
  close(fd);
  return result;
}

TEST(StartServer, ClosesItsSocketIfItCannotListen) {
  if (const absl::Status status = trap::CheckSeccomp(); !status.ok()) {
    GTEST_SKIP() << status;
  }
  const auto plan = ParseFaultPlan("listen=EADDRINUSE");
  ASSERT_THAT(plan, IsOk());
  const absl::StatusOr<TrapReport> report = RunTrapped(*plan, StartServer);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->report, "cannot listen");
  EXPECT_THAT(report->unmatched, IsEmpty());
  EXPECT_THAT(report->open_descriptors, IsEmpty());
}

}  // namespace
}  // namespace net
