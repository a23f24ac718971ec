// The rules of seccomp user notification, each seen on Linux 6.18.

#include "fakes/trap/supervisor.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/handover.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/probe.h"
#include "fakes/trap/run_trapped.h"
#include "fakes/trap/seccomp.h"
#include "fakes/trap/syscall_trap.h"
#include "fakes/trap/trap_state.h"
#include "fakes/trap/trap_test_sockets.h"
#include "fakes/trap/trapped_call.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::trap {
namespace {

using ::testing::IsEmpty;

volatile sig_atomic_t signals_handled = 0;

// Sends SIGALRM to this process after that time, once.
void AlarmAfter(absl::Duration time, int flags) {
  struct sigaction action = {};
  action.sa_handler = [](int) { signals_handled = signals_handled + 1; };
  action.sa_flags = flags;
  sigaction(SIGALRM, &action, nullptr);
  itimerval timer = {};
  timer.it_value = absl::ToTimeval(time);
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// A child with a filter, without a supervisor yet.
struct Unsupervised {
  Handover handover;
  sandbox::WatchedChild child;
  OwnedFd listener;
};

absl::StatusOr<Unsupervised> StartUnsupervised(
    const SyscallSet& calls, bool wait_killable,
    const std::function<void(int)>& body) {
  absl::StatusOr<Handover> handover =
      Handover::Create(BuildFilter(NumbersOf(calls)), wait_killable);
  if (!handover.ok()) return handover.status();
  absl::StatusOr<sandbox::WatchedChild> child =
      sandbox::WatchedChild::Start([&](int report) {
        if (handover->InstallAndWait()) body(report);
      });
  if (!child.ok()) return child.status();
  absl::StatusOr<OwnedFd> listener = handover->Take(child->Events()[1].fd);
  if (!listener.ok()) return listener.status();
  return Unsupervised{.handover = *std::move(handover),
                      .child = *std::move(child),
                      .listener = *std::move(listener)};
}

SyscallSet Calls(absl::string_view name) { return *SelectSyscalls(name); }

class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const absl::Status status = CheckSeccomp(); !status.ok()) {
      GTEST_SKIP() << status;
    }
  }

  static TrapReport Run(absl::string_view plan,
                        absl::FunctionRef<std::string()> body) {
    const auto report = RunTrapped(*ParseFaultPlan(plan), body);
    EXPECT_THAT(report, IsOk());
    if (!report.ok()) return {};
    EXPECT_EQ(report->wait_status, 0);
    EXPECT_THAT(report->unmatched, IsEmpty());
    return *report;
  }
};

// Rule 1: with WAIT_KILLABLE_RECV a signal does not interrupt a call that was
// received. Then it ends the delay, and the kernel makes the call.
TEST_F(SupervisorTest, ASignalDoesNotInterruptACallThatWasReceived) {
  ASSERT_TRUE(WaitKillableWorks());
  const TrapReport report = Run("accept4=delay(60s)", [] {
    const int listener = NewListener(SOCK_NONBLOCK);
    AlarmAfter(absl::Milliseconds(30), /*flags=*/0);
    const std::string outcome = Outcome(accept4(listener, nullptr, nullptr, 0));
    return absl::StrCat(outcome, " ", signals_handled);
  });
  EXPECT_EQ(report.report, "EAGAIN 1");
}

// Rule 1: while a call is delayed, others are received.
TEST_F(SupervisorTest, TheReceiverIsEager) {
  const TrapReport report = Run("listen=delay(60s)", [] {
    const int delayed = NewSocket();
    std::atomic<pid_t> thread = 0;
    std::thread([&] {
      thread = gettid();
      listen(delayed, 1);
    }).detach();
    AwaitSleep(thread);
    std::string outcome;
    for (int i = 0; i < 100; ++i) outcome = Outcome(Bind(NewSocket()));
    return outcome;
  });
  EXPECT_EQ(report.report, "OK");
}

