#include "syscalls/sandbox/other_user.h"

#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

using testing::StartsWith;

TEST(OtherUserTest, TheBodyRunsAsAnotherUserOrNotAtAll) {
  const uid_t before = geteuid();
  const absl::Status possible = CheckOtherUser();
  uid_t inside = before;
  const absl::Status ran = RunAsOtherUser([&] { inside = geteuid(); });
  EXPECT_EQ(geteuid(), before);
  EXPECT_EQ(ran.ok(), possible.ok());
  EXPECT_EQ(inside != before, possible.ok());
  if (!possible.ok()) {
    EXPECT_THAT(std::string(possible.message()),
                StartsWith("no second user: seteuid: E"));
    EXPECT_EQ(ErrnoOf(ran), ErrnoOf(possible));
  }
}

TEST(OtherUserTest, AProcessBecomesOneForGood) {
  if (absl::Status possible = CheckOtherUser(); !possible.ok()) {
    GTEST_SKIP() << possible.message();
  }
  EXPECT_THAT(RunInChild([] {
                EXPECT_THAT(BecomeOtherUser(), IsOk());
                EXPECT_NE(geteuid(), 0);
                EXPECT_NE(seteuid(0), 0);
                EXPECT_EQ(access("/proc/self/fd", R_OK), 0);
                if (testing::Test::HasFailure()) _exit(1);
                return std::string();
              }),
              IsOk());
}

}  // namespace
}  // namespace net::sandbox
