#include "fakes/kernel/epoll.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/allocation_count.h"
#include "syscalls/testing/matchers.h"

// Tests epoll(7) through system calls. conformance/kernel_cases/epoll*.cc has
// what programs see on Linux, too.

namespace net::fake {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

class EpollTest : public testing::Test {
 protected:
  SysResult Control(int operation, int fd, uint32_t events, uint64_t data = 1) {
    epoll_event event = {.events = events, .data = {.u64 = data}};
    return sys_.EpollCtl(epoll_, operation, fd, &event);
  }
  SysResult Add(int fd, uint32_t events, uint64_t data = 1) {
    return Control(EPOLL_CTL_ADD, fd, events, data);
  }
  // Returns "data:events" for each event, events as a number.
  std::string Wait(int timeout_ms, int max_events = 4) {
    std::array<epoll_event, 4> events = {};
    const SysResult count =
        sys_.EpollWait(epoll_, events.data(), max_events, timeout_ms);
    if (!count.ok()) return absl::StrCat("errno ", count.error());
    std::string text;
    for (size_t i = 0; i < static_cast<size_t>(count.value()); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : " ", uint64_t{events.at(i).data.u64},
                      ":", uint32_t{events.at(i).events});
    }
    return text;
  }
  int NewCounter(unsigned initial = 0) {
    return Must(sys_.EventFd(initial, EFD_NONBLOCK));
  }
  SysResult Increment(int counter) {
    const uint64_t one = 1;
    return sys_.Write(counter, &one, sizeof(one));
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess({.name = "server"});
  FakeKernel::Participant self_{kernel_, "main"};
  const int epoll_ = Must(sys_.EpollCreate1(EPOLL_CLOEXEC));
};

TEST_F(EpollTest, DescribesItself) {
  EXPECT_EQ(sys_.DescribeDescriptor(epoll_), "epoll of 0 files");
  EXPECT_THAT(Add(NewCounter(), EPOLLIN), IsOk());
  EXPECT_EQ(sys_.DescribeDescriptor(epoll_), "epoll of 1 file");
}

// Its driver has no poll operation.
TEST_F(EpollTest, RefusesTheNullDevice) {
  EXPECT_THAT(Add(STDIN_FILENO, EPOLLIN), IsErrno(EPERM));
  EXPECT_THAT(Control(EPOLL_CTL_DEL, STDIN_FILENO, EPOLLIN), IsErrno(EPERM));
  epoll_event event = {};
  EXPECT_THAT(sys_.EpollCtl(STDIN_FILENO, EPOLL_CTL_ADD, epoll_, &event),
              IsErrno(EINVAL));
}

TEST_F(EpollTest, ReportsInTheOrderOfTheEvents) {
  const int one = NewCounter();
  const int two = NewCounter();
  EXPECT_THAT(Add(one, EPOLLIN, 1), IsOk());
  EXPECT_THAT(Add(two, EPOLLIN, 2), IsOk());
  EXPECT_THAT(Increment(two), IsOk());
  EXPECT_THAT(Increment(one), IsOk());
  EXPECT_EQ(Wait(0), "2:1 1:1");
  EXPECT_EQ(Wait(0, 1), "2:1");
  EXPECT_EQ(Wait(0, 1), "1:1");
}

TEST_F(EpollTest, AnEdgeIsAWakeUp) {
  const int counter = NewCounter(1);
  EXPECT_THAT(Add(counter, EPOLLIN | EPOLLET), IsOk());
  EXPECT_EQ(Wait(0), "1:1");
  EXPECT_EQ(Wait(0), "");
  EXPECT_THAT(Increment(counter), IsOk());
  EXPECT_EQ(Wait(0), "1:1") << "although it was readable before";
}

TEST_F(EpollTest, TimeIsVirtual) {
  const absl::Duration before = kernel_.Now();
  EXPECT_EQ(Wait(60'000), "");
  EXPECT_EQ(kernel_.Now() - before, absl::Minutes(1));
  epoll_event event = {};
  const timespec nanosecond = {.tv_sec = 0, .tv_nsec = 1};
  EXPECT_THAT(sys_.EpollPWait2(epoll_, &event, 1, &nanosecond, nullptr),
              IsOkAndHolds(0));
  EXPECT_EQ(kernel_.Now() - before, absl::Minutes(1) + absl::Nanoseconds(1));
}

TEST_F(EpollTest, ADeadlockIsReported) {
  kernel_.ExpectDeadlock();
  EXPECT_EQ(Wait(-1), absl::StrCat("errno ", EDEADLK));
  EXPECT_THAT(kernel_.Deadlock(),
              Optional(HasSubstr(absl::StrCat("main: waits in epoll_wait(",
                                              epoll_, ") of process server"))));
}

TEST_F(EpollTest, TheNewestOfTheWaitingCallsIsWoken) {
  const int counter = NewCounter();
  EXPECT_THAT(Add(counter, EPOLLIN | EPOLLET), IsOk());
  const auto wait = [&] { EXPECT_EQ(Wait(-1), "1:1"); };
  FakeKernel::Thread one(kernel_, "one", wait);
  ASSERT_TRUE(one.AwaitBlocked());
  FakeKernel::Thread two(kernel_, "two", wait);
  ASSERT_TRUE(two.AwaitBlocked());
  EXPECT_THAT(Increment(counter), IsOk());
  two.Join();
  EXPECT_TRUE(one.AwaitBlocked());
  EXPECT_THAT(Increment(counter), IsOk());
  one.Join();
}

TEST_F(EpollTest, AChildSharesIt) {
  const int counter = NewCounter();
  EXPECT_THAT(Add(counter, EPOLLIN), IsOk());
  FakeProcess& child = sys_.Fork("child");
  EXPECT_THAT(sys_.Close(counter), IsOk());
  const uint64_t one = 1;
  EXPECT_THAT(child.Write(counter, &one, sizeof(one)), IsOk());
  EXPECT_EQ(Wait(0), "1:1") << "the child has the file open";
  child.Exec();
  EXPECT_THAT(child.Close(epoll_), IsErrno(EBADF));
  EXPECT_EQ(Wait(0), "1:1");
  child.Exit();
  EXPECT_EQ(Wait(0), "");
}

// The invariants are checked at the end of each call.
TEST_F(EpollTest, FilesAreClosedInAnyOrder) {
  const Pair pair = NewPair(sys_);
  const int inner = Must(sys_.EpollCreate1(0));
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 1}};
  EXPECT_THAT(sys_.EpollCtl(inner, EPOLL_CTL_ADD, pair.server, &event), IsOk());
  EXPECT_THAT(Add(pair.server, EPOLLIN), IsOk());
  EXPECT_THAT(Add(inner, EPOLLIN), IsOk());
  EXPECT_THAT(sys_.Close(inner), IsOk());
  EXPECT_THAT(WriteText(sys_, pair.client, "x"), IsOk());
  EXPECT_EQ(Wait(0), "1:1");
  EXPECT_THAT(sys_.Close(epoll_), IsOk());
  EXPECT_THAT(WriteText(sys_, pair.client, "x"), IsOk());
}

TEST_F(EpollTest, WaitingForReadyFilesAllocatesNothing) {
  const Pair pair = NewPair(sys_);
  EXPECT_THAT(Add(pair.server, EPOLLIN), IsOk());
  char byte = 'x';
  epoll_event event = {};
  // Counts the allocations of epoll_wait(2) only.
  int allocations = 0;
  const auto wait = [&](int timeout_ms) {
    const int before = AllocationCount();
    const SysResult result = sys_.EpollWait(epoll_, &event, 1, timeout_ms);
    allocations += AllocationCount() - before;
    return result.value();
  };
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(sys_.Send(pair.client, &byte, 1, 0).ok());
    ASSERT_EQ(wait(-1), 1);
    ASSERT_TRUE(sys_.Recv(pair.server, &byte, 1, 0).ok());
    ASSERT_EQ(wait(0), 0);
  }
  EXPECT_EQ(allocations, 0);
}

}  // namespace
}  // namespace net::fake
