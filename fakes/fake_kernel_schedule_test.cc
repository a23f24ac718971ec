// Schedules: which participant runs, that a run can be repeated, and what makes
// it impossible to repeat.

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "fakes/schedule/schedule.h"
#include "fakes/tracing_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kClients = 3;
constexpr int kRounds = 2;

// --- A server with three clients ---------------------------------------------

int NewSocket(Syscalls& sys) {
  return sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0).fd();
}

// Echoes until each client has closed its connection.
void Serve(Syscalls& sys, int listener) {
  std::vector<pollfd> fds = {{.fd = listener, .events = POLLIN, .revents = 0}};
  for (int closed = 0; closed < kClients;) {
    ASSERT_THAT(sys.Poll(fds.data(), fds.size(), -1), IsOk());
    for (size_t i = 1; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      char data[16];
      const SysResult size = sys.Recv(fds[i].fd, data, sizeof(data), 0);
      ASSERT_THAT(size, IsOk());
      if (size.value() > 0) {
        EXPECT_THAT(
            sys.Send(fds[i].fd, data, static_cast<size_t>(size.value()), 0),
            size);
        continue;
      }
      EXPECT_THAT(sys.Close(fds[i].fd), IsOk());
      fds[i].fd = -1;
      ++closed;
    }
    if (fds[0].revents == 0) continue;
    const SysResult accepted = sys.Accept4(listener, nullptr, nullptr, 0);
    ASSERT_THAT(accepted, IsOk());
    fds.push_back({.fd = accepted.fd(), .events = POLLIN, .revents = 0});
  }
  EXPECT_THAT(sys.Close(listener), IsOk());
}

void Ask(Syscalls& sys, const std::string& text) {
  const int fd = NewSocket(sys);
  const ip::SockAddr to({ip::kLocalV4, kPort});
  ASSERT_THAT(sys.Connect(fd, to.get(), to.size()), IsOk());
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_THAT(sys.Send(fd, text.data(), text.size(), 0),
                IsOkAndHolds(text.size()));
    char data[16];
    const SysResult size = sys.Recv(fd, data, sizeof(data), 0);
    ASSERT_THAT(size, IsOkAndHolds(text.size()));
    EXPECT_EQ(absl::string_view(data, text.size()), text);
  }
  EXPECT_THAT(sys.Close(fd), IsOk());
}

struct Outcome {
  std::string trace;
  std::string schedule;
  std::string not_replayable;
};

Outcome ServeThreeClients(const FakeKernelOptions& options) {
  Outcome run;
  FakeKernel kernel(options);
  const auto traced = [&](const std::string& name) {
    return std::make_unique<TracingSyscalls>(
        kernel.NewProcess(),
        [&](absl::string_view line) {
          absl::StrAppend(&run.trace, line, "\n");
        },
        name);
  };
  const FakeKernel::Participant self(kernel);
  const std::unique_ptr<Syscalls> server = traced("server");
  const int listener = NewSocket(*server);
  const ip::SockAddr local({ip::kLocalV4, kPort});
  EXPECT_THAT(server->Bind(listener, local.get(), local.size()), IsOk());
  EXPECT_THAT(server->Listen(listener, 1), IsOk());
  std::vector<std::unique_ptr<Syscalls>> clients;
  std::vector<std::unique_ptr<FakeKernel::Thread>> threads;
  threads.push_back(std::make_unique<FakeKernel::Thread>(
      kernel, "server", [&] { Serve(*server, listener); }));
  for (int i = 0; i < kClients; ++i) {
    const std::string name = absl::StrCat("client", i);
    Syscalls& sys = *clients.emplace_back(traced(name));
    threads.push_back(std::make_unique<FakeKernel::Thread>(
        kernel, name, [&sys, name] { Ask(sys, name); }));
  }
  for (const auto& thread : threads) thread->Join();
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
  run.schedule = kernel.Schedule();
  run.not_replayable = kernel.NotReplayable();
  return run;
}

void ExpectOneTrace(int runs) {
  const Outcome first = ServeThreeClients({.seed = 42});
  EXPECT_THAT(first.not_replayable, IsEmpty());
  for (int i = 1; i < runs; ++i) {
    const Outcome run = ServeThreeClients({.seed = 42});
    ASSERT_EQ(run.trace, first.trace) << "run " << i;
    ASSERT_EQ(run.schedule, first.schedule) << "run " << i;
  }
}

