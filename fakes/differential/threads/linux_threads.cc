#include "fakes/differential/threads/linux_threads.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/threads/sleeping_threads.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/differential/threads/threaded_run.h"
#include "fakes/differential/worlds.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/delivery.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

// A thread that neither ends nor sleeps for so long is an error.
constexpr absl::Duration kLimit = absl::Seconds(20);
// The time between two looks at the threads.
constexpr absl::Duration kBetweenLooks = absl::Microseconds(50);

// A number that threads wait to change.
class Signal {
 public:
  uint32_t value() const { return value_.load(); }

  void Add(uint32_t sum) {
    value_ += sum;
    syscall(SYS_futex, &value_, FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr,
            0);
  }

  // Returns when the value may have changed, or after the timeout.
  void AwaitOther(uint32_t old, absl::Duration timeout) {
    const timespec limit = absl::ToTimespec(timeout);
    syscall(SYS_futex, &value_, FUTEX_WAIT_PRIVATE, old, &limit, nullptr, 0);
  }

 private:
  std::atomic<uint32_t> value_ = 0;
  static_assert(std::atomic<uint32_t>::is_always_lock_free);
};

// The calling thread's, or null if its calls do not wait for deliveries.
thread_local sandbox::Delivery* delivery_of_thread = nullptr;

// A kernel in which a call of a thread sees everything that the thread has sent
// before.
class DeliveringToThreads final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

 protected:
  SysResult Intercept(Invocation& /*invocation*/,
                      absl::FunctionRef<SysResult()> make) override {
    if (delivery_of_thread == nullptr) return make();
    delivery_of_thread->Await();
    delivery_of_thread->Note();
    const SysResult result = make();
    delivery_of_thread->Note();
    return result;
  }
};

// The threads of one run.
class Runners {
 public:
  // `delivery` outlives this. `delivers`: each thread has one, too.
  Runners(size_t count, sandbox::Delivery& delivery, bool delivers)
      : threads_(count), delivery_(delivery), delivers_(delivers) {}
  Runners(const Runners&) = delete;
  Runners& operator=(const Runners&) = delete;
  ~Runners() { Join(); }

  // Starts the threads, which wait for Begin(), and opens their files.
  absl::Status Start();

  // Lets the threads make the calls of the run, which must outlive this.
  // Returns true if all have ended, false if some are blocked for good.
  absl::StatusOr<bool> Run(ThreadedRun& run, const ThreadStart& start);

  // Ends all threads.
  void Join();

 private:
  struct Runner {
    std::thread thread;
    std::atomic<pid_t> id = 0;
    std::atomic<bool> may_begin = false;
    std::atomic<bool> has_ended = false;
    std::optional<SleepReader> sleep;
    // Made by the thread. Keeps its descriptor until all threads have ended.
    std::optional<sandbox::Delivery> delivery;
  };

  void Body(size_t number);
  // Waits until each of these threads has ended or is blocked for good. Returns
  // whether all have ended.
  absl::StatusOr<bool> AwaitRest(const std::vector<size_t>& begun);
  // Returns a text that is the same if the threads have slept between two
  // calls, or nullopt if one of them does not sleep.
  std::optional<std::string> LookAt(const std::vector<size_t>& begun) const;
  void Interrupt();

  std::vector<Runner> threads_;
  sandbox::Delivery& delivery_;
  const bool delivers_;
  ThreadedRun* run_ = nullptr;
  Signal begin_;
  Signal progress_;
  // The calls were interrupted: their results do not count.
  std::atomic<bool> is_over_ = false;
};

absl::Status Runners::Start() {
  for (size_t i = 0; i < threads_.size(); ++i) {
    threads_[i].thread = std::thread([this, i] { Body(i); });
  }
  for (Runner& runner : threads_) {
    for (uint32_t old = progress_.value(); runner.id == 0;
         old = progress_.value()) {
      progress_.AwaitOther(old, absl::Seconds(1));
    }
    absl::StatusOr<SleepReader> sleep = SleepReader::Open(runner.id);
    if (!sleep.ok()) return sleep.status();
    runner.sleep.emplace(*std::move(sleep));
  }
  return absl::OkStatus();
}

void Runners::Body(size_t number) {
  Runner& self = threads_[number];
  if (delivers_) delivery_of_thread = &self.delivery.emplace();
  self.id = gettid();
  progress_.Add(1);
  for (uint32_t old = begin_.value(); !self.may_begin; old = begin_.value()) {
    begin_.AwaitOther(old, absl::Seconds(1));
  }
  if (run_ != nullptr) {
    run_->RunThread(number,
                    [this](Call, SysResult) { return is_over_.load(); });
  }
  self.has_ended = true;
  progress_.Add(1);
}

