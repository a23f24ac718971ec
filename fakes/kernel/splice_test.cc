#include "fakes/kernel/splice.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Tests splice(2) and sendfile(2) through system calls: what kernel cases
// cannot show, because it raises SIGPIPE, or because Linux's waits cannot be
// seen. (A thread that waits for a pipe's lock is not in an interruptible
// sleep.)

namespace net::fake {
namespace {

constexpr size_t kCapacity = 65536;

class SpliceTest : public testing::Test {
 protected:
  SpliceTest() { EXPECT_THAT(sys_.Pipe2(fds_, 0), IsOk()); }

  int in() const { return fds_[1]; }
  int out() const { return fds_[0]; }

  SysResult Splice(int from, int to, size_t size = kCapacity,
                   unsigned int flags = 0) {
    return sys_.Splice(from, nullptr, to, nullptr, size, flags);
  }
  std::string Read() { return ReadText(sys_, out()); }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
  const Pair pair_ = NewPair(sys_);
  int fds_[2] = {-1, -1};
};

TEST_F(SpliceTest, ToAPipeWithoutAReaderRaisesSigpipe) {
  EXPECT_THAT(WriteText(sys_, pair_.client, "kept"), IsOk());
  EXPECT_THAT(sys_.Close(out()), IsOk());
  EXPECT_THAT(Splice(pair_.server, in()), IsErrno(EPIPE));
  EXPECT_THAT(sys_.SendFile(in(), pair_.server, nullptr, 0), IsErrno(EPIPE));
  EXPECT_EQ(sys_.sigpipes(), 2);
  EXPECT_EQ(ReadText(sys_, pair_.server), "kept");
}

TEST_F(SpliceTest, BetweenPipesAReaderIsNeededEvenAtTheEnd) {
  int other[2];
  ASSERT_THAT(sys_.Pipe2(other, 0), IsOk());
  EXPECT_THAT(sys_.Close(other[0]), IsOk());
  EXPECT_THAT(sys_.Close(in()), IsOk());
  EXPECT_THAT(Splice(out(), other[1]), IsErrno(EPIPE));
  EXPECT_EQ(sys_.sigpipes(), 1);
}

TEST_F(SpliceTest, ToASocketThatIsShutDownRaisesSigpipe) {
  EXPECT_THAT(sys_.Shutdown(pair_.client, SHUT_WR), IsOk());
  EXPECT_THAT(WriteText(sys_, in(), "kept"), IsOk());
  EXPECT_THAT(Splice(out(), pair_.client), IsErrno(EPIPE));
  EXPECT_EQ(sys_.sigpipes(), 1);
  EXPECT_EQ(Read(), "kept");
}

// The reset arrives while the bytes are sent. Linux then tries the socket
// again: net/socket.c, splice_to_socket().
TEST_F(SpliceTest, ToASocketThatIsResetMeanwhileTakesTheError) {
  const int listener = sys_.Socket(AF_INET, SOCK_STREAM, 0).fd();
  const int small = 2304;
  ASSERT_THAT(
      sys_.SetSockOpt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
      IsOk());
  ASSERT_THAT(sys_.Listen(listener, 1), IsOk());
  const int client = sys_.Socket(AF_INET, SOCK_STREAM, 0).fd();
  sockaddr_storage name = {};
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  socklen_t size = sizeof(name);
  ASSERT_THAT(sys_.GetSockName(listener, address, &size), IsOk());
  ASSERT_THAT(sys_.Connect(client, address, size), IsOk());
  const int server = sys_.Accept4(listener, nullptr, nullptr, 0).fd();
  ASSERT_THAT(sys_.Close(server), IsOk());
  ASSERT_THAT(sys_.Fcntl(client, F_SETFL, O_NONBLOCK), IsOk());
  ASSERT_THAT(WriteText(sys_, in(), std::string(30000, 'x')), IsOk());
  EXPECT_THAT(Splice(out(), client), IsOkAndHolds(18432));
  EXPECT_EQ(sys_.sigpipes(), 1);
  int error = -1;
  size = sizeof(error);
  ASSERT_THAT(sys_.GetSockOpt(client, SOL_SOCKET, SO_ERROR, &error, &size),
              IsOk());
  EXPECT_EQ(error, 0);
  EXPECT_THAT(Splice(out(), client), IsErrno(EPIPE));
}

// A reset that arrives after the last byte was written is left for the next
// call, although the bytes were more than SO_SNDBUF.
TEST_F(SpliceTest, ToASocketThatIsResetAfterwardsLeavesTheError) {
  EXPECT_THAT(SetOption(sys_, pair_.client, SOL_SOCKET, SO_SNDBUF, 1), IsOk());
  EXPECT_THAT(sys_.Close(pair_.server), IsOk());
  EXPECT_THAT(WriteText(sys_, in(), std::string(30000, 'x')), IsOk());
  EXPECT_THAT(Splice(out(), pair_.client), IsOkAndHolds(30000));
  EXPECT_EQ(OptionOf(sys_, pair_.client, SOL_SOCKET, SO_ERROR), EPIPE);
}

// While a splice(2) waits for a socket, Linux holds the lock of its pipe.
TEST_F(SpliceTest, OtherCallsWaitForOneThatWaitsForASocket) {
  EXPECT_THAT(WriteText(sys_, in(), "old "), IsOk());
  FakeKernel::Thread splicer(kernel_, "splicer", [this] {
    EXPECT_THAT(Splice(pair_.server, in()), IsOkAndHolds(3));
  });
  ASSERT_TRUE(splicer.AwaitBlocked());
  FakeKernel::Thread reader(kernel_, "reader",
                            [this] { EXPECT_EQ(Read(), "old new"); });
  ASSERT_TRUE(reader.AwaitBlocked()) << "though the pipe has bytes";
  EXPECT_THAT(WriteText(sys_, pair_.client, "new"), IsOk());
  splicer.Join();
  reader.Join();
}

TEST_F(SpliceTest, AWriterWaitsForTheLock) {
  FakeKernel::Thread splicer(kernel_, "splicer", [this] {
    EXPECT_THAT(Splice(pair_.server, in()), IsOkAndHolds(6));
  });
  ASSERT_TRUE(splicer.AwaitBlocked());
  FakeKernel::Thread writer(kernel_, "writer", [this] {
    EXPECT_THAT(WriteText(sys_, in(), "second"), IsOkAndHolds(6));
  });
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_THAT(WriteText(sys_, pair_.client, "first "), IsOk());
  splicer.Join();
  writer.Join();
  EXPECT_EQ(Read(), "first second");
}

TEST_F(SpliceTest, QuestionsAboutThePipeWaitForTheLock) {
  FakeKernel::Thread splicer(kernel_, "splicer", [this] {
    EXPECT_THAT(Splice(pair_.server, in()), IsOkAndHolds(1));
  });
  ASSERT_TRUE(splicer.AwaitBlocked());
  int input = -1;
  FakeKernel::Thread counter(kernel_, "counter", [this, &input] {
    EXPECT_THAT(sys_.Ioctl(out(), FIONREAD, reinterpret_cast<intptr_t>(&input)),
                IsOk());
  });
  FakeKernel::Thread measurer(kernel_, "measurer", [this] {
    EXPECT_THAT(sys_.Fcntl(out(), F_GETPIPE_SZ, 0), IsOkAndHolds(kCapacity));
  });
  ASSERT_TRUE(counter.AwaitBlocked());
  ASSERT_TRUE(measurer.AwaitBlocked());
  EXPECT_THAT(WriteText(sys_, pair_.client, "x"), IsOk());
  splicer.Join();
  counter.Join();
  measurer.Join();
  EXPECT_EQ(input, 1);
}

// The splice(2) keeps its own end of the pipe open.
TEST_F(SpliceTest, ClosingTheOtherEndWaitsForTheLock) {
  FakeKernel::Thread splicer(kernel_, "splicer", [this] {
    EXPECT_THAT(Splice(pair_.server, in()), IsOkAndHolds(1));
  });
  ASSERT_TRUE(splicer.AwaitBlocked());
  EXPECT_THAT(sys_.Close(in()), IsOk());
  FakeKernel::Thread closer(kernel_, "closer",
                            [this] { EXPECT_THAT(sys_.Close(out()), IsOk()); });
  ASSERT_TRUE(closer.AwaitBlocked());
  EXPECT_THAT(sys_.Fcntl(out(), F_GETFD, 0), IsErrno(EBADF))
      << "the number is free";
  EXPECT_THAT(WriteText(sys_, pair_.client, "x"), IsOk());
  splicer.Join();
  closer.Join();
}

TEST_F(SpliceTest, ASignalEndsTheWaitForASocket) {
  FakeKernel::Thread splicer(kernel_, "splicer", [this] {
    EXPECT_THAT(Splice(pair_.server, in()), IsErrno(EINTR));
  });
  ASSERT_TRUE(splicer.AwaitBlocked());
  splicer.Interrupt();
  splicer.Join();
  EXPECT_THAT(WriteText(sys_, in(), "free"), IsOk()) << "the lock is released";
}

// More than one message of 16 pages.
TEST_F(SpliceTest, MovesALargePipe) {
  constexpr size_t kLarge = 4 * kCapacity;
  ASSERT_THAT(sys_.Fcntl(in(), F_SETPIPE_SZ, kLarge), IsOkAndHolds(kLarge));
  const std::string data(kLarge, 'x');
  ASSERT_THAT(WriteText(sys_, in(), data), IsOkAndHolds(kLarge));
  FakeKernel::Thread reader(kernel_, "reader", [&] {
    std::string received(kLarge, '.');
    EXPECT_THAT(
        sys_.Recv(pair_.server, received.data(), received.size(), MSG_WAITALL),
        IsOkAndHolds(kLarge));
    EXPECT_EQ(received, data);
  });
  EXPECT_THAT(Splice(out(), pair_.client, 2 * kLarge), IsOkAndHolds(kLarge));
}

TEST_F(SpliceTest, WakesAWriterOnceAPageIsFree) {
  ASSERT_THAT(sys_.Fcntl(in(), F_SETPIPE_SZ, 4096), IsOk());
  ASSERT_THAT(WriteText(sys_, in(), "first"), IsOk());
  FakeKernel::Thread writer(kernel_, "writer", [this] {
    EXPECT_THAT(WriteText(sys_, in(), std::string(4096, 'x')),
                IsOkAndHolds(4096));
  });
  ASSERT_TRUE(writer.AwaitBlocked());
  EXPECT_THAT(Splice(out(), pair_.client, 4), IsOkAndHolds(4));
  ASSERT_TRUE(writer.AwaitBlocked()) << "a page in use is not free";
  EXPECT_THAT(Splice(out(), pair_.client, 1), IsOkAndHolds(1));
  writer.Join();
  EXPECT_EQ(ReadText(sys_, pair_.server), "first");
}

TEST_F(SpliceTest, WakesReadersOfAPipe) {
  FakeKernel::Thread reader(kernel_, "reader",
                            [this] { EXPECT_EQ(Read(), "x"); });
  ASSERT_TRUE(reader.AwaitBlocked());
  ASSERT_THAT(WriteText(sys_, pair_.client, "x"), IsOk());
  EXPECT_THAT(Splice(pair_.server, in()), IsOkAndHolds(1));
}

// The message that a signal has ended in the middle is the last.
TEST_F(SpliceTest, AnInterruptedSpliceReturnsTheBytesThatWereSent) {
  int small = 4096;
  ASSERT_THAT(sys_.SetSockOpt(pair_.client, SOL_SOCKET, SO_SNDBUF, &small,
                              sizeof(small)),
              IsOk());
  constexpr size_t kLarge = 16 * kCapacity;
  ASSERT_THAT(sys_.Fcntl(in(), F_SETPIPE_SZ, kLarge), IsOk());
  ASSERT_THAT(WriteText(sys_, in(), std::string(kLarge, 'x')), IsOk());
  SysResult sent;
  FakeKernel::Thread splicer(
      kernel_, "splicer", [&] { sent = Splice(out(), pair_.client, kLarge); });
  ASSERT_TRUE(splicer.AwaitBlocked());
  splicer.Interrupt();
  splicer.Join();
  ASSERT_THAT(sent, IsOk());
  EXPECT_GT(sent.value(), 0);
  int left = 0;
  EXPECT_THAT(sys_.Ioctl(out(), FIONREAD, reinterpret_cast<intptr_t>(&left)),
              IsOk());
  EXPECT_EQ(sent.value() + left, static_cast<int64_t>(kLarge));
}

TEST_F(SpliceTest, NullDeviceTakesBytesAndHasNone) {
  ASSERT_THAT(WriteText(sys_, in(), "hello"), IsOk());
  loff_t offset = 7;
  EXPECT_THAT(sys_.Splice(out(), nullptr, 0, &offset, 3, 0), IsOkAndHolds(3));
  EXPECT_EQ(offset, 7);
  EXPECT_EQ(Read(), "lo");
  offset = -1;
  EXPECT_THAT(sys_.Splice(out(), nullptr, 0, &offset, 3, 0), IsErrno(EINVAL));
  EXPECT_THAT(Splice(0, in(), 3), IsErrno(EINVAL));
  EXPECT_THAT(sys_.SendFile(pair_.client, 0, nullptr, 0), IsOkAndHolds(0));
  EXPECT_THAT(sys_.SendFile(pair_.client, 0, &offset, 0), IsErrno(EINVAL));
  EXPECT_THAT(sys_.SendFile(pair_.client, 0, nullptr, 1), IsErrno(EINVAL));
}

}  // namespace
}  // namespace net::fake
