#include "fakes/run_tasks.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "fakes/fake_kernel.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"

namespace net {

// Makes the calling thread take part, if it does not.
class FakeKernel::Presence {
 public:
  explicit Presence(FakeKernel& kernel) {
    if (kernel.kernel_->scheduler.Current() == nullptr) {
      participant_.emplace(kernel, "RunTasks");
    }
  }

 private:
  std::optional<Participant> participant_;
};

// Tasks that run. Its members are touched by one participant at a time, or
// under the kernel's lock.
class FakeKernel::TaskGroup {
 public:
  TaskGroup(FakeKernel& kernel, const std::vector<Task>& tasks)
      : kernel_(*kernel.kernel_), running_(tasks.size()) {
    for (const Task& task : tasks) {
      threads_.emplace_back(kernel, task.name(), [this, &task] { Run(task); });
    }
  }

  // Waits until all have ended.
  void Join() {
    {
      const fake::KernelLock lock(kernel_);
      fake::Wait wait(kernel_.scheduler, {.process = "", .call = "RunTasks"});
      wait.Add(end_);
      while (running_ > 0 && wait.Block() != fake::Woken::kDeadlock) {
      }
    }
    for (Thread& thread : threads_) thread.Join();
  }

  // Call it after Join().
  absl::Status TakeResult() {
    if (exception_ != nullptr) std::rethrow_exception(exception_);
    return status_;
  }

 private:
  void Run(const Task& task) {
    absl::Status status;
    std::exception_ptr exception;
    try {
      status = task.Run();
    } catch (...) {
      exception = std::current_exception();
    }
    const fake::KernelLock lock(kernel_);
    if (status_.ok()) status_ = status;
    if (exception_ == nullptr) exception_ = exception;
    if (--running_ == 0) end_.WakeAll();
  }

  fake::Kernel& kernel_;
  size_t running_;
  fake::WaitQueue end_;
  absl::Status status_;  // Of the task that failed first.
  std::exception_ptr exception_;
  std::list<Thread> threads_;
};

absl::Status RunTasks(FakeKernel& kernel, const std::vector<Task>& tasks) {
  const FakeKernel::Presence self(kernel);
  FakeKernel::TaskGroup group(kernel, tasks);
  group.Join();
  return group.TakeResult();
}

absl::Status RunTasks(FakeKernel& kernel, uint64_t seed,
                      const std::vector<Task>& tasks) {
  {
    const fake::KernelLock lock(*kernel.kernel_);
    kernel.kernel_->scheduler.Reseed(seed);
  }
  return RunTasks(kernel, tasks);
}

}  // namespace net
