#include "syscalls/syscalls.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <type_traits>

#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

// All memory that a call may write to, filled with a pattern.
struct Canvas {
  static constexpr unsigned char kPattern = 0x5a;

  Canvas() { std::memset(static_cast<void*>(this), kPattern, sizeof(*this)); }

  bool Untouched() const {
    std::array<unsigned char, sizeof(Canvas)> bytes;
    std::memcpy(bytes.data(), this, sizeof(*this));
    for (const unsigned char byte : bytes) {
      if (byte != kPattern) return false;
    }
    return true;
  }

  sockaddr_storage address;
  socklen_t length;
  int value;
  int fds[2];
  char data[8];
  msghdr message;
  mmsghdr messages;
  iovec part;
  off_t offset;
  pollfd poll_entry;
  epoll_event event;
  timespec time;
  timeval interval;
  itimerspec timer;
  fd_set set;
  sigset_t signals;

  sockaddr* addr() { return reinterpret_cast<sockaddr*>(&address); }
};

// An implementation without any call.
class Nothing : public Syscalls {};

class SyscallsDefaultTest : public testing::Test {
 protected:
  SyscallsDefaultTest() { errno = kUnrelated; }

  void ExpectUntouched() {
    EXPECT_EQ(errno, kUnrelated);
    EXPECT_TRUE(canvas_.Untouched());
  }

  static constexpr int kUnrelated = 4711;
  Nothing kernel_;
  Syscalls& sys_ = kernel_;
  Canvas canvas_;
};

TEST_F(SyscallsDefaultTest, SocketCallsAreEnosys) {
  Canvas& c = canvas_;
  EXPECT_THAT(sys_.Socket(AF_INET, SOCK_STREAM, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Bind(0, c.addr(), sizeof(c.address)), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Listen(0, 1), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Accept(0, c.addr(), &c.length), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Accept4(0, c.addr(), &c.length, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Connect(0, c.addr(), sizeof(c.address)), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.GetSockName(0, c.addr(), &c.length), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.GetPeerName(0, c.addr(), &c.length), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.SetSockOpt(0, 0, 0, &c.value, sizeof(c.value)),
              IsErrno(ENOSYS));
  EXPECT_THAT(sys_.GetSockOpt(0, 0, 0, &c.value, &c.length), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Shutdown(0, SHUT_RDWR), IsErrno(ENOSYS));
  ExpectUntouched();
}

TEST_F(SyscallsDefaultTest, DataCallsAreEnosys) {
  Canvas& c = canvas_;
  EXPECT_THAT(sys_.Send(0, c.data, sizeof(c.data), 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Recv(0, c.data, sizeof(c.data), 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.SendTo(0, c.data, sizeof(c.data), 0, c.addr(), 16),
              IsErrno(ENOSYS));
  EXPECT_THAT(sys_.RecvFrom(0, c.data, sizeof(c.data), 0, c.addr(), &c.length),
              IsErrno(ENOSYS));
  EXPECT_THAT(sys_.SendMsg(0, &c.message, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.RecvMsg(0, &c.message, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.SendMMsg(0, &c.messages, 1, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.RecvMMsg(0, &c.messages, 1, 0, &c.time), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Read(0, c.data, sizeof(c.data)), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Write(0, c.data, sizeof(c.data)), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.ReadV(0, &c.part, 1), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.WriteV(0, &c.part, 1), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.SendFile(0, 0, &c.offset, 1), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Splice(0, &c.offset, 0, &c.offset, 1, 0), IsErrno(ENOSYS));
  ExpectUntouched();
}

TEST_F(SyscallsDefaultTest, ReadinessCallsAreEnosys) {
  Canvas& c = canvas_;
  EXPECT_THAT(sys_.Poll(&c.poll_entry, 1, -1), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.PPoll(&c.poll_entry, 1, &c.time, &c.signals),
              IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Select(1, &c.set, &c.set, &c.set, &c.interval),
              IsErrno(ENOSYS));
  EXPECT_THAT(sys_.PSelect6(1, &c.set, &c.set, &c.set, &c.time, &c.signals),
              IsErrno(ENOSYS));
  EXPECT_THAT(sys_.EpollCreate1(0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.EpollCtl(0, EPOLL_CTL_ADD, 0, &c.event), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.EpollWait(0, &c.event, 1, -1), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.EpollPWait(0, &c.event, 1, -1, &c.signals), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.EpollPWait2(0, &c.event, 1, &c.time, &c.signals),
              IsErrno(ENOSYS));
  ExpectUntouched();
}

TEST_F(SyscallsDefaultTest, DescriptorCallsAreEnosys) {
  Canvas& c = canvas_;
  const auto pointer = reinterpret_cast<intptr_t>(&c.value);
  EXPECT_THAT(sys_.Close(0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Fcntl(0, 0, pointer), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Ioctl(0, 0, pointer), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Dup(0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Dup3(0, 1, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.Pipe2(c.fds, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.EventFd(0, 0), IsErrno(ENOSYS));
  ExpectUntouched();
}

TEST_F(SyscallsDefaultTest, TimeCallsAreEnosys) {
  Canvas& c = canvas_;
  EXPECT_THAT(sys_.ClockGetTime(CLOCK_MONOTONIC, &c.time), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.NanoSleep(&c.time, &c.time), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.TimerFdCreate(CLOCK_MONOTONIC, 0), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.TimerFdSetTime(0, 0, &c.timer, &c.timer), IsErrno(ENOSYS));
  EXPECT_THAT(sys_.TimerFdGetTime(0, &c.timer), IsErrno(ENOSYS));
  ExpectUntouched();
}

TEST(SyscallsTest, IsPassedByReferenceAndNotCopied) {
  static_assert(!std::is_copy_constructible_v<Nothing>);
  static_assert(!std::is_copy_assignable_v<Nothing>);
  static_assert(std::has_virtual_destructor_v<Syscalls>);
}

}  // namespace
}  // namespace net