absl::StatusOr<bool> Runners::Run(ThreadedRun& run, const ThreadStart& start) {
  run_ = &run;
  std::vector<size_t> begun;
  absl::StatusOr<bool> have_ended = true;
  for (const size_t number : start.order) {
    begun.push_back(number);
    threads_[number].may_begin = true;
    if (!start.one_by_one && begun.size() < start.order.size()) continue;
    begin_.Add(1);
    have_ended = AwaitRest(begun);
    if (!have_ended.ok()) break;
  }
  if (!have_ended.ok() || !*have_ended) Interrupt();
  return have_ended;
}

absl::StatusOr<bool> Runners::AwaitRest(const std::vector<size_t>& begun) {
  const absl::Time limit = absl::Now() + kLimit;
  std::optional<std::string> last;
  do {
    const uint32_t progress = progress_.value();
    if (std::all_of(begun.begin(), begun.end(), [this](size_t number) {
          return threads_[number].has_ended.load();
        })) {
      return true;
    }
    std::optional<std::string> look = LookAt(begun);
    if (look.has_value() && look == last) return false;
    last = std::move(look);
    progress_.AwaitOther(progress, kBetweenLooks);
    // It could wake a thread that sleeps.
    if (last.has_value()) delivery_.AwaitAll();
  } while (absl::Now() < limit);
  return absl::DeadlineExceededError(
      "the threads of a program neither end nor sleep in their calls");
}

std::optional<std::string> Runners::LookAt(
    const std::vector<size_t>& begun) const {
  std::string all;
  for (const size_t number : begun) {
    const Runner& runner = threads_[number];
    if (runner.has_ended) {
      all += " ended";
      continue;
    }
    const std::optional<std::string> sleeps = runner.sleep->Sleeps();
    if (!sleeps.has_value()) return std::nullopt;
    all += ' ';
    all += *sleeps;
  }
  return all;
}

// A signal has no effect on a call that has not begun, so that a thread can get
// several. One that waits for the lock of a pipe ends after the thread that has
// it.
void Runners::Interrupt() {
  is_over_ = true;
  bool have_ended = false;
  while (!have_ended) {
    const uint32_t progress = progress_.value();
    have_ended = true;
    for (Runner& runner : threads_) {
      if (!runner.may_begin || runner.has_ended) continue;
      have_ended = false;
      pthread_kill(runner.thread.native_handle(), SIGUSR1);
    }
    if (!have_ended) progress_.AwaitOther(progress, absl::Milliseconds(1));
  }
}

void Runners::Join() {
  for (Runner& runner : threads_) {
    // A thread that has not begun makes no calls.
    if (!runner.may_begin) run_ = nullptr;
  }
  for (Runner& runner : threads_) runner.may_begin = true;
  begin_.Add(1);
  for (Runner& runner : threads_) {
    if (runner.thread.joinable()) runner.thread.join();
  }
}

std::vector<int> FreeNumbers() {
  std::vector<int> numbers;
  for (int fd = 0; numbers.size() < kMostDescriptors; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) numbers.push_back(fd);
  }
  return numbers;
}

void SetDescriptorLimit(rlim_t number) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) std::abort();
  limit.rlim_cur = number;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) std::abort();
}

void ResetAndCloseAll(const std::vector<int>& numbers) {
  const linger reset = {1, 0};
  for (const int fd : numbers) {
    if (fcntl(fd, F_GETFD) < 0) continue;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
  }
}

// Without SA_RESTART, so that calls fail with EINTR.
absl::Status InstallHandler() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  if (sigaction(SIGUSR1, &action, nullptr) != 0) {
    return ErrnoError(errno, "sigaction");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ThreadedAnswer> LinuxThreads::Run(const ThreadedProgram& program,
                                                 const ThreadStart& start) {
  absl::Status installed = InstallHandler();
  if (!installed.ok()) return installed;
  absl::StatusOr<std::unique_ptr<World>> world = worlds_.MakeDelivering();
  if (!world.ok()) return world.status();
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoError(errno, "getrlimit");
  }
  sandbox::Delivery delivery;
  Runners runners(program.threads.size(), delivery,
                  start.one_by_one || start.awaits_deliveries);
  absl::Status started = runners.Start();
  if (!started.ok()) return started;
  const std::vector<int> numbers = FreeNumbers();
  DeliveringToThreads sys((*world)->process(0));
  ThreadedRun run(program, {sys, numbers, (*world)->fixed_ports()});
  run.SetUp();
  if (program.free_descriptors >= 0) {
    SetDescriptorLimit(static_cast<rlim_t>(run.DescriptorLimit()));
  }
  const absl::StatusOr<bool> have_ended = runners.Run(run, start);
  runners.Join();
  SetDescriptorLimit(limit.rlim_cur);
  if (have_ended.ok() && *have_ended) {
    delivery.AwaitAll();
    run.Inspect();
  }
  ResetAndCloseAll(numbers);
  if (!have_ended.ok()) return have_ended.status();
  return run.answer();
}

}  // namespace net::differential
