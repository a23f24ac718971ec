// Many threads on one injector, and many injectors in one process. Under
// ThreadSanitizer this also checks that the records are locked.

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fakes/fake_kernel.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_injector_test_base.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::IsEmpty;

constexpr int kThreads = 4;

template <typename Body>
void InThreads(Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

TEST(FaultInjectorThreads, OneOfManyConcurrentCallsFails) {
  constexpr int kCalls = 300;
  LinuxSyscalls kernel;
  FaultInjector sys(kernel);
  sys.Arm(PlanOf(absl::StrCat("socket#", kThreads * kCalls / 2,
                              "=ENFILE after; close every 7=EIO")));
  std::atomic<int> failures = 0;
  InThreads([&] {
    for (int i = 0; i < kCalls; ++i) {
      const SysResult made = sys.Socket(AF_INET, SOCK_STREAM, 0);
      if (made.ok()) {
        EXPECT_THAT(sys.Fcntl(made.fd(), F_GETFD, 0), IsOk());
        static_cast<void>(sys.Close(made.fd()));
      } else {
        EXPECT_THAT(made, IsErrno(ENFILE));
        ++failures;
      }
    }
  });
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(sys.Count("socket"), kThreads * kCalls);
  EXPECT_EQ(sys.StrayCloses(), 0);
  EXPECT_THAT(sys.OpenDescriptors(), IsEmpty());
  EXPECT_THAT(sys.Unmatched(), IsEmpty());
}

TEST(FaultInjectorThreads, ArmingDuringCallsIsSafe) {
  LinuxSyscalls kernel;
  FaultInjector sys(kernel);
  std::atomic<bool> ends = false;
  std::thread arms([&] {
    while (!ends) {
      sys.Arm(PlanOf("socket=EMFILE*1; close(127.0.0.1:*)=EIO"));
      sys.Arm(FaultPlan());
    }
  });
  InThreads([&] {
    for (int i = 0; i < 300; ++i) {
      const SysResult made = sys.Socket(AF_INET, SOCK_STREAM, 0);
      if (made.ok()) {
        EXPECT_THAT(sys.Close(made.fd()), IsOk());
      }
    }
  });
  ends = true;
  arms.join();
}

TEST(FaultInjectorThreads, ThousandsOfPlansRunInOneProcess) {
  constexpr int kInjectors = 2000;
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  std::deque<FaultInjector> injectors;
  for (int i = 0; i < kInjectors; ++i) {
    injectors.emplace_back(process).Arm(
        PlanOf(absl::StrCat("socket#", i % 3 + 1, "=E", 1000 + i)));
  }
  std::atomic<int> next = 0;
  InThreads([&] {
    for (int i = next++; i < kInjectors; i = next++) {
      FaultInjector& sys = injectors[static_cast<size_t>(i)];
      for (int call = 0; call < 3; ++call) {
        const SysResult made = sys.Socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(made.error(), call == i % 3 ? 1000 + i : 0);
        if (made.ok()) {
          EXPECT_THAT(sys.Close(made.fd()), IsOk());
        }
      }
      EXPECT_THAT(sys.Unmatched(), IsEmpty());
    }
  });
}

}  // namespace
}  // namespace net
