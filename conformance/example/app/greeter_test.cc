#include "app/greeter.h"

#include <cerrno>

#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace {

using ::testing::_;

TEST(GreetOne, ReportsThatDescriptorsRanOut) {
  net::MockSyscalls sys;
  net::Socket listener(3, sys);
  EXPECT_CALL(sys, Accept4(3, _, _, _)).WillOnce(net::Fail(EMFILE));
  EXPECT_CALL(sys, Close(3)).WillOnce(net::Succeed());
  EXPECT_THAT(GreetOne(listener), net::IsErrno(EMFILE));
}

}  // namespace
