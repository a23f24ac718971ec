// The standard descriptors of a FakeProcess: each call of Syscalls that takes a
// descriptor has the same result as on the machine's own /dev/null.

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/user_memory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::fake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Attempt {
  std::string text;
  // Makes the call, on a descriptor of /dev/null.
  std::function<SysResult(Syscalls& sys, int fd)> make;
};

char buffer[64];

// Returns an invalid pointer.
char* At(uintptr_t address) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<char*>(address);
}

const uintptr_t kKernelAddress = ~uintptr_t{0} << 47;

std::vector<Attempt> Transfers() {
  std::vector<Attempt> attempts;
  const auto add = [&](const std::string& where, char* data, size_t size) {
    attempts.push_back({"read " + where, [=](Syscalls& sys, int fd) {
                          return sys.Read(fd, data, size);
                        }});
    // AddressSanitizer refuses null pointers in calls that write(2) accepts.
    if (data == nullptr) return;
    attempts.push_back({"write " + where, [=](Syscalls& sys, int fd) {
                          return sys.Write(fd, data, size);
                        }});
  };
  add("some bytes", buffer, sizeof(buffer));
  add("no bytes", buffer, 0);
  add("null", nullptr, 8);
  add("more bytes than memory", buffer, SIZE_MAX);
  add("a kernel address", At(kKernelAddress), 8);
  add("no bytes at a kernel address", At(kKernelAddress), 0);
  add("no bytes at the end", At(kEndOfUserAddresses), 0);
  add("no bytes behind the end", At(kEndOfUserAddresses + 1), 0);
  add("a byte at the end", At(kEndOfUserAddresses), 1);
  return attempts;
}

std::vector<Attempt> Polls() {
  std::vector<Attempt> attempts;
  for (const int events : {0, POLLIN, POLLOUT, POLLPRI | POLLRDHUP, 0x7fff}) {
    attempts.push_back(
        {"poll events " + std::to_string(events), [=](Syscalls& sys, int fd) {
           pollfd polled = {fd, static_cast<int16_t>(events), 0};
           const SysResult ready = sys.Poll(&polled, 1, 0);
           return ready.ok() ? SysResult::Ok(polled.revents) : ready;
         }});
  }
  return attempts;
}

SysResult IoctlInt(Syscalls& sys, int fd, uint64_t request, int value) {
  return sys.Ioctl(fd, request, reinterpret_cast<intptr_t>(&value));
}

// Ends with the flags that it started with.
std::vector<Attempt> Controls() {
  std::vector<Attempt> attempts;
  const auto fcntl = [&](const std::string& text, int command,
                         intptr_t argument) {
    attempts.push_back({"fcntl " + text, [=](Syscalls& sys, int fd) {
                          return sys.Fcntl(fd, command, argument);
                        }});
  };
  const auto ioctl = [&](const std::string& text, uint64_t request, int value) {
    attempts.push_back({"ioctl " + text, [=](Syscalls& sys, int fd) {
                          return IoctlInt(sys, fd, request, value);
                        }});
  };
  fcntl("F_GETFD", F_GETFD, 0);
  fcntl("F_GETFL", F_GETFL, 0);
  fcntl("F_SETFL O_NONBLOCK", F_SETFL, O_NONBLOCK);
  fcntl("F_GETFL, O_NONBLOCK", F_GETFL, 0);
  attempts.push_back({"read, O_NONBLOCK", [](Syscalls& sys, int fd) {
                        return sys.Read(fd, buffer, 1);
                      }});
  ioctl("FIONBIO 0", FIONBIO, 0);
  fcntl("F_GETFL after FIONBIO 0", F_GETFL, 0);
  fcntl("F_SETFD", F_SETFD, FD_CLOEXEC);
  fcntl("F_GETFD, FD_CLOEXEC", F_GETFD, 0);
  ioctl("FIONCLEX", FIONCLEX, 0);
  fcntl("F_GETFD after FIONCLEX", F_GETFD, 0);
  fcntl("unknown", 12345, 0);
  ioctl("FIONREAD", FIONREAD, 0);
  ioctl("SIOCOUTQ", SIOCOUTQ, 0);
  ioctl("SIOCATMARK", SIOCATMARK, 0);
  ioctl("unknown", 12345, 0);
  return attempts;
}

std::vector<Attempt> SocketCalls() {
  std::vector<Attempt> attempts;
  const auto add = [&](const std::string& text, auto make) {
    attempts.push_back({text, make});
  };
  static sockaddr_in address = {};
  address.sin_family = AF_INET;
  static auto* const addr = reinterpret_cast<sockaddr*>(&address);
  static socklen_t len = sizeof(address);
  static msghdr message = {};
  add("bind", [](Syscalls& sys, int fd) { return sys.Bind(fd, addr, len); });
  add("listen", [](Syscalls& sys, int fd) { return sys.Listen(fd, 1); });
  add("accept4", [](Syscalls& sys, int fd) {
    return sys.Accept4(fd, nullptr, nullptr, 0);
  });
  add("accept4 with invalid flags", [](Syscalls& sys, int fd) {
    return sys.Accept4(fd, nullptr, nullptr, 12345);
  });
  add("connect",
      [](Syscalls& sys, int fd) { return sys.Connect(fd, addr, len); });
  add("connect without an address",
      [](Syscalls& sys, int fd) { return sys.Connect(fd, nullptr, len); });
  add("getsockname",
      [](Syscalls& sys, int fd) { return sys.GetSockName(fd, addr, &len); });
  add("getpeername",
      [](Syscalls& sys, int fd) { return sys.GetPeerName(fd, addr, &len); });
  add("setsockopt", [](Syscalls& sys, int fd) {
    return sys.SetSockOpt(fd, SOL_SOCKET, SO_REUSEADDR, nullptr, UINT_MAX);
  });
  add("getsockopt", [](Syscalls& sys, int fd) {
    return sys.GetSockOpt(fd, SOL_SOCKET, SO_REUSEADDR, nullptr, nullptr);
  });
  add("shutdown", [](Syscalls& sys, int fd) { return sys.Shutdown(fd, 9); });
  add("send", [](Syscalls& sys, int fd) { return sys.Send(fd, buffer, 1, 0); });
  add("recv", [](Syscalls& sys, int fd) { return sys.Recv(fd, buffer, 1, 0); });
  add("sendmsg",
      [](Syscalls& sys, int fd) { return sys.SendMsg(fd, &message, 0); });
  add("recvmsg",
      [](Syscalls& sys, int fd) { return sys.RecvMsg(fd, &message, 0); });
  return attempts;
}

