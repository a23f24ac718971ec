#include "fakes/kernel/pipe.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Tests pipe(2) and pipe(7) through system calls.

namespace net::fake {
namespace {

constexpr size_t kCapacity = 65536;

class PipeTest : public testing::Test {
 protected:
  PipeTest() { Make(0); }

  void Make(int flags) { EXPECT_THAT(sys_.Pipe2(fds_, flags), IsOk()); }
  int in() const { return fds_[1]; }
  int out() const { return fds_[0]; }

  SysResult Write(absl::string_view text) {
    return WriteText(sys_, in(), text);
  }
  std::string Read(size_t most = kCapacity) {
    return ReadText(sys_, out(), most);
  }
  void Fill(size_t size) {
    EXPECT_THAT(Write(std::string(size, 'x')), IsOkAndHolds(size));
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
  int fds_[2] = {-1, -1};
};

TEST_F(PipeTest, WrittenBytesAreRead) {
  EXPECT_THAT(Write("hello, "), IsOkAndHolds(7));
  EXPECT_THAT(Write("world"), IsOkAndHolds(5));
  EXPECT_EQ(Read(3), "hel");
  EXPECT_EQ(Read(), "lo, world");
}

TEST_F(PipeTest, EachEndHasItsDirection) {
  char byte = 'x';
  EXPECT_THAT(sys_.Read(in(), &byte, 1), IsErrno(EBADF));
  EXPECT_THAT(sys_.Write(out(), &byte, 1), IsErrno(EBADF));
  EXPECT_THAT(sys_.Fcntl(out(), F_GETFL, 0), IsOkAndHolds(O_RDONLY));
  EXPECT_THAT(sys_.Fcntl(in(), F_GETFL, 0), IsOkAndHolds(O_WRONLY));
}

TEST_F(PipeTest, ReadingNothingNeverWaits) {
  EXPECT_THAT(sys_.Read(out(), nullptr, 0), IsOkAndHolds(0));
}

TEST_F(PipeTest, AReaderWaitsForAWriter) {
  FakeKernel::Thread reader(kernel_, "reader",
                            [this] { EXPECT_EQ(Read(), "late"); });
  ASSERT_TRUE(reader.AwaitBlocked());
  EXPECT_THAT(Write("late"), IsOk());
}

TEST_F(PipeTest, AWriterWaitsForRoom) {
  Fill(kCapacity);
  FakeKernel::Thread writer(kernel_, "writer", [this] {
    EXPECT_THAT(Write(std::string(2 * kCapacity, 'y')),
                IsOkAndHolds(2 * kCapacity));
  });
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_EQ(Read(), std::string(kCapacity, 'x'));
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_EQ(Read(), std::string(kCapacity, 'y'));
  writer.Join();
  EXPECT_EQ(Read(), std::string(kCapacity, 'y'));
}

TEST_F(PipeTest, TheEndComesWhenTheLastWriterIsGone) {
  const int copy = Must(sys_.Dup(in()));
  EXPECT_THAT(Write("last"), IsOk());
  EXPECT_THAT(sys_.Close(in()), IsOk());
  EXPECT_EQ(Read(), "last");
  FakeKernel::Thread reader(kernel_, "reader",
                            [this] { EXPECT_EQ(Read(), ""); });
  ASSERT_TRUE(reader.AwaitBlocked());
  EXPECT_THAT(sys_.Close(copy), IsOk());
}

// write(2): EPIPE and SIGPIPE.
TEST_F(PipeTest, WithoutAReaderThereIsNoWriting) {
  FakeKernel::Thread writer(kernel_, "writer", [this] {
    Fill(kCapacity);
    EXPECT_THAT(Write("more"), IsErrno(EPIPE));
  });
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_EQ(sys_.sigpipes(), 0);
  EXPECT_THAT(sys_.Close(out()), IsOk());
  writer.Join();
  EXPECT_EQ(sys_.sigpipes(), 1);
  EXPECT_THAT(Write("more"), IsErrno(EPIPE));
  EXPECT_EQ(sys_.sigpipes(), 2);
  EXPECT_THAT(sys_.Write(in(), nullptr, 4), IsErrno(EPIPE))
      << "before it looks at the data";
  const iovec none = {.iov_base = nullptr, .iov_len = 0};
  EXPECT_THAT(sys_.WriteV(in(), &none, 1), IsOkAndHolds(0));
}

TEST_F(PipeTest, MoreRoomEndsTheWaitForIt) {
  EXPECT_THAT(sys_.Fcntl(in(), F_SETPIPE_SZ, 4096), IsOkAndHolds(4096));
  Fill(4096);
  FakeKernel::Thread writer(kernel_, "writer", [this] { Fill(4096); });
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_THAT(sys_.Fcntl(out(), F_SETPIPE_SZ, 8192), IsOkAndHolds(8192));
}

TEST_F(PipeTest, NonblockingCallsDoNotWait) {
  Make(O_NONBLOCK);
  char byte = 0;
  EXPECT_THAT(sys_.Read(out(), &byte, 1), IsErrno(EAGAIN));
  Fill(kCapacity);
  EXPECT_THAT(Write("more"), IsErrno(EAGAIN));
}

// pipe(7), PIPE_BUF: a write of at most PIPE_BUF bytes is atomic.
TEST_F(PipeTest, FewBytesGoTogetherAndManyInParts) {
  Make(O_NONBLOCK);
  Fill(kCapacity - PIPE_BUF);
  Fill(1);
  EXPECT_THAT(Write(std::string(PIPE_BUF, 'y')), IsErrno(EAGAIN));
  EXPECT_THAT(Write(std::string(PIPE_BUF + 1, 'y')), IsOkAndHolds(1));
}

// fcntl(2), F_SETPIPE_SZ: the capacity depends on the sizes of the writes.
TEST_F(PipeTest, BytesAreKeptInPages) {
  Make(O_NONBLOCK);
  Fill(kCapacity - 10);
  EXPECT_EQ(Ready(sys_, in(), POLLOUT), 0) << "no page is free";
  EXPECT_THAT(Write(std::string(11, 'y')), IsErrno(EAGAIN));
  EXPECT_THAT(Write(std::string(PIPE_BUF, 'y')), IsErrno(EAGAIN));
  EXPECT_THAT(Write(std::string(10, 'y')), IsOkAndHolds(10));
  EXPECT_EQ(Read(4095).size(), 4095U);
  EXPECT_THAT(Write("y"), IsErrno(EAGAIN)) << "a page in use is not free";
  EXPECT_EQ(Read(1).size(), 1U);
  EXPECT_EQ(Ready(sys_, in(), POLLOUT), POLLOUT);
  EXPECT_THAT(Write(std::string(kCapacity, 'y')), IsOkAndHolds(4096));
}

TEST_F(PipeTest, ShortWritesShareAPage) {
  Make(O_NONBLOCK);
  int written = 0;
  while (Write("123").ok()) ++written;
  EXPECT_EQ(written, 16 * (4096 / 3));
}

TEST_F(PipeTest, PollReportsDataAndRoom) {
  EXPECT_EQ(Ready(sys_, out(), POLLIN), 0);
  EXPECT_EQ(Ready(sys_, in(), POLLOUT), POLLOUT);
  Fill(kCapacity);
  EXPECT_EQ(Ready(sys_, out(), POLLIN), POLLIN);
  EXPECT_EQ(Ready(sys_, in(), POLLOUT), 0);
  EXPECT_EQ(Read(), std::string(kCapacity, 'x'));
  EXPECT_EQ(Ready(sys_, out(), POLLIN), 0);
}

TEST_F(PipeTest, PollReportsThatTheOtherEndIsClosed) {
  EXPECT_THAT(Write("last"), IsOk());
  EXPECT_THAT(sys_.Close(in()), IsOk());
  EXPECT_EQ(Ready(sys_, out(), POLLIN), POLLIN | POLLHUP);
  EXPECT_EQ(Read(), "last");
  EXPECT_EQ(Ready(sys_, out(), POLLIN), POLLHUP);

  Make(0);
  EXPECT_THAT(sys_.Close(out()), IsOk());
  EXPECT_EQ(Ready(sys_, in(), POLLOUT), POLLOUT | POLLERR);
}

TEST_F(PipeTest, IoctlReturnsTheNumberOfUnreadBytes) {
  EXPECT_THAT(Write("12345"), IsOk());
  int there = 0;
  EXPECT_THAT(sys_.Ioctl(out(), FIONREAD, reinterpret_cast<intptr_t>(&there)),
              IsOk());
  EXPECT_EQ(there, 5);
  EXPECT_THAT(sys_.Ioctl(out(), SIOCATMARK, reinterpret_cast<intptr_t>(&there)),
              IsErrno(ENOTTY));
}

TEST_F(PipeTest, IsNotASocket) {
  EXPECT_THAT(sys_.Listen(out(), 1), IsErrno(ENOTSOCK));
  EXPECT_THAT(sys_.Recv(out(), nullptr, 0, 0), IsErrno(ENOTSOCK));
}

TEST_F(PipeTest, BadMemoryIsAnError) {
  EXPECT_THAT(sys_.Write(in(), nullptr, 1), IsErrno(EFAULT));
  EXPECT_THAT(Write("kept"), IsOk());
  EXPECT_THAT(sys_.Read(out(), nullptr, 4), IsErrno(EFAULT));
  EXPECT_EQ(Read(), "kept");
}

TEST_F(PipeTest, ASignalEndsTheWait) {
  FakeKernel::Thread reader(kernel_, "reader", [this] {
    char byte = 0;
    EXPECT_THAT(sys_.Read(out(), &byte, 1), IsErrno(EINTR));
  });
  ASSERT_TRUE(reader.AwaitBlocked());
  reader.Interrupt();
}

// signal(7), SA_RESTART.
TEST_F(PipeTest, ARestartingSignalDoesNot) {
  FakeKernel::Thread reader(kernel_, "reader",
                            [this] { EXPECT_EQ(Read(), "x"); });
  ASSERT_TRUE(reader.AwaitBlocked());
  EXPECT_TRUE(reader.Interrupt(/*restart=*/true));
  ASSERT_TRUE(reader.AwaitBlocked());
  EXPECT_THAT(Write("x"), IsOk());
}

// write(2): a write that is interrupted after some bytes returns their number.
TEST_F(PipeTest, AnInterruptedWriterReturnsTheBytesWritten) {
  Fill(kCapacity - PIPE_BUF);
  FakeKernel::Thread writer(kernel_, "writer", [this] {
    EXPECT_THAT(Write(std::string(kCapacity, 'y')), IsOkAndHolds(PIPE_BUF));
  });
  ASSERT_TRUE(writer.AwaitBlocked());
  writer.Interrupt();
}

TEST_F(PipeTest, SoDoesAWriterWhoseReaderGoes) {
  FakeKernel::Thread writer(kernel_, "writer", [this] {
    EXPECT_THAT(Write(std::string(kCapacity + 1, 'y')),
                IsOkAndHolds(kCapacity));
  });
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_THAT(sys_.Close(out()), IsOk());
  writer.Join();
  EXPECT_EQ(sys_.sigpipes(), 1);
}

TEST_F(PipeTest, FlagsAreThoseOfPipe2) {
  EXPECT_THAT(sys_.Pipe2(fds_, O_APPEND), IsErrno(EINVAL));
  EXPECT_THAT(sys_.Pipe2(nullptr, 0), IsErrno(EFAULT));
  Make(O_CLOEXEC);
  EXPECT_THAT(sys_.Fcntl(in(), F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
  EXPECT_THAT(sys_.Fcntl(out(), F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
}

}  // namespace
}  // namespace net::fake