TEST(FakeKernelSchedule, AThousandRunsHaveOneTrace) { ExpectOneTrace(1000); }

// Other threads keep all processors busy and move the participants about.
TEST(FakeKernelSchedule, OneTraceUnderLoad) {
  std::atomic<bool> ends = false;
  std::vector<std::thread> load;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    load.emplace_back([&] {
      while (!ends) {
      }
    });
  }
  ExpectOneTrace(1000);
  ends = true;
  for (std::thread& one : load) one.join();
}

TEST(FakeKernelSchedule, OtherSeedsGiveOtherLegalOrders) {
  std::set<std::string> schedules;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    schedules.insert(ServeThreeClients({.seed = seed}).schedule);
  }
  EXPECT_GT(schedules.size(), 15U);
}

TEST(FakeKernelSchedule, AScheduleIsReplayed) {
  SeededSchedule policy(99);
  const Outcome first =
      ServeThreeClients({.seed = 7, .schedule = {.policy = &policy}});
  const Outcome other = ServeThreeClients({.seed = 7});
  EXPECT_NE(other.trace, first.trace);
  const Outcome again =
      ServeThreeClients({.seed = 7, .schedule = {.replay = first.schedule}});
  EXPECT_EQ(again.trace, first.trace);
  EXPECT_EQ(again.schedule, first.schedule);
}

// Chooses at each call, pseudo-randomly.
class AtEachCall final : public SchedulePolicy {
 public:
  explicit AtEachCall(uint64_t seed) : random_(seed) {}
  size_t Choose(const ScheduleChoice& choice) override {
    if (choice.why == HandOver::kCall) ++at_calls_;
    return random_.Choose(choice);
  }
  bool ChoosesAtEachCall() const override { return true; }
  int at_calls() const { return at_calls_; }

 private:
  SeededSchedule random_;
  int at_calls_ = 0;
};

TEST(FakeKernelSchedule, AScheduleOfEachCallIsReplayed) {
  AtEachCall policy(3);
  const Outcome first = ServeThreeClients({.schedule = {.policy = &policy}});
  EXPECT_GT(policy.at_calls(), 20);
  EXPECT_THAT(first.schedule, testing::StartsWith("call:"));
  const Outcome again =
      ServeThreeClients({.schedule = {.replay = first.schedule}});
  EXPECT_EQ(again.trace, first.trace);
  EXPECT_EQ(again.schedule, first.schedule);
}

TEST(FakeKernelSchedule, AReplayedScheduleHasItsNumberOfCalls) {
  const FakeKernel kernel({.schedule = {.replay = "7:"}});
  EXPECT_EQ(kernel.Schedule(), "7:");
}

TEST(FakeKernelSchedule, AThreadTakesPartInTheOuterKernelAgain) {
  FakeKernel outer;
  const FakeKernel::Participant self(outer, "main");
  {
    FakeKernel inner;
    const FakeKernel::Participant in_both(inner, "main");
    EXPECT_EQ(outer.CurrentParticipant(), 0);
    EXPECT_EQ(inner.CurrentParticipant(), 0);
  }
  EXPECT_EQ(outer.CurrentParticipant(), 0);
}

TEST(FakeKernelSchedule, AThreadThatJoinsWhileOthersRunIsNotReplayable) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::thread late(
      [&] { const FakeKernel::Participant participant(kernel, "late"); });
  // The new participant gets the baton when this one waits.
  while (kernel.ParticipantNames().size() < 2) std::this_thread::yield();
  FakeProcess& process = kernel.NewProcess();
  EXPECT_THAT(process.Poll(nullptr, 0, 1000), IsOkAndHolds(0));
  late.join();
  EXPECT_THAT(kernel.NotReplayable(),
              HasSubstr("late joined from a thread that does not take part"));
}

TEST(FakeKernelScheduleDeathTest, ABadScheduleEndsTheProcess) {
  EXPECT_DEATH(FakeKernel({.schedule = {.replay = "ab"}}),
               "schedule \"ab\": cannot be parsed");
}

// --- The baton ---------------------------------------------------------------