// Rule 2: a signal before the call is received makes it fail with EINTR,
// close(2) included. It was not made.
TEST_F(SupervisorTest, APhantomInterruptionIsCounted) {
  std::array<int, 2> go = {};
  ASSERT_EQ(pipe2(go.data(), O_CLOEXEC), 0);
  absl::StatusOr<Unsupervised> target = StartUnsupervised(
      Calls("close"), /*wait_killable=*/true, [&](int report) {
        const int fd = NewSocket();
        AlarmAfter(absl::Milliseconds(30), /*flags=*/0);
        const std::string outcome = Outcome(close(fd));
        const bool is_open = fcntl(fd, F_GETFD) >= 0;
        sandbox::WriteReport(report, absl::StrCat(outcome, " ", is_open, "\n"));
        char byte = 0;
        static_cast<void>(!read(go[0], &byte, 1));
        sandbox::WriteReport(report, Outcome(close(fd)));
      });
  ASSERT_THAT(target, IsOk());
  {
    const Listener canary(OwnedFd(dup(target->listener.get())));
    seccomp_notif notification;
    ASSERT_EQ(canary.Receive(notification), 0);
    ASSERT_EQ(canary.Reply(notification.id, kCanaryAnswer, 0), 0);
  }
  // Nobody receives the first close(2).
  while (target->child.report().find('\n') == std::string::npos) {
    std::array<pollfd, 2> events = target->child.Events();
    ASSERT_GT(poll(events.data(), 1, /*timeout=*/60'000), 0);
    ASSERT_THAT(target->child.Read(), IsOk());
  }
  TrapState state(/*keep_trace=*/false, nullptr);
  state.AddProcess(target->child.pid());
  state.Arm({});
  const Supervisor supervisor(std::move(target->listener), state, {});
  // The test's timeout bounds this.
  while (state.PhantomInterruptions() == 0) std::this_thread::yield();
  WriteAll(go[1], "g");
  ASSERT_THAT(target->child.Await(), IsOk());
  EXPECT_EQ(target->child.report(), "EINTR 1\nOK");
  EXPECT_EQ(state.PhantomInterruptions(), 1);
  EXPECT_EQ(state.Count("close"), 1);
}

// Rule 3: without WAIT_KILLABLE_RECV a restarted call is received twice.
TEST_F(SupervisorTest, ARestartedCallIsCountedOnce) {
  absl::StatusOr<Unsupervised> target =
      StartUnsupervised(Calls("bind"), /*wait_killable=*/false, [](int report) {
        AlarmAfter(absl::Milliseconds(30), SA_RESTART);
        std::string text = Outcome(Bind(NewSocket()));
        absl::StrAppend(&text, " ", Outcome(Bind(NewSocket())));
        sandbox::WriteReport(report, text);
      });
  ASSERT_THAT(target, IsOk());
  TrapState state(/*keep_trace=*/false, nullptr);
  state.AddProcess(target->child.pid());
  state.Arm(*ParseFaultPlan("bind#1=delay(200ms); bind#2=EADDRINUSE"));
  const Supervisor supervisor(std::move(target->listener), state, {});
  ASSERT_THAT(target->child.Await(), IsOk());
  EXPECT_EQ(target->child.report(), "OK EADDRINUSE");
  EXPECT_EQ(state.Count("bind"), 2);
}

// Rule 4: if the supervisor dies, the process group dies.
TEST_F(SupervisorTest, TheTargetDoesNotOutliveTheSupervisor) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t supervisor = fork();
  ASSERT_GE(supervisor, 0);
  if (supervisor == 0) {
    // All processes of the program hold the write end.
    dup2(ends[1], STDOUT_FILENO);
    const auto trap = SyscallTrap::Start(
        {.calls = CallsForAnyPlan()}, {},
        {"sh", "-c", "sleep 1000 & echo started; sleep 1000"});
    if (trap.ok()) static_cast<void>((*trap)->Wait());
    _exit(1);
  }
  close(ends[1]);
  std::array<char, 16> text = {};
  ASSERT_GT(read(ends[0], text.data(), text.size()), 0);
  kill(supervisor, SIGKILL);
  waitpid(supervisor, nullptr, 0);
  pollfd event = {.fd = ends[0], .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&event, 1, /*timeout=*/60'000), 1);
  EXPECT_EQ(read(ends[0], text.data(), text.size()), 0);
  close(ends[0]);
}

// Rule 4: io_uring, and the handover with every call trapped, are in
// syscall_trap_test.cc.

// Rule 5: a blocking effect ends with a signal. The program sees what it would
// see without the trap: EINTR.
TEST_F(SupervisorTest, ASignalEndsABlockingEffect) {
  const TrapReport report = Run("recv#1=short(1)", [] {
    const Pair pair = NewPair();
    AlarmAfter(absl::Milliseconds(30), /*flags=*/0);
    std::array<char, 2> bytes = {};
    const std::string outcome =
        Outcome(recv(pair.server, bytes.data(), bytes.size(), 0));
    return absl::StrCat(outcome, " ", signals_handled);
  });
  EXPECT_EQ(report.report, "EINTR 1");
}

// Rule 5 and 3: with SA_RESTART the call goes on, and is one call.
TEST_F(SupervisorTest, ABlockingEffectIsRestarted) {
  const TrapReport report = Run("recv#1=short(1); recv#2=EIO", [] {
    const Pair pair = NewPair();
    AlarmAfter(absl::Milliseconds(30), SA_RESTART);
    std::thread writer([&] {
      while (signals_handled == 0) std::this_thread::yield();
      WriteAll(pair.client, "ab");
    });
    std::array<char, 2> bytes = {};
    const ssize_t got = recv(pair.server, bytes.data(), bytes.size(), 0);
    writer.join();
    return absl::StrCat(
        got, " ", Outcome(recv(pair.server, bytes.data(), bytes.size(), 0)));
  });
  EXPECT_EQ(report.report, "1 EIO");
}

// Without a filter, or with another number, nobody answers the canary.
TEST_F(SupervisorTest, TheCanaryIsAnsweredBySupervisorsOnly) {
  EXPECT_EQ(syscall(kCanaryNumber), -1);
  EXPECT_EQ(errno, ENOSYS);
}

}  // namespace
}  // namespace net::trap
