// select(2) on a FakeKernel: what kernel cases cannot show, because it takes
// virtual time or a limit of its own.

#include <fcntl.h>
#include <sys/select.h>
#include <sys/time.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <vector>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using Word = unsigned long;  // NOLINT(google-runtime-int): as in fd_set
constexpr int kWordBits = sizeof(Word) * CHAR_BIT;

// A set for more descriptors than an fd_set.
class LargeSet {
 public:
  explicit LargeSet(int count)
      : words_(static_cast<size_t>(count / kWordBits + 1)) {}
  fd_set* get() { return reinterpret_cast<fd_set*>(words_.data()); }
  void Add(int fd) { words_.at(WordOf(fd)) |= Word{1} << (fd % kWordBits); }
  bool has(int fd) const {
    return (words_.at(WordOf(fd)) >> (fd % kWordBits) & 1) != 0;
  }

 private:
  static size_t WordOf(int fd) { return static_cast<size_t>(fd / kWordBits); }

  std::vector<Word> words_;
};

class FakeKernelSelectTest : public testing::Test {
 protected:
  FakeKernelSelectTest() { EXPECT_THAT(sys_.Pipe2(pipe_, 0), IsOk()); }

  static fd_set SetOf(int fd) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return set;
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess({.nofile_limit = 4096});
  FakeKernel::Participant self_{kernel_};
  int pipe_[2] = {-1, -1};
};

TEST_F(FakeKernelSelectTest, ATimeoutTakesVirtualTime) {
  fd_set readable = SetOf(pipe_[0]);
  timeval timeout = {.tv_sec = 3600, .tv_usec = 5};
  const absl::Duration before = kernel_.Now();
  EXPECT_THAT(sys_.Select(FD_SETSIZE, &readable, nullptr, nullptr, &timeout),
              IsOkAndHolds(0));
  EXPECT_EQ(kernel_.Now() - before, absl::Hours(1) + absl::Microseconds(5));
  EXPECT_EQ(timeout.tv_sec, 0);
  EXPECT_EQ(timeout.tv_usec, 0);
}

TEST_F(FakeKernelSelectTest, TheTimeThatIsLeftIsExact) {
  FakeKernel::Thread writer(kernel_, "writer", [&] {
    const timespec duration = {.tv_sec = 1, .tv_nsec = 500'000'000};
    EXPECT_THAT(sys_.NanoSleep(&duration, nullptr), IsOk());
    EXPECT_THAT(sys_.Write(pipe_[1], "x", 1), IsOk());
  });
  fd_set readable = SetOf(pipe_[0]);
  timeval timeout = {.tv_sec = 10, .tv_usec = 0};
  EXPECT_THAT(sys_.Select(FD_SETSIZE, &readable, nullptr, nullptr, &timeout),
              IsOkAndHolds(1));
  EXPECT_EQ(timeout.tv_sec, 8);
  EXPECT_EQ(timeout.tv_usec, 500'000);
}

TEST_F(FakeKernelSelectTest, SetsMayBeLargerThanAnFdSet) {
  const SysResult high = sys_.Fcntl(pipe_[1], F_DUPFD, 3000);
  ASSERT_THAT(high, IsOk());
  LargeSet writable(4096);
  writable.Add(high.fd());
  writable.Add(pipe_[1]);
  timeval now = {};
  EXPECT_THAT(sys_.Select(4096, nullptr, writable.get(), nullptr, &now),
              IsOkAndHolds(2));
  EXPECT_TRUE(writable.has(high.fd()));
  EXPECT_THAT(sys_.Select(high.fd(), nullptr, writable.get(), nullptr, &now),
              IsOkAndHolds(1));
}

// As in poll(2), it sleeps on. Linux would return the descriptor only if
// something else woke the call.
TEST_F(FakeKernelSelectTest, AClosedDescriptorDoesNotEndTheWait) {
  fd_set readable = SetOf(pipe_[0]);
  FakeKernel::Thread selecting(kernel_, "selecting", [&] {
    timeval timeout = {.tv_sec = 10, .tv_usec = 0};
    EXPECT_THAT(sys_.Select(FD_SETSIZE, &readable, nullptr, nullptr, &timeout),
                IsOkAndHolds(1))
        << "POLLNVAL at the end";
    EXPECT_EQ(timeout.tv_sec, 0);
  });
  ASSERT_TRUE(selecting.AwaitBlocked());
  EXPECT_THAT(sys_.Close(pipe_[0]), IsOk());
}

TEST_F(FakeKernelSelectTest, WithoutAnythingToComeItIsADeadlock) {
  kernel_.ExpectDeadlock();
  fd_set readable = SetOf(pipe_[0]);
  EXPECT_THAT(sys_.Select(FD_SETSIZE, &readable, nullptr, nullptr, nullptr),
              IsErrno(EDEADLK));
}

}  // namespace
}  // namespace net
