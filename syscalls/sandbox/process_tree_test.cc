#include "syscalls/sandbox/process_tree.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

void WaitForEver() {
  while (true) pause();
}

TEST(ProcessTreeTest, AChildAndItsChildAreDescendants) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  absl::StatusOr<WatchedChild> child = WatchedChild::Start([&](int) {
    const pid_t grandchild = fork();
    if (grandchild > 0) {
      [[maybe_unused]] const ssize_t written =
          write(ends[1], &grandchild, sizeof(grandchild));
    }
    WaitForEver();
  });
  ASSERT_THAT(child, IsOk());
  pid_t grandchild = 0;
  ASSERT_EQ(read(ends[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
  EXPECT_THAT(ChildrenOf(getpid()), ElementsAre(child->pid()));
  EXPECT_THAT(ChildrenOf(child->pid()), ElementsAre(grandchild));
  EXPECT_THAT(DescendantsOf(getpid()), ElementsAre(child->pid(), grandchild));
  EXPECT_THAT(AllProcesses(), Contains(grandchild));
  EXPECT_TRUE(IsAlive(grandchild));
  close(ends[0]);
  close(ends[1]);
}

TEST(ProcessTreeTest, AZombieIsAChildButNotAlive) {
  const absl::StatusOr<pid_t> child = ForkChild();
  ASSERT_THAT(child, IsOk());
  if (*child == 0) _exit(0);
  siginfo_t info = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(*child), &info, WEXITED | WNOWAIT),
            0);
  EXPECT_THAT(ChildrenOf(getpid()), ElementsAre(*child));
  EXPECT_FALSE(IsAlive(*child));
  ReapChild(*child);
  EXPECT_THAT(ChildrenOf(getpid()), IsEmpty());
  EXPECT_THAT(NumbersOf(*child), IsEmpty());
  EXPECT_EQ(NameOf(*child), "");
}

TEST(ProcessTreeTest, AProcessHasANameAndNumbers) {
  ASSERT_EQ(prctl(PR_SET_NAME, "by_name"), 0);
  EXPECT_EQ(NameOf(getpid()), "by_name");
  EXPECT_THAT(NumbersOf(getpid()), Contains(getpid()));
}

TEST(ProcessTreeTest, OpenFilesHaveTheirAccessMode) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  struct stat pipe = {};
  ASSERT_EQ(fstat(ends[0], &pipe), 0);
  int readers = 0;
  int writers = 0;
  for (const OpenFile& file : OpenFilesOf(getpid())) {
    if (file.device != pipe.st_dev || file.inode != pipe.st_ino) continue;
    if (file.can_read) ++readers;
    if (file.can_write) ++writers;
  }
  EXPECT_EQ(readers, 1);
  EXPECT_EQ(writers, 1);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace net::sandbox
