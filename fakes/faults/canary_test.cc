#include "fakes/faults/canary.h"

#include <cerrno>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/fake_kernel.h"
#include "fakes/faults/fault_injector.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CheckInChargeTest : public testing::Test {
 protected:
  absl::Status Listen(Syscalls& sys) {
    return tcp::Listen(ip::kLocalV4, 0, {}, sys).status();
  }

  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess();
  FaultInjector faults_{process_};
};

TEST_F(CheckInChargeTest, IsOkIfTheFirstCallFails) {
  absl::Status seen;
  EXPECT_THAT(CheckInCharge(faults_, [&] { return seen = Listen(faults_); }),
              IsOk());
  EXPECT_THAT(seen, IsErrno(EMFILE));
  EXPECT_EQ(faults_.Count("*"), 0) << "the canary is still armed";
  EXPECT_THAT(Listen(faults_), IsOk());
}

TEST_F(CheckInChargeTest, AnInjectorThatIsGoneAroundIsFound) {
  const absl::Status status =
      CheckInCharge(faults_, [&] { return Listen(process_); });
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("*@1=EMFILE before"), HasSubstr("no call")));
}

TEST_F(CheckInChargeTest, AScenarioThatSwallowsTheCanaryIsFound) {
  const absl::Status status = CheckInCharge(faults_, [&] {
    Listen(faults_).IgnoreError();
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("succeeded although"));
}

}  // namespace
}  // namespace net
