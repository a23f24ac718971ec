#include "syscalls/sandbox/child.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/process_tree.h"
#include "syscalls/sandbox/wait_status.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void WaitForEver() {
  while (true) pause();
}

// The end of this pipe shows that all processes have ended that were forked
// after it was made.
class Tripwire {
 public:
  Tripwire() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0); }
  Tripwire(const Tripwire&) = delete;
  Tripwire& operator=(const Tripwire&) = delete;
  ~Tripwire() { close(ends_[0]); }

  // In the parent, once.
  void AwaitEnd() {
    close(ends_[1]);
    char byte = 0;
    EXPECT_EQ(read(ends_[0], &byte, 1), 0);
  }

 private:
  std::array<int, 2> ends_ = {};
};

// Forks a child that leaves another behind, in a session of its own, and exits.
void LeaveADaemon() {
  const absl::StatusOr<pid_t> child = ForkChild();
  ASSERT_THAT(child, IsOk());
  if (*child == 0) {
    if (fork() != 0) _exit(0);
    setsid();
    WaitForEver();
  }
  EXPECT_EQ(ReapChild(*child), 0);
}

TEST(ChildTest, ReapReturnsHowTheChildEnded) {
  for (const int status : {0, 3}) {
    const absl::StatusOr<pid_t> child = ForkChild();
    ASSERT_THAT(child, IsOk());
    if (*child == 0) _exit(status);
    EXPECT_EQ(getpgid(*child), *child);
    EXPECT_EQ(DescribeWaitStatus(ReapChild(*child)),
              status == 0 ? "exited with status 0" : "exited with status 3");
  }
}

TEST(ChildTest, TheProcessGroupEndsWithTheChild) {
  Tripwire tripwire;
  const absl::StatusOr<pid_t> child = ForkChild();
  ASSERT_THAT(child, IsOk());
  if (*child == 0) {
    if (fork() != 0) _exit(0);
    WaitForEver();
  }
  EXPECT_EQ(ReapChild(*child), 0);
  tripwire.AwaitEnd();
}

TEST(ChildTest, KillOtherChildrenSparesItsOwnAndThoseNamed) {
  const absl::StatusOr<pid_t> own = ForkChild();
  ASSERT_THAT(own, IsOk());
  if (*own == 0) WaitForEver();
  const pid_t named = fork();
  if (named == 0) WaitForEver();
  const pid_t other = fork();
  if (other == 0) WaitForEver();
  KillOtherChildren({named});
  EXPECT_THAT(ChildrenOf(getpid()), ElementsAre(*own, named));
  KillOtherChildren();
  EXPECT_THAT(ChildrenOf(getpid()), ElementsAre(*own));
  kill(*own, SIGKILL);
  EXPECT_EQ(DescribeWaitStatus(ReapChild(*own)), "killed by SIGKILL (Killed)");
}

TEST(ChildTest, AForkedChildSparesNoneOfItsParents) {
  const absl::StatusOr<pid_t> child = ForkChild();
  ASSERT_THAT(child, IsOk());
  if (*child == 0) {
    const pid_t grandchild = fork();
    if (grandchild == 0) WaitForEver();
    KillOtherChildren();
    _exit(ChildrenOf(getpid()).empty() ? 0 : 1);
  }
  EXPECT_EQ(ReapChild(*child), 0);
}

TEST(SubreaperTest, AdoptsAndKillsWhatADeadChildHasLeft) {
  const pid_t from_before = fork();
  if (from_before == 0) WaitForEver();
  Tripwire tripwire;
  {
    const Subreaper subreaper;
    LeaveADaemon();
    EXPECT_EQ(ChildrenOf(getpid()).size(), 2);
    subreaper.KillAdopted();
    EXPECT_THAT(ChildrenOf(getpid()), ElementsAre(from_before));
  }
  tripwire.AwaitEnd();
  KillOtherChildren();
  EXPECT_THAT(ChildrenOf(getpid()), IsEmpty());
}

}  // namespace
}  // namespace net::sandbox
