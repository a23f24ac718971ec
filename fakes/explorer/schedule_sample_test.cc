// The samples of docs/SCHEDULES.md and README.md.

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <ctime>

#include "absl/status/status.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/run_tasks.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace {

using net::kit::ToStatus;
using testing::Not;
using testing::StartsWith;

// Returns a connection to a new server process.
int Dial(net::Syscalls& sys, net::FakeKernel& kernel) {
  net::FakeProcess& server = kernel.NewProcess({.name = "server"});
  int listener = -1;
  uint16_t port = 0;
  EXPECT_TRUE(net::kit::MakeListener(server, &listener, &port).ok());
  const int fd = net::kit::NewSocket(sys).fd();
  EXPECT_TRUE(net::kit::ConnectTo(sys, fd, port).ok());
  return fd;
}

// Makes a few calls.
void DoOtherWork(net::Syscalls& sys) {
  for (int i = 0; i < 3; ++i) {
    timespec now = {};
    static_cast<void>(sys.ClockGetTime(CLOCK_MONOTONIC, &now));
  }
}

// [sample]
// One thread sends. Another one puts a new connection in the place of the old.
absl::Status SendAndReplace(net::Syscalls& sys, net::FakeKernel& kernel) {
  const int fd = Dial(sys, kernel);
  const int fresh = Dial(sys, kernel);
  std::atomic<bool> ready = true;
  const auto send = [&] {
    DoOtherWork(sys);
    absl::Status sent;
    if (ready) sent = ToStatus(sys.Send(fd, "beat", 4, MSG_NOSIGNAL), "send");
    DoOtherWork(sys);
    return sent;
  };
  const auto replace = [&] {
    DoOtherWork(sys);
    ready = false;  // Too late for a thread that has read it.
    static_cast<void>(sys.Close(fd));
    static_cast<void>(sys.Fcntl(fresh, F_DUPFD_CLOEXEC, fd));
    ready = true;
    DoOtherWork(sys);
  };
  const absl::Status status =
      net::RunTasks(kernel, {{"sender", send}, {"replacer", replace}});
  for (const int each : {fd, fresh}) static_cast<void>(sys.Close(each));
  return status;
}
// [/sample]

// [sample]
TEST(SendAndReplace, IsFoundAndReplayed) {
  // 1. race: it returns FAILED_PRECONDITION: send: EBADF: Bad file descriptor
  //    schedule: call:b4c5b (2 preemptions), seed 1
  //    schedules that show it: 1 of 127
  EXPECT_THAT(net::ExploreSchedules(SendAndReplace), Not(net::HasNoFindings()));
  EXPECT_THAT(net::ReplaySchedule("call:b4c5b", SendAndReplace),
              Not(net::HasNoFindings()));
}
// [/sample]

// The same with dup3(2), which closes and opens in one step.
absl::Status SendAndDup3(net::Syscalls& sys, net::FakeKernel& kernel) {
  const int fd = Dial(sys, kernel);
  const int fresh = Dial(sys, kernel);
  const auto send = [&] {
    DoOtherWork(sys);
    absl::Status sent = ToStatus(sys.Send(fd, "beat", 4, MSG_NOSIGNAL), "send");
    DoOtherWork(sys);
    return sent;
  };
  const auto replace = [&] {
    DoOtherWork(sys);
    static_cast<void>(sys.Dup3(fresh, fd, O_CLOEXEC));
    DoOtherWork(sys);
  };
  const absl::Status status =
      net::RunTasks(kernel, {{"sender", send}, {"replacer", replace}});
  for (const int each : {fd, fresh}) static_cast<void>(sys.Close(each));
  return status;
}

// [sample]
TEST(SendAndDup3, HasNoRace) {
  EXPECT_THAT(net::ExploreSchedules(SendAndDup3), net::HasNoFindings());
}
// [/sample]

// Two tasks use a socket, and each reports its own error.
absl::Status ListenAndReadPort(net::Syscalls& sys, net::FakeKernel& kernel) {
  const net::SysResult made = net::kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const int fd = made.fd();
  const auto listen = [&] {
    return ToStatus(net::kit::StartListening(sys, fd), "listen");
  };
  const auto read_port = [&] {
    uint16_t port = 0;
    return ToStatus(net::kit::ReadPort(sys, fd, &port), "getsockname");
  };
  absl::Status status =
      net::RunTasks(kernel, {{"listens", listen}, {"reads", read_port}});
  return net::kit::FirstError(status, net::kit::CloseIt(sys, fd));
}

// [sample]
TEST(ListenAndReadPort, HasNoBadErrorPathInAnyOrder) {
  net::ExploreOptions options;
  options.max_faults = 1;
  options.schedules.max_preemptions = 1;
  EXPECT_THAT(net::ExploreFaultsUnderSchedules(options, ListenAndReadPort),
              net::HasNoFindings());
}
// [/sample]

// The texts in docs/SCHEDULES.md.
TEST(SendAndReplace, IsPrinted) {
  net::ScheduleResult result = net::ExploreSchedules(SendAndReplace);
  result.name = "SendAndReplace";
  EXPECT_THAT(
      result.ToString(),
      StartsWith(
          R"(1 finding in SendAndReplace; 127 schedules with <= 2 preemptions, seed 1

1. race: it returns FAILED_PRECONDITION: send: EBADF: Bad file descriptor [net/errno='9']
   schedule: call:b4c5b (2 preemptions), seed 1
   schedules that show it: 1 of 127
   again: EXPECT_THAT(net::ReplaySchedule("call:b4c5b", SendAndReplace), net::HasNoFindings());
   calls, in the order in which they returned:
     scenario: socket() = 3
     scenario: connect(3) = 0
     scenario: socket() = 4
     scenario: connect(4) = 0
     sender: clock_gettime() = 0
     sender: clock_gettime() = 0
     sender: clock_gettime() = 0
     replacer: clock_gettime() = 0
     replacer: clock_gettime() = 0
     replacer: clock_gettime() = 0
     replacer: close(3) = 0
     sender: send(3) = -1 EBADF
)"));
}

TEST(SendAndDup3, IsPrinted) {
  net::ScheduleResult result = net::ExploreSchedules(SendAndDup3);
  result.name = "SendAndDup3";
  EXPECT_EQ(result.Statement(),
            "no schedule with <= 2 preemptions makes SendAndDup3 fail, hang or "
            "leak; 114 schedules, seed 1");
}

}  // namespace
