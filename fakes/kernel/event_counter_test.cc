#include "fakes/kernel/event_counter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Tests eventfd(2) through system calls.

namespace net::fake {
namespace {

constexpr uint64_t kMost = UINT64_MAX - 1;

class EventCounterTest : public testing::Test {
 protected:
  int Make(unsigned initial, int flags = 0) {
    return Must(sys_.EventFd(initial, flags));
  }
  SysResult Add(int fd, uint64_t value) {
    return sys_.Write(fd, &value, sizeof(value));
  }
  uint64_t Take(int fd) {
    uint64_t value = 0;
    EXPECT_THAT(sys_.Read(fd, &value, sizeof(value)),
                IsOkAndHolds(sizeof(value)));
    return value;
  }
  SysResult TryTake(int fd) {
    uint64_t value = 0;
    return sys_.Read(fd, &value, sizeof(value));
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
};

TEST_F(EventCounterTest, AddsWritesAndIsZeroAfterARead) {
  const int fd = Make(3);
  EXPECT_THAT(Add(fd, 4), IsOkAndHolds(8));
  EXPECT_THAT(Add(fd, 0), IsOkAndHolds(8));
  EXPECT_EQ(Take(fd), 7U);
  EXPECT_EQ(Ready(sys_, fd, POLLIN | POLLOUT), POLLOUT);
}

TEST_F(EventCounterTest, ASemaphoreCountsDownByOne) {
  const int fd = Make(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  EXPECT_EQ(Take(fd), 1U);
  EXPECT_EQ(Take(fd), 1U);
  EXPECT_THAT(TryTake(fd), IsErrno(EAGAIN));
}

TEST_F(EventCounterTest, AReaderWaitsForAWriter) {
  const int fd = Make(0);
  FakeKernel::Thread reader(kernel_, "reader",
                            [&] { EXPECT_EQ(Take(fd), 5U); });
  ASSERT_TRUE(reader.AwaitBlocked());
  EXPECT_THAT(Add(fd, 5), IsOk());
}

TEST_F(EventCounterTest, AWriterWaitsWhereItWouldOverflow) {
  const int fd = Make(1);
  EXPECT_THAT(Add(fd, kMost - 1), IsOk());
  FakeKernel::Thread writer(kernel_, "writer",
                            [&] { EXPECT_THAT(Add(fd, 1), IsOk()); });
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_EQ(Take(fd), kMost);
  writer.Join();
  EXPECT_EQ(Take(fd), 1U);
}

TEST_F(EventCounterTest, NonblockingCallsDoNotWait) {
  const int fd = Make(0, EFD_NONBLOCK);
  EXPECT_THAT(TryTake(fd), IsErrno(EAGAIN));
  EXPECT_THAT(Add(fd, kMost), IsOk());
  EXPECT_THAT(Add(fd, 1), IsErrno(EAGAIN));
}

TEST_F(EventCounterTest, PollReportsReadiness) {
  const int fd = Make(0);
  EXPECT_EQ(Ready(sys_, fd, POLLIN | POLLOUT), POLLOUT);
  EXPECT_THAT(Add(fd, 1), IsOk());
  EXPECT_EQ(Ready(sys_, fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
  EXPECT_THAT(Add(fd, kMost - 1), IsOk());
  EXPECT_EQ(Ready(sys_, fd, POLLIN | POLLOUT), POLLIN);
}

TEST_F(EventCounterTest, ValuesAreEightBytes) {
  const int fd = Make(1);
  char bytes[16] = {};
  EXPECT_THAT(sys_.Read(fd, bytes, 7), IsErrno(EINVAL));
  EXPECT_THAT(sys_.Write(fd, bytes, 7), IsErrno(EINVAL));
  EXPECT_THAT(sys_.Read(fd, bytes, 16), IsOkAndHolds(8));
}

TEST_F(EventCounterTest, TheGreatestNumberIsNoValue) {
  EXPECT_THAT(Add(Make(0), UINT64_MAX), IsErrno(EINVAL));
}

TEST_F(EventCounterTest, BadMemoryIsAnError) {
  const int fd = Make(1, EFD_NONBLOCK);
  EXPECT_THAT(sys_.Write(fd, nullptr, 8), IsErrno(EFAULT));
  EXPECT_THAT(sys_.Read(fd, nullptr, 8), IsErrno(EFAULT));
  EXPECT_THAT(TryTake(fd), IsErrno(EAGAIN)) << "the count is lost";
}

TEST_F(EventCounterTest, ASignalEndsTheWait) {
  const int fd = Make(0);
  FakeKernel::Thread reader(kernel_, "reader",
                            [&] { EXPECT_THAT(TryTake(fd), IsErrno(EINTR)); });
  ASSERT_TRUE(reader.AwaitBlocked());
  reader.Interrupt();
}

TEST_F(EventCounterTest, IsNeitherASocketNorATerminal) {
  const int fd = Make(0);
  int value = 0;
  EXPECT_THAT(sys_.Listen(fd, 1), IsErrno(ENOTSOCK));
  EXPECT_THAT(sys_.Ioctl(fd, FIONREAD, reinterpret_cast<intptr_t>(&value)),
              IsErrno(ENOTTY));
}

TEST_F(EventCounterTest, FlagsAreThoseOfEventfd) {
  EXPECT_THAT(sys_.EventFd(0, O_APPEND), IsErrno(EINVAL));
  EXPECT_THAT(sys_.Fcntl(Make(0, EFD_CLOEXEC), F_GETFD, 0),
              IsOkAndHolds(FD_CLOEXEC));
}

}  // namespace
}  // namespace net::fake
