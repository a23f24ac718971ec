// Signals: Interrupt() and blocked calls, as described in signal(7).

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"
#include "tcp/options.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

// A connection, and a listener whose accept queue is full.
class World {
 public:
  World() {
    const Socket first = ConnectLocally(process_, kFull);
    queued_ = Socket(process_.Dup(first.fd()).fd(), process_);
  }

  FakeKernel& kernel() { return kernel_; }
  FakeProcess& process() { return process_; }
  const Connected& both() const { return both_; }

  SysResult Accept() {
    return process_.Accept4(both_.listener.fd(), nullptr, nullptr, 0);
  }
  SysResult Receive() {
    char byte = 0;
    return process_.Recv(both_.client.fd(), &byte, 1, 0);
  }
  SysResult ConnectToFull() {
    const ip::SockAddr address({ip::kLocalV4, kFull});
    return process_.Connect(connecting_.fd(), address.get(), address.size());
  }
  SysResult Poll() {
    pollfd entry = {.fd = both_.client.fd(), .events = POLLIN, .revents = 0};
    return process_.Poll(&entry, 1, -1);
  }
  SysResult Sleep() {
    const timespec hour = {.tv_sec = 3600, .tv_nsec = 0};
    return process_.NanoSleep(&hour, nullptr);
  }

  void SetTimeout(int option) {
    const timeval hour = {.tv_sec = 3600, .tv_usec = 0};
    for (const Socket* one : {&both_.listener, &both_.client, &connecting_}) {
      ASSERT_THAT(process_.SetSockOpt(one->fd(), SOL_SOCKET, option, &hour,
                                      sizeof(hour)),
                  IsOk());
    }
  }

 private:
  static constexpr uint16_t kFull = kPort + 1;

  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess();
  Connected both_ = ConnectProcesses(process_, process_);
  Socket full_ =
      tcp::Listen(ip::kLocalV4, kFull, {tcp::Backlog{0}}, process_).value();
  Socket queued_;
  Socket connecting_{process_.Socket(AF_INET, SOCK_STREAM, 0).fd(), process_};
};

struct Waiting {
  std::string name;
  SysResult (World::*call)();
  // True if SA_RESTART restarts the call. A call with a timeout argument is
  // never restarted. A call on a socket is restarted unless SO_RCVTIMEO or
  // SO_SNDTIMEO is set.
  bool restarts = false;
  int timeout_option = 0;
};

std::ostream& operator<<(std::ostream& os, const Waiting& waiting) {
  return os << waiting.name;
}

class FakeKernelInterruptTest : public testing::TestWithParam<Waiting> {};

TEST_P(FakeKernelInterruptTest, EndsTheCall) {
  World world;
  SysResult result;
  const FakeKernel::Participant self(world.kernel());
  FakeKernel::Thread thread(world.kernel(), "caller",
                            [&] { result = (world.*GetParam().call)(); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_TRUE(thread.Interrupt());
  thread.Join();
  EXPECT_THAT(result, IsErrno(EINTR));
}

TEST_P(FakeKernelInterruptTest, WithRestartEndsOnlyCallsThatAreNotRestarted) {
  World world;
  SysResult result;
  const FakeKernel::Participant self(world.kernel());
  FakeKernel::Thread thread(world.kernel(), "caller",
                            [&] { result = (world.*GetParam().call)(); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_TRUE(thread.Interrupt(/*restart=*/true));
  EXPECT_EQ(thread.AwaitBlocked(), GetParam().restarts);
  EXPECT_EQ(thread.Interrupt(), GetParam().restarts);
  thread.Join();
  EXPECT_THAT(result, IsErrno(EINTR));
}

// Calls whose timeout a socket option sets.
class FakeKernelTimeoutTest : public FakeKernelInterruptTest {};

TEST_P(FakeKernelTimeoutTest, WithRestartEndsTheCall) {
  World world;
  world.SetTimeout(GetParam().timeout_option);
  SysResult result;
  const FakeKernel::Participant self(world.kernel());
  FakeKernel::Thread thread(world.kernel(), "caller",
                            [&] { result = (world.*GetParam().call)(); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_TRUE(thread.Interrupt(/*restart=*/true));
  EXPECT_FALSE(thread.AwaitBlocked());
  thread.Join();
  EXPECT_THAT(result, IsErrno(EINTR));
}

std::string NameOf(const testing::TestParamInfo<Waiting>& one) {
  return one.param.name;
}

const Waiting kAccept = {"accept4", &World::Accept, true, SO_RCVTIMEO};
const Waiting kReceive = {"recv", &World::Receive, true, SO_RCVTIMEO};
const Waiting kConnect = {"connect", &World::ConnectToFull, true, SO_SNDTIMEO};
const Waiting kPoll = {"poll", &World::Poll};
const Waiting kSleep = {"nanosleep", &World::Sleep};

INSTANTIATE_TEST_SUITE_P(All, FakeKernelInterruptTest,
                         testing::Values(kAccept, kReceive, kConnect, kPoll,
                                         kSleep),
                         &NameOf);
INSTANTIATE_TEST_SUITE_P(All, FakeKernelTimeoutTest,
                         testing::Values(kAccept, kReceive, kConnect), &NameOf);

TEST(FakeKernelInterrupt, NanosleepReturnsTheRemainingTime) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const timespec ten = {.tv_sec = 10, .tv_nsec = 0};
  timespec left = {};
  SysResult result;
  FakeKernel::Participant self(kernel);
  FakeKernel::Thread thread(kernel, "sleeper",
                            [&] { result = process.NanoSleep(&ten, &left); });
  ASSERT_TRUE(thread.AwaitBlocked());
  kernel.Advance(absl::Milliseconds(3500));
  EXPECT_TRUE(thread.Interrupt());
  thread.Join();
  EXPECT_THAT(result, IsErrno(EINTR));
  EXPECT_EQ(left.tv_sec, 6);
  EXPECT_EQ(left.tv_nsec, 500000000);
}

TEST(FakeKernelInterrupt, AConnectGoesOnInTheBackground) {
  World world;
  SysResult result;
  const FakeKernel::Participant self(world.kernel());
  FakeKernel::Thread thread(world.kernel(), "caller",
                            [&] { result = world.ConnectToFull(); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_TRUE(thread.Interrupt());
  thread.Join();
  ASSERT_THAT(result, IsErrno(EINTR));
  EXPECT_THAT(world.ConnectToFull(), IsErrno(ETIMEDOUT));
}

TEST(FakeKernelInterrupt, OfAThreadThatDoesNotWaitDoesNothing) {
  FakeKernel kernel;
  FakeKernel::Participant self(kernel);
  EXPECT_FALSE(self.Interrupt());
  FakeKernel::Thread thread(kernel, "ended", [] {});
  thread.Join();
  EXPECT_FALSE(thread.Interrupt());
  EXPECT_FALSE(thread.AwaitBlocked());
}

TEST(FakeKernelInterrupt, AParticipantIsInterruptedByAnotherThread) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  FakeKernel::Participant self(kernel);
  FakeKernel::Thread other(kernel, "other", [&] {
    const timespec second = {.tv_sec = 1, .tv_nsec = 0};
    EXPECT_THAT(process.NanoSleep(&second, nullptr), IsOk());
    EXPECT_TRUE(self.Interrupt());
  });
  EXPECT_THAT(process.Poll(nullptr, 0, -1), IsErrno(EINTR));
  EXPECT_EQ(kernel.Now(), absl::Seconds(1));
}

}  // namespace
}  // namespace net
