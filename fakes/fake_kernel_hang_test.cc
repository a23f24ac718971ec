// Programs that hang: each is reported, and fails. See fakes/kernel/hangs.h.

#include <pthread.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/hangs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::StartsWith;

absl::StatusOr<size_t> ReceiveByte(const Socket& socket) {
  char byte = 0;
  return socket.Recv(absl::MakeSpan(&byte, 1));
}

// --- Three hangs -------------------------------------------------------------

// Returns when another thread is blocked in accept4(2) on `listener`, which
// reserves the only free descriptor.
void AwaitAccept(FakeProcess& process, const Socket& listener) {
  for (;; std::this_thread::yield()) {
    const SysResult copy = process.Dup(listener.fd());
    if (!copy.ok()) return;
    static_cast<void>(process.Close(copy.fd()));
  }
}

// The server's thread is no participant, so the clock waits for it.
void ForgetAParticipant(const HangLimits& limits) {
  FakeKernel kernel({.hangs = limits});
  FakeProcess& process = kernel.NewProcess({.name = "server"});
  FakeProcess& client = kernel.NewProcess({.name = "client"});
  const Socket listener = ListenLocally(process);
  const Socket other = ListenLocally(client, kPort + 1);
  process.set_nofile_limit(listener.fd() + 2);
  std::thread server([&] {
    while (ErrnoOf(tcp::Accept(listener)) == EMFILE) {
    }
  });
  AwaitAccept(process, listener);
  const FakeKernel::Participant self(kernel, "main");
  static_cast<void>(tcp::Accept(other));
  server.join();
}

// A participant waits for another, which cannot run meanwhile.
void WaitForACondition(const HangLimits& limits) {
  FakeKernel kernel({.hangs = limits});
  FakeProcess& process = kernel.NewProcess({.name = "server"});
  const FakeKernel::Participant self(kernel, "main");
  const Socket listener = ListenLocally(process);
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  FakeKernel::Thread server(kernel, "server", [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    ready = true;
    changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return ready; });
}

// An accept loop that goes on after each error.
void SpinOnTooManyFiles(const HangLimits& limits) {
  FakeKernel kernel({.hangs = limits});
  FakeProcess& process = kernel.NewProcess({.name = "server"});
  FakeProcess& peer = kernel.NewProcess({.name = "client"});
  const FakeKernel::Participant self(kernel, "main");
  const Socket listener = ListenLocally(process);
  process.set_nofile_limit(listener.fd() + 1);
  FakeKernel::Thread server(kernel, "acceptor", [&] {
    for (;;) {
      if (process.Accept4(listener.fd(), nullptr, nullptr, 0).ok()) return;
    }
  });
  const Socket client = ConnectLocally(peer);
  static_cast<void>(ReceiveByte(client));
  server.Join();
}

struct Hang {
  const char* name;
  void (*run)(const HangLimits& limits);
  const char* report;
};

std::ostream& operator<<(std::ostream& os, const Hang& hang) {
  return os << hang.name;
}

const Hang kHangs[] = {
    {"ForgottenParticipant", &ForgetAParticipant,
     "nothing has happened for 10?s of real time, and the clock stands"
     "(.|\n)*main: waits in accept4"
     "(.|\n)*a thread that does not take part: waits in accept4"
     "(.|\n)*threads that do not take part: [0-9]+ \\("
     "(.|\n)*has made calls. Is it a std::thread\\? Use FakeKernel::Thread"},
    {"ConditionVariable", &WaitForACondition,
     "the baton has not come back for 10?s of real time"
     "(.|\n)*main: holds the baton; its last call: listen"
     "(.|\n)*server: .*waits for the baton"},
    {"SpinOnTooManyFiles", &SpinOnTooManyFiles,
     "livelock: 10+ calls while the clock stood at 0 and nobody was woken"
     "(.|\n)*main: waits in recv"
     "(.|\n)*acceptor: accept4\\(3\\) of process server = -1 EMFILE"},
};

// Returns how long the threads of this process could run and got no core
// (Documentation/scheduler/sched-stats.rst). On a busy machine, a report comes
// later by that.
absl::Duration WaitedForACore() {
  int64_t total = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    int64_t ran = 0;
    int64_t waited = 0;
    if (std::ifstream(task.path() / "schedstat") >> ran >> waited) {
      total += waited;
    }
  }
  return absl::Nanoseconds(total);
}

class FakeKernelHangDeathTest : public testing::TestWithParam<Hang> {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  // Runs the program in a child, which prints whether the report came in time.
  static void ExpectReport(const HangLimits& limits, absl::Duration time) {
    static absl::Time& end = *new absl::Time;
    EXPECT_DEATH(
        {
          end = absl::Now() + time;
          SetHangHandler([](absl::string_view) {
            const bool in_time = absl::Now() < end + WaitedForACore();
            std::cerr << (in_time ? "in time\n" : "too late\n");
          });
          GetParam().run(limits);
        },
        absl::StrCat(GetParam().report, "(.|\n)*in time"));
  }
};

TEST_P(FakeKernelHangDeathTest, IsReportedInTwelveSeconds) {
  ExpectReport({}, absl::Seconds(12));
}

