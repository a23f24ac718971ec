#include "syscalls/sandbox/pid_namespace.h"

#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/process_tree.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

using testing::ElementsAre;

TEST(PidNamespaceTest, TheFirstChildIsProcessOneOrNothingChanges) {
  EXPECT_THAT(RunInChild([] {
                const bool is_unshared = UnsharePids().ok();
                EXPECT_THAT(RunInChild([is_unshared] {
                              EXPECT_EQ(getpid() == 1, is_unshared);
                              if (is_unshared && MountOwnProc().ok()) {
                                EXPECT_THAT(AllProcesses(), ElementsAre(1));
                              }
                              if (testing::Test::HasFailure()) _exit(1);
                              return std::string();
                            }),
                            IsOk());
                if (testing::Test::HasFailure()) _exit(1);
                return std::string();
              }),
              IsOk());
}

}  // namespace
}  // namespace net::sandbox
