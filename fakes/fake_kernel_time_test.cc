// Virtual time: when the clock of a FakeKernel stands still, and when it jumps.

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/mutex.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"
#include "tcp/options.h"
#include "tcp/sock_flags.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::ElementsAre;

SysResult SleepSeconds(FakeProcess& process, int seconds) {
  const timespec duration = {.tv_sec = seconds, .tv_nsec = 0};
  return process.NanoSleep(&duration, nullptr);
}

timespec TimeOf(FakeProcess& process, clockid_t clock) {
  timespec time = {};
  EXPECT_THAT(process.ClockGetTime(clock, &time), IsOk());
  return time;
}

// A listener whose accept queue is full, so that a connect(2) to it gets no
// response.
class FullListener {
 public:
  explicit FullListener(FakeProcess& process)
      : listener_(tcp::Listen(ip::kLocalV4, kPort, {tcp::Backlog{0}}, process)
                      .value()),
        queued_(ConnectLocally(process)) {}

  // Accepts one connection, so that the queue has space for another.
  void Accept() { accepted_ = tcp::Accept(listener_).value(); }

 private:
  Socket listener_;
  Socket queued_;
  Socket accepted_;
};

class FakeKernelTimeTest : public testing::Test {
 protected:
  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess();
};

TEST_F(FakeKernelTimeTest, AnUnansweredConnectTimesOutInNoRealTime) {
  const FakeKernel::Participant self(kernel_);
  const FullListener full(process_);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(tcp::Connect(ip::kLocalV4, kPort, {}, process_),
              IsErrno(ETIMEDOUT));
  // SYNs at 0, 1, 2, 3, 4, 5, 7, 11, 19, 35 and 67 s. The attempt fails at 131
  // s.
  EXPECT_EQ(kernel_.Now(), absl::Seconds(131));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST_F(FakeKernelTimeTest, AConnectRetriesAsOftenAsTheSysctlAllows) {
  ASSERT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_syn_retries", "1"));
  const FakeKernel::Participant self(kernel_);
  const FullListener full(process_);
  EXPECT_THAT(tcp::Connect(ip::kLocalV4, kPort, {}, process_),
              IsErrno(ETIMEDOUT));
  EXPECT_EQ(kernel_.Now(), absl::Seconds(3));
}

TEST_F(FakeKernelTimeTest, AReceiveTimesOut) {
  const FakeKernel::Participant self(kernel_);
  const Connected both = ConnectProcesses(process_, process_);
  const timeval timeout = {.tv_sec = 3600, .tv_usec = 500000};
  ASSERT_THAT(process_.SetSockOpt(both.client.fd(), SOL_SOCKET, SO_RCVTIMEO,
                                  &timeout, sizeof(timeout)),
              IsOk());
  char byte = 0;
  EXPECT_THAT(both.client.Recv(absl::MakeSpan(&byte, 1)), IsErrno(EAGAIN));
  EXPECT_EQ(kernel_.Now(), absl::Seconds(3600) + absl::Milliseconds(500));
}

TEST_F(FakeKernelTimeTest, WhatComesEndsAWaitBeforeItsTime) {
  const FakeKernel::Participant self(kernel_);
  const Connected both = ConnectProcesses(process_, process_);
  FakeKernel::Thread sender(kernel_, "sender", [&] {
    EXPECT_THAT(SleepSeconds(process_, 5), IsOk());
    EXPECT_THAT(both.server.Send("x"), IsOk());
  });
  pollfd entry = {.fd = both.client.fd(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(process_.Poll(&entry, 1, 60000), IsOkAndHolds(1));
  EXPECT_EQ(kernel_.Now(), absl::Seconds(5));
}

TEST_F(FakeKernelTimeTest, SleepersWakeInTheOrderOfTheirTimes) {
  Mutex mutex;  // For ThreadSanitizer: participants run one at a time.
  std::vector<int> woken;
  {
    const FakeKernel::Participant self(kernel_);
    const auto sleep = [&](int seconds) {
      return [this, seconds, &mutex, &woken] {
        EXPECT_THAT(SleepSeconds(process_, seconds), IsOk());
        EXPECT_EQ(kernel_.Now(), absl::Seconds(seconds));
        const MutexLock lock(mutex);
        woken.push_back(seconds);
      };
    };
    FakeKernel::Thread three(kernel_, "three", sleep(3));
    FakeKernel::Thread one(kernel_, "one", sleep(1));
    FakeKernel::Thread two(kernel_, "two", sleep(2));
  }
  EXPECT_THAT(woken, ElementsAre(1, 2, 3));
}

TEST_F(FakeKernelTimeTest, TheClocksShowIt) {
  const FakeKernel::Participant self(kernel_);
  const timespec start = TimeOf(process_, CLOCK_REALTIME);
  EXPECT_THAT(SleepSeconds(process_, 90), IsOk());
  EXPECT_EQ(TimeOf(process_, CLOCK_MONOTONIC).tv_sec, 90);
  EXPECT_EQ(TimeOf(process_, CLOCK_REALTIME).tv_sec, start.tv_sec + 90);
}

TEST_F(FakeKernelTimeTest, AdvanceMovesTheClockAndFiresDueTimers) {
  const FullListener full(process_);
  const Socket connecting =
      tcp::Connect(ip::kLocalV4, kPort, {SockFlags::kNonblock}, process_)
          .value();
  kernel_.Advance(absl::Milliseconds(130999));
  EXPECT_EQ(kernel_.Now(), absl::Milliseconds(130999));
  EXPECT_THAT(connecting.PendingError(), IsOk());
  kernel_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(connecting.PendingError(), IsErrno(ETIMEDOUT));
}

TEST_F(FakeKernelTimeTest, ItStandsWhileAThreadThatTakesPartRuns) {
  const FakeKernel::Participant self(kernel_);
  FakeKernel::Thread sleeper(kernel_, "sleeper", [&] {
    EXPECT_THAT(SleepSeconds(process_, 1), IsOk());
  });
  EXPECT_TRUE(sleeper.AwaitBlocked());
  EXPECT_EQ(kernel_.Now(), absl::ZeroDuration());
  sleeper.Join();
  EXPECT_EQ(kernel_.Now(), absl::Seconds(1));
}

TEST_F(FakeKernelTimeTest, AnOutsiderThatJoinsDoesNotHoldIt) {
  std::promise<void> joining;
  FakeKernel::Thread sleeper(kernel_, "sleeper", [&] {
    joining.get_future().wait();
    EXPECT_THAT(SleepSeconds(process_, 1), IsOk());
  });
  joining.set_value();
  sleeper.Join();
  EXPECT_EQ(kernel_.Now(), absl::Seconds(1));
}

// A thread that does not take part, blocked in connect(2).
class Outsider {
 public:
  Outsider(FakeKernel& kernel, FakeProcess& process)
      : thread_([&process, this] {
          result_ = tcp::Connect(ip::kLocalV4, kPort, {}, process);
        }) {
    // The FakeKernel sends the SYN and blocks the caller in one step.
    while (!absl::StrContains(kernel.Dump(), "SYN-SENT")) {
      std::this_thread::yield();
    }
  }

  absl::StatusOr<Socket> Join() {
    thread_.join();
    return std::move(result_);
  }

 private:
  absl::StatusOr<Socket> result_;
  std::thread thread_;
};

TEST_F(FakeKernelTimeTest, AnOutsiderThatWaitsHoldsTheClock) {
  FullListener full(process_);
  Outsider outsider(kernel_, process_);
  FakeKernel::Thread sleeper(kernel_, "sleeper", [&] {
    EXPECT_THAT(SleepSeconds(process_, 1), IsOk());
  });
  EXPECT_TRUE(sleeper.AwaitBlocked()) << "the clock has jumped";
  EXPECT_EQ(kernel_.Now(), absl::ZeroDuration());

  kernel_.Advance(absl::Seconds(1));
  EXPECT_FALSE(sleeper.AwaitBlocked()) << "the sleeper's time has come";

  full.Accept();
  kernel_.Advance(absl::Seconds(1));  // The next SYN finds space in the queue.
  EXPECT_THAT(outsider.Join(), IsOk());
  EXPECT_EQ(kernel_.Now(), absl::Seconds(2));
}

TEST_F(FakeKernelTimeTest, AnOutsiderThatWaitsHoldsOffADeadlock) {
  FullListener full(process_);
  Outsider outsider(kernel_, process_);
  const Socket other = ListenLocally(process_, kPort + 1);
  absl::StatusOr<Socket> accepted;
  FakeKernel::Thread thread(kernel_, "acceptor",
                            [&] { accepted = tcp::Accept(other); });
  EXPECT_TRUE(thread.AwaitBlocked());
  EXPECT_EQ(kernel_.Deadlock(), std::nullopt);
  const Socket client = ConnectLocally(process_, kPort + 1);
  thread.Join();
  EXPECT_THAT(accepted, IsOk());

  full.Accept();
  kernel_.Advance(absl::Seconds(1));
  EXPECT_THAT(outsider.Join(), IsOk());
}

TEST_F(FakeKernelTimeTest, ItGoesOnWhenTheCallOfAnOutsiderHasEnded) {
  FullListener full(process_);
  Outsider outsider(kernel_, process_);
  FakeKernel::Thread sleeper(kernel_, "sleeper", [&] {
    EXPECT_THAT(SleepSeconds(process_, 60), IsOk());
  });
  EXPECT_TRUE(sleeper.AwaitBlocked());
  full.Accept();
  kernel_.Advance(absl::Seconds(1));
  EXPECT_THAT(outsider.Join(), IsOk());
  sleeper.Join();
  EXPECT_EQ(kernel_.Now(), absl::Seconds(60));
}

TEST_F(FakeKernelTimeTest, AThreadTakesPartInTheTimesOfTwoKernels) {
  FakeKernel other;
  FakeProcess& process_of_other = other.NewProcess();
  const FakeKernel::Participant self(kernel_);
  const FakeKernel::Participant also(other);
  EXPECT_THAT(SleepSeconds(process_, 1), IsOk());
  EXPECT_THAT(SleepSeconds(process_of_other, 2), IsOk());
  EXPECT_EQ(kernel_.Now(), absl::Seconds(1));
  EXPECT_EQ(other.Now(), absl::Seconds(2));
}

}  // namespace
}  // namespace net