TEST_P(FakeKernelHangDeathTest, IsReportedSoonerWhereTheLimitIsASecond) {
  ExpectReport({.real_time = absl::Seconds(1), .calls_at_one_instant = 10'000},
               absl::Seconds(1.5));
}

INSTANTIATE_TEST_SUITE_P(All, FakeKernelHangDeathTest,
                         testing::ValuesIn(kHangs),
                         [](const testing::TestParamInfo<Hang>& one) {
                           return one.param.name;
                         });

// A test that does not take part awaits a thread that never comes back.
void AwaitAThreadThatWaitsOutsideOfTheKernel() {
  FakeKernel kernel({.hangs = {.real_time = absl::Seconds(1)}});
  std::promise<void> never;
  FakeKernel::Thread thread(kernel, "thread",
                            [&] { never.get_future().wait(); });
  static_cast<void>(thread.AwaitBlocked());
}

TEST(FakeKernelHangDeathTest, AnAwaitWithoutEndIsReported) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(AwaitAThreadThatWaitsOutsideOfTheKernel(),
               "the baton has not come back for 1s of real time"
               "(.|\n)*thread: holds the baton");
}

// --- Livelocks ---------------------------------------------------------------

TEST(FakeKernelLivelock, EndsCallsAndListsTheLast) {
  FakeKernel kernel({.hangs = {.calls_at_one_instant = 1000}});
  FakeProcess& process = kernel.NewProcess({.name = "server"});
  kernel.ExpectDeadlock();
  const FakeKernel::Participant self(kernel, "main");
  SysResult result = SysResult::Ok();
  int calls = 0;
  for (; result.ok() && calls < 2000; ++calls) {
    result = process.Poll(nullptr, 0, 0);
  }
  EXPECT_EQ(calls, 1001);
  EXPECT_THAT(result, IsErrno(EDEADLK));
  const std::string report = kernel.Deadlock().value_or("none");
  EXPECT_THAT(report, StartsWith("livelock: 1000 calls while the clock stood "
                                 "at 0 and nobody was woken\n"));
  size_t listed = 0;
  for (size_t at = 0;
       (at = report.find("  main: poll() of process server = 0\n", at)) !=
       std::string::npos;
       ++at) {
    ++listed;
  }
  EXPECT_EQ(listed, 20U);
  const SysResult socket = process.Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_THAT(socket, IsErrno(EDEADLK));
  EXPECT_THAT(process.Close(99), IsErrno(EBADF)) << "a test can clean up";
}