TEST(FakeKernelSchedule, AThreadBeginsWhenItsMakerBlocks) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  std::atomic<bool> begun = false;  // The baton orders nothing.
  FakeKernel::Thread thread(kernel, "thread", [&] { begun = true; });
  for (int i = 0; i < 50; ++i) EXPECT_THAT(process.Poll(nullptr, 0, 0), IsOk());
  EXPECT_FALSE(begun);
  EXPECT_THAT(process.Poll(nullptr, 0, 1), IsOk());
  EXPECT_TRUE(begun);
}

// When a thread ends, and time passes until an event wakes two others, either
// can go first.
TEST(FakeKernelSchedule, TheEndOfAThreadLetsEachOfTwoGoFirst) {
  std::set<std::string> orders;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FakeKernel kernel({.seed = seed});
    FakeProcess& process = kernel.NewProcess();
    const FakeKernel::Participant self(kernel, "main");
    const Connected both = ConnectProcesses(process, process);
    Mutex mutex;
    std::string order;
    const auto await = [&](char name) {
      pollfd entry = {.fd = both.server.fd(), .events = POLLIN, .revents = 0};
      EXPECT_THAT(process.Poll(&entry, 1, -1), IsOkAndHolds(1));
      const MutexLock lock(mutex);
      order += name;
    };
    FakeKernel::Thread a(kernel, "a", [&] { await('a'); });
    FakeKernel::Thread b(kernel, "b", [&] { await('b'); });
    EXPECT_TRUE(a.AwaitBlocked());
    EXPECT_TRUE(b.AwaitBlocked());
    EXPECT_THAT(kernel.SetLink({}, {.delay = absl::Milliseconds(1)}), IsOk());
    EXPECT_THAT(both.client.Send("x"), IsOk());
    FakeKernel::Thread ends(kernel, "ends", [] {});
    a.Join();
    b.Join();
    ends.Join();
    orders.insert(order);
  }
  EXPECT_THAT(orders, testing::ElementsAre("ab", "ba"));
}

// A program that polls without a timeout does not keep others from running.
TEST(FakeKernelSchedule, ManyCallsHandTheBatonOn) {
  FakeKernel kernel({.schedule = {.calls_without_blocking = 10}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  std::atomic<bool> begun = false;  // The baton orders nothing.
  FakeKernel::Thread thread(kernel, "thread", [&] { begun = true; });
  int calls = 0;
  for (; !begun && calls < 1000; ++calls) {
    EXPECT_THAT(process.Poll(nullptr, 0, 0), IsOk());
  }
  EXPECT_EQ(calls, 11);
}

TEST(FakeKernelSchedule, NoTwoParticipantsRunAtTheSameTime) {
  FakeKernel kernel({.schedule = {.calls_without_blocking = 1}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  std::atomic<int> running = 0;
  std::atomic<bool> two = false;
  const auto body = [&] {
    for (int i = 0; i < 200; ++i) {
      if (running.fetch_add(1) != 0) two = true;
      std::this_thread::yield();
      running.fetch_sub(1);
      EXPECT_THAT(process.Poll(nullptr, 0, 0), IsOk());
    }
  };
  FakeKernel::Thread a(kernel, "a", body);
  FakeKernel::Thread b(kernel, "b", body);
  FakeKernel::Thread c(kernel, "c", body);
  a.Join();
  b.Join();
  c.Join();
  EXPECT_FALSE(two);
}

// The order of threads that are awaited is that of the test, with every seed.
TEST(FakeKernelSchedule, AnAwaitedThreadGoesFirst) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FakeKernel kernel({.seed = seed});
    FakeProcess& process = kernel.NewProcess();
    const FakeKernel::Participant self(kernel);
    Mutex mutex;  // The baton orders nothing.
    std::string order;
    const auto waits_as = [&](char name) {
      return [&mutex, &order, &process, name] {
        {
          const MutexLock lock(mutex);
          order += name;
        }
        EXPECT_THAT(process.Poll(nullptr, 0, 1000), IsOk());
      };
    };
    FakeKernel::Thread a(kernel, "a", waits_as('a'));
    FakeKernel::Thread b(kernel, "b", waits_as('b'));
    FakeKernel::Thread c(kernel, "c", waits_as('c'));
    EXPECT_TRUE(c.AwaitBlocked());
    {
      const MutexLock lock(mutex);
      EXPECT_EQ(order, "c");
    }
    EXPECT_TRUE(a.AwaitBlocked());
    const MutexLock lock(mutex);
    EXPECT_EQ(order, "ca");
  }
}

TEST(FakeKernelSchedule, ThreadsGetTheirProcessorsBack) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  {
    FakeKernel kernel;
    const FakeKernel::Participant self(kernel);
    FakeKernel::Thread thread(kernel, "thread", [] {});
    thread.Join();
    cpu_set_t bound;
    ASSERT_EQ(sched_getaffinity(0, sizeof(bound), &bound), 0);
    EXPECT_EQ(CPU_COUNT(&bound), 1);
  }
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&after, &before));
}

