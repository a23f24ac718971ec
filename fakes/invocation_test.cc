#include "fakes/invocation.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <type_traits>

#include "fakes/call.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/syscall_table.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

// It owns no memory.
static_assert(std::is_trivially_copyable_v<Invocation>);

auto IsNumber(ArgumentKind kind, int number) {
  return AllOf(Field(&Argument::kind, kind), Field(&Argument::number, number),
               Field(&Argument::pointer, nullptr));
}

auto IsPointer(ArgumentKind kind, const void* pointer) {
  return AllOf(Field(&Argument::kind, kind), Field(&Argument::number, 0),
               Field(&Argument::pointer, pointer));
}

TEST(Invocation, ReturnsTheArgumentsOfItsCallOnly) {
  Invocation invocation(Arguments<Call::kListen>{.fd = 3, .backlog = 128});
  EXPECT_EQ(invocation.call(), Call::kListen);
  ASSERT_NE(invocation.As<Call::kListen>(), nullptr);
  EXPECT_EQ(invocation.As<Call::kListen>()->backlog, 128);
  EXPECT_EQ(invocation.As<Call::kShutdown>(), nullptr);
}

TEST(Invocation, ListsTheArgumentsInOrder) {
  const int on = 1;
  const Invocation invocation(Arguments<Call::kSetSockOpt>{
      3, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)});
  EXPECT_THAT(invocation.List(),
              ElementsAre(IsNumber(ArgumentKind::kFd, 3),
                          IsNumber(ArgumentKind::kOptionLevel, SOL_SOCKET),
                          IsNumber(ArgumentKind::kOptionName, SO_REUSEADDR),
                          IsPointer(ArgumentKind::kOptionIn, &on),
                          IsNumber(ArgumentKind::kLength, sizeof(on))));
}

TEST(Invocation, MakesTheCallWithChangedArguments) {
  Invocation invocation(
      Arguments<Call::kFcntl>{.fd = 3, .command = F_SETFL, .argument = 0});
  invocation.As<Call::kFcntl>()->argument = O_NONBLOCK;
  MockSyscalls kernel;
  EXPECT_CALL(kernel, Fcntl(3, F_SETFL, O_NONBLOCK)).WillOnce(Fail(EBADF));
  EXPECT_THAT(invocation.MakeOn(kernel), IsErrno(EBADF));
}

// A copy is another call.
TEST(Invocation, IsCopiedWithItsArguments) {
  Invocation invocation(Arguments<Call::kClose>{.fd = 3});
  const Invocation copy = invocation;
  invocation.As<Call::kClose>()->fd = 4;
  EXPECT_EQ(copy.fd(), 3);
  EXPECT_EQ(invocation.fd(), 4);
}

}  // namespace
}  // namespace net