TEST(FakeKernelLivelock, IsNoneWhereThreadsWakeEachOther) {
  FakeKernel kernel({.hangs = {.calls_at_one_instant = 100}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Connected both = ConnectProcesses(process, process);
  FakeKernel::Thread echo(kernel, "echo", [&] {
    while (ReceiveByte(both.server).value_or(0) == 1) {
      EXPECT_THAT(both.server.Send("x"), IsOk());
    }
  });
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(both.client.Send("x"), IsOk());
    ASSERT_THAT(ReceiveByte(both.client), IsOkAndHolds(1U));
  }
  EXPECT_THAT(both.client.Shutdown(SHUT_WR), IsOk());
  echo.Join();
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

// One sleeps again and again, the other waits for ever: N1.
std::string SleepWithoutEnd(const HangLimits& limits, bool expected = true) {
  FakeKernel kernel({.hangs = limits});
  FakeProcess& process = kernel.NewProcess({.name = "server"});
  if (expected) kernel.ExpectDeadlock();
  const FakeKernel::Participant self(kernel, "main");
  const Connected both = ConnectProcesses(process, process);
  FakeKernel::Thread sleeper(kernel, "sleeper", [&] {
    const timespec second = {.tv_sec = 1, .tv_nsec = 0};
    int64_t sleeps = 0;
    while (process.NanoSleep(&second, nullptr).ok()) ++sleeps;
    EXPECT_LE(sleeps, limits.timeouts_in_a_row + 1);
    EXPECT_TRUE(sleeps > limits.timeouts_in_a_row ||
                kernel.Now() > limits.virtual_time)
        << sleeps;
  });
  EXPECT_THAT(ReceiveByte(both.client), IsErrno(EDEADLK));
  sleeper.Join();
  return kernel.Deadlock().value_or("none");
}

TEST(FakeKernelLivelock, OfTimeouts) {
  EXPECT_THAT(SleepWithoutEnd({.timeouts_in_a_row = 500}),
              AllOf(StartsWith("livelock: 500 waits in a row ended by a "
                               "timeout\n"),
                    HasSubstr("sleeper: nanosleep() of process server = 0")));
  // A run to the default takes minutes with a sanitizer.
  EXPECT_EQ(HangLimits().timeouts_in_a_row, 1'000'000);
}

TEST(FakeKernelLivelock, IsNoneWhereSomethingElseEndsAWaitNowAndThen) {
  FakeKernel kernel({.hangs = {.timeouts_in_a_row = 10}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Connected both = ConnectProcesses(process, process);
  FakeKernel::Thread echo(kernel, "echo", [&] {
    while (ReceiveByte(both.server).value_or(0) == 1) {
      EXPECT_THAT(both.server.Send("x"), IsOk());
    }
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(process.Poll(nullptr, 0, 1), IsOkAndHolds(0));
    ASSERT_THAT(both.client.Send("x"), IsOk());
    ASSERT_THAT(ReceiveByte(both.client), IsOkAndHolds(1U));
  }
  EXPECT_THAT(both.client.Shutdown(SHUT_WR), IsOk());
  echo.Join();
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

TEST(FakeKernelLivelock, OfTimeoutsIsReportedUnasked) {
  static std::string& failure = *new std::string;
  const HangHandler before = SetHangHandler(
      [](absl::string_view text) { failure = std::string(text); });
  testing::internal::CaptureStderr();
  SleepWithoutEnd({.timeouts_in_a_row = 500}, /*expected=*/false);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(StartsWith("FakeKernel: livelock: 500 waits in a row "
                               "ended by a timeout\n"),
                    HasSubstr("main: waits in recv")));
  SetHangHandler(before);
  EXPECT_THAT(failure, StartsWith("Thread::Join() of sleeper: it would have "
                                  "waited for ever\nlivelock: "));
}

TEST(FakeKernelLivelock, OfVirtualTime) {
  EXPECT_THAT(SleepWithoutEnd({.virtual_time = absl::Hours(1)}),
              StartsWith("livelock: the clock has jumped by more than 1h\n"));
}

TEST(FakeKernelLivelock, IsNoneWhereTheTestMovesTheClock) {
  FakeKernel kernel({.hangs = {.virtual_time = absl::Hours(1)}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  kernel.Advance(absl::Hours(100));
  EXPECT_THAT(process.Poll(nullptr, 0, 1000), IsOkAndHolds(0));
}

// --- Reports -----------------------------------------------------------------

// Runs a program that waits for ever, and returns what it prints.
std::string StderrOfADeadlock(bool expected) {
  testing::internal::CaptureStderr();
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  if (expected) kernel.ExpectDeadlock();
  const FakeKernel::Participant self(kernel, "main");
  const Socket listener = ListenLocally(process);
  EXPECT_THAT(tcp::Accept(listener), IsErrno(EDEADLK));
  EXPECT_THAT(tcp::Accept(listener), IsErrno(EDEADLK));
  EXPECT_NE(kernel.Deadlock(), std::nullopt);
  return testing::internal::GetCapturedStderr();
}

TEST(FakeKernelHang, ADeadlockIsPrintedOnce) {
  EXPECT_THAT(
      StderrOfADeadlock(/*expected=*/false),
      StartsWith("FakeKernel: deadlock: every thread that takes part waits\n"
                 "  main: waits in accept4(3) of process process\n"));
}

TEST(FakeKernelHang, AnExpectedDeadlockIsNotPrinted) {
  EXPECT_THAT(StderrOfADeadlock(/*expected=*/true), IsEmpty());
}

// A std::thread that has not yet made the call that would end the wait.
TEST(FakeKernelHang, AThreadThatHasMadeNoCallIsNamed) {
  std::promise<void> goes_on;
  std::thread client([&] { goes_on.get_future().wait(); });
  pthread_setname_np(client.native_handle(), "forgotten");
  testing::internal::CaptureStderr();
  {
    FakeKernel kernel;
    const FakeKernel::Participant self(kernel, "main");
    const Socket listener = ListenLocally(kernel.NewProcess());
    EXPECT_THAT(tcp::Accept(listener), IsErrno(EDEADLK));
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(ContainsRegex("\nthreads that do not take part: "
                                  ".*[0-9]+ \\(forgotten\\)"),
                    HasSubstr("\nA thread that does not take part has made no "
                              "call. Is it a std::thread? Use "
                              "FakeKernel::Thread,")));
  goes_on.set_value();
  client.join();
}

void JoinAThreadThatWaitsForEver() {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel, "main");
  const Socket listener = ListenLocally(process);
  FakeKernel::Thread thread(kernel, "acceptor", [&] {
    EXPECT_THAT(tcp::Accept(listener), IsErrno(EDEADLK));
  });
  thread.Join();
}

TEST(FakeKernelHangDeathTest, AJoinThatWaitsForEverFails) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(JoinAThreadThatWaitsForEver(),
               "deadlock: (.|\n)*acceptor: waits in accept4(.|\n)*"
               "Thread::Join\\(\\) of acceptor: it would have waited");
}

TEST(FakeKernelHang, AHandlerGetsTheFailure) {
  static std::string& report = *new std::string;
  const HangHandler before = SetHangHandler(
      [](absl::string_view text) { report = std::string(text); });
  testing::internal::CaptureStderr();
  JoinAThreadThatWaitsForEver();
  testing::internal::GetCapturedStderr();
  SetHangHandler(before);
  EXPECT_THAT(report, AllOf(StartsWith("Thread::Join() of acceptor: it would "
                                       "have waited for ever\ndeadlock: "),
                            HasSubstr("main: waits in join()")));
}

}  // namespace
}  // namespace net