class StandardDescriptorTest : public testing::Test {
 protected:
  StandardDescriptorTest() : real_(open("/dev/null", O_RDWR)) {
    EXPECT_GE(real_, 0);
  }
  ~StandardDescriptorTest() override { EXPECT_EQ(close(real_), 0); }

  void ExpectTheSame(const std::vector<Attempt>& attempts) {
    for (const Attempt& attempt : attempts) {
      EXPECT_EQ(attempt.make(process_, STDIN_FILENO),
                attempt.make(DefaultSyscalls(), real_))
          << attempt.text;
    }
  }

  const int real_;  // The machine's /dev/null.
  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess();
};

TEST_F(StandardDescriptorTest, TransfersEndAsOnLinux) {
  ExpectTheSame(Transfers());
}

// Not compared, for AddressSanitizer. Measured on Linux 6.18: 8.
TEST_F(StandardDescriptorTest, AWriteDoesNotReadItsBuffer) {
  EXPECT_THAT(process_.Write(STDOUT_FILENO, nullptr, 8), IsOkAndHolds(8));
}

TEST_F(StandardDescriptorTest, PollsEndAsOnLinux) { ExpectTheSame(Polls()); }

TEST_F(StandardDescriptorTest, ControlsEndAsOnLinux) {
  ExpectTheSame(Controls());
}

TEST_F(StandardDescriptorTest, SocketCallsEndAsOnLinux) {
  ExpectTheSame(SocketCalls());
}

TEST_F(StandardDescriptorTest, TheThreeShareOneOpenFile) {
  ASSERT_THAT(process_.Fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK), IsOk());
  EXPECT_EQ(process_.Fcntl(STDERR_FILENO, F_GETFL, 0),
            process_.Fcntl(STDIN_FILENO, F_GETFL, 0));
  EXPECT_THAT(process_.Close(STDIN_FILENO), IsOk());
  EXPECT_THAT(process_.Read(STDIN_FILENO, buffer, 1), IsErrno(EBADF));
  EXPECT_THAT(process_.Write(STDOUT_FILENO, "x", 1), IsOkAndHolds(1));
  EXPECT_EQ(process_.DescribeDescriptor(STDERR_FILENO), "/dev/null");
}

TEST_F(StandardDescriptorTest, NewDescriptorsBeginAtThree) {
  EXPECT_THAT(process_.EventFd(0, 0), IsOkAndHolds(3));
  EXPECT_THAT(process_.OpenDescriptors(), ElementsAre(3));
  EXPECT_THAT(process_.AllDescriptors(), ElementsAre(0, 1, 2, 3));
}

TEST_F(StandardDescriptorTest, TheyCountForTheLimit) {
  process_.set_nofile_limit(3);
  EXPECT_THAT(process_.EventFd(0, 0), IsErrno(EMFILE));
  FakeProcess& small = kernel_.NewProcess({.nofile_limit = 4});
  EXPECT_THAT(small.EventFd(0, 0), IsOkAndHolds(3));
  EXPECT_THAT(small.EventFd(0, 0), IsErrno(EMFILE));
}

TEST_F(StandardDescriptorTest, AreOpenInAForkAndAfterExec) {
  FakeProcess& child = process_.Fork("child");
  child.Exec();
  EXPECT_THAT(child.AllDescriptors(), ElementsAre(0, 1, 2));
  EXPECT_THAT(child.OpenDescriptors(), IsEmpty());
  child.Exit();
  EXPECT_THAT(child.AllDescriptors(), IsEmpty());
  EXPECT_THAT(process_.Write(STDOUT_FILENO, "x", 1), IsOkAndHolds(1));
}

// A program that forgets one of them has leaked it.
TEST_F(StandardDescriptorTest, ReplacementsAndDuplicatesAreTheProgramsOwn) {
  ASSERT_THAT(process_.Close(STDIN_FILENO), IsOk());
  EXPECT_THAT(process_.Dup(STDOUT_FILENO), IsOkAndHolds(STDIN_FILENO));
  EXPECT_THAT(process_.Dup(STDOUT_FILENO), IsOkAndHolds(3));
  EXPECT_THAT(process_.Dup3(3, STDERR_FILENO, 0), IsOk());
  EXPECT_THAT(process_.OpenDescriptors(), ElementsAre(0, 2, 3));
}

TEST_F(StandardDescriptorTest, AProcessMayStartWithoutThem) {
  FakeProcess& bare = kernel_.NewProcess({.standard_descriptors = false});
  EXPECT_THAT(bare.AllDescriptors(), IsEmpty());
  EXPECT_THAT(bare.EventFd(0, 0), IsOkAndHolds(0));
  EXPECT_THAT(bare.Fork("child").AllDescriptors(), ElementsAre(0));
}

}  // namespace
}  // namespace net::fake
