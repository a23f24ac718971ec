#include "syscalls/sandbox/wait_status.h"

#include <sys/wait.h>

#include <csignal>

#include "gtest/gtest.h"

namespace net::sandbox {
namespace {

TEST(WaitStatusTest, IsAStatusOrASignal) {
  EXPECT_EQ(DescribeWaitStatus(W_EXITCODE(3, 0)), "exited with status 3");
  EXPECT_EQ(DescribeWaitStatus(W_EXITCODE(0, SIGSEGV)),
            "killed by SIGSEGV (Segmentation fault)");
  EXPECT_EQ(DescribeWaitStatus(W_EXITCODE(0, SIGSEGV) | WCOREFLAG),
            "killed by SIGSEGV (Segmentation fault)");
}

}  // namespace
}  // namespace net::sandbox