// The first thread is bound already when the third one begins.
TEST(FakeKernelSchedule, AThreadThatIsBoundAlreadyGetsItsProcessorsBack) {
  // All that the process may use, whatever another test has left behind.
  cpu_set_t all;
  CPU_ZERO(&all);
  for (int i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &all);
  ASSERT_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  {
    FakeKernel kernel;
    const FakeKernel::Participant self(kernel);
    FakeKernel::Thread one(kernel, "one", [] {});
    one.Join();
    FakeKernel::Thread two(kernel, "two", [] {});
    two.Join();
  }
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&after, &before));
}

TEST(FakeKernelSchedule, OneThreadAloneIsNotBound) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel);
  cpu_set_t meanwhile;
  ASSERT_EQ(sched_getaffinity(0, sizeof(meanwhile), &meanwhile), 0);
  EXPECT_TRUE(CPU_EQUAL(&meanwhile, &before));
}

TEST(FakeKernelSchedule, ThreadsAreNotBoundUnlessAllowed) {
  FakeKernel kernel({.schedule = {.pins_threads = false}});
  const FakeKernel::Participant self(kernel);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  FakeKernel::Thread thread(kernel, "thread", [] {});
  thread.Join();
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&after, &before));
}

// --- Outside -----------------------------------------------------------------

TEST(FakeKernelSchedule, OutsideOthersRunAndTheClockStands) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel, "main");
  std::atomic<bool> ran = false;
  FakeKernel::Thread thread(kernel, "thread", [&] {
    ran = true;
    ran.notify_all();
    EXPECT_THAT(process.Poll(nullptr, 0, 1000), IsOkAndHolds(0));
  });
  EXPECT_THAT(kernel.NotReplayable(), IsEmpty());
  kernel.Outside([&] {
    ran.wait(false);
    EXPECT_TRUE(thread.AwaitBlocked());
    EXPECT_EQ(kernel.Now(), absl::ZeroDuration());
  });
  EXPECT_EQ(kernel.Now(), absl::ZeroDuration());
  EXPECT_THAT(kernel.NotReplayable(), HasSubstr("main ran outside"));
  thread.Join();
  EXPECT_EQ(kernel.Now(), absl::Seconds(1));
}

TEST(FakeKernelSchedule, ACallOfAThreadThatDoesNotTakePartIsNotReplayable) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  EXPECT_THAT(process.Poll(nullptr, 0, 0), IsOk());
  const FakeKernel::Participant self(kernel, "main");
  EXPECT_THAT(process.Poll(nullptr, 0, 0), IsOk());
  EXPECT_THAT(kernel.NotReplayable(), IsEmpty());
  std::thread([&] { EXPECT_THAT(process.Poll(nullptr, 0, 0), IsOk()); }).join();
  EXPECT_EQ(
      kernel.NotReplayable(),
      "a thread that does not take part called poll() of process process");
}

TEST(FakeKernelSchedule, ATraceSaysThatItCannotBeReplayed) {
  FakeKernel kernel;
  std::string trace;
  TracingSyscalls traced(kernel.NewProcess(), [&](absl::string_view line) {
    absl::StrAppend(&trace, line, "\n");
  });
  const FakeKernel::Participant self(kernel, "main");
  EXPECT_THAT(traced.Poll(nullptr, 0, 0), IsOk());
  kernel.Outside([] {});
  EXPECT_THAT(traced.Poll(nullptr, 0, 0), IsOk());
  kernel.Outside([] {});
  EXPECT_THAT(traced.Poll(nullptr, 0, 0), IsOk());
  EXPECT_EQ(trace,
            "poll(NULL, 0, 0) = 0\n"
            "# not replayable: main ran outside\n"
            "poll(NULL, 0, 0) = 0\n"
            "poll(NULL, 0, 0) = 0\n");
}

}  // namespace
}  // namespace net
