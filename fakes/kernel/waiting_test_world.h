#ifndef FAKES_KERNEL_WAITING_TEST_WORLD_H_
#define FAKES_KERNEL_WAITING_TEST_WORLD_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/string_view.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"

// What waiting_test needs of a kernel, and threads that use it.

namespace net::fake {

inline void PrintTo(Woken woken, std::ostream* os) {
  static constexpr const char* kNames[] = {"kEvent", "kTimeout", "kSignal",
                                           "kRestart", "kDeadlock"};
  *os << kNames[static_cast<size_t>(woken)];
}

// A kernel in which there is nothing but waiting.
struct World {
  KernelMutex mutex;
  Clock clock;
  Scheduler scheduler{mutex, clock, [] { return std::string("sockets"); }};

  Nanoseconds now() {
    const KernelMutexLock lock(mutex);
    return clock.now();
  }
  std::optional<std::string> deadlock() {
    const KernelMutexLock lock(mutex);
    return scheduler.deadlock();
  }
  void WakeAll(WaitQueue& queue) {
    const KernelMutexLock lock(mutex);
    queue.WakeAll();
  }
  void WakeOne(WaitQueue& queue) {
    const KernelMutexLock lock(mutex);
    queue.WakeOne();
  }

  // One call that waits for one thing.
  Woken WaitFor(WaitQueue& queue, Nanoseconds timeout = kForever) {
    const KernelMutexLock lock(mutex);
    Wait wait(scheduler, {.process = "p", .call = "read", .fd = 3},
              clock.After(timeout));
    wait.Add(queue);
    return wait.Block();
  }
  Woken WaitExclusively(WaitQueue& queue) {
    const KernelMutexLock lock(mutex);
    Wait wait(scheduler, {.process = "p", .call = "accept4", .fd = 4});
    wait.AddExclusive(queue);
    return wait.Block();
  }
  Woken Sleep(Nanoseconds timeout) {
    WaitQueue nothing;
    return WaitFor(nothing, timeout);
  }
};

// The calling thread takes part.
class Participant {
 public:
  explicit Participant(World& world, absl::string_view name = "main")
      : world_(world), state_([&] {
          const KernelMutexLock lock(world.mutex);
          ParticipantState* const state = world.scheduler.Join(name);
          world.scheduler.Begin(*state);
          return state;
        }()) {}
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;
  ~Participant() {
    const KernelMutexLock lock(world_.mutex);
    world_.scheduler.Leave(*state_);
  }

  bool Interrupt() {
    const KernelMutexLock lock(world_.mutex);
    return world_.scheduler.Interrupt(*state_, /*restart=*/false);
  }

 private:
  World& world_;
  ParticipantState* const state_;
};

// A thread that takes part.
class Thread {
 public:
  Thread(World& world, absl::string_view name, std::function<void()> body)
      : world_(world),
        state_([&] {
          const KernelMutexLock lock(world.mutex);
          return world.scheduler.Join(name);
        }()),
        thread_([this, body = std::move(body)] {
          {
            const KernelMutexLock lock(world_.mutex);
            world_.scheduler.Begin(*state_);
          }
          body();
          const KernelMutexLock lock(world_.mutex);
          world_.scheduler.Leave(*state_);
        }) {}
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() { Join(); }

  // A participant that joins must not keep the baton.
  void Join() {
    if (!thread_.joinable()) return;
    {
      const KernelMutexLock lock(world_.mutex);
      while (!state_->ended && world_.scheduler.Current() != nullptr) {
        Wait wait(world_.scheduler, {.process = "", .call = "join"});
        wait.Add(state_->end);
        if (wait.Block() == Woken::kDeadlock) {
          world_.scheduler.AwaitBlocked(*state_);
        }
      }
    }
    thread_.join();
  }
  bool AwaitBlocked() {
    const KernelMutexLock lock(world_.mutex);
    return world_.scheduler.AwaitBlocked(*state_);
  }
  bool Interrupt(bool restart) {
    const KernelMutexLock lock(world_.mutex);
    return world_.scheduler.Interrupt(*state_, restart);
  }
  // Two interruptions between which the thread cannot run.
  std::pair<bool, bool> InterruptTwice(bool restart) {
    const KernelMutexLock lock(world_.mutex);
    const bool first = world_.scheduler.Interrupt(*state_, restart);
    return {first, world_.scheduler.Interrupt(*state_, restart)};
  }
  WaitQueue& end() { return state_->end; }

 private:
  World& world_;
  ParticipantState* const state_;
  std::thread thread_;
};

// A thread that does not take part, in a call that waits for `queue`.
class Outsider {
 public:
  Outsider(World& world, WaitQueue& queue)
      : thread_([this, &world, &queue] { woken_ = world.WaitFor(queue); }) {
    // It is in the queue and waits from one moment on.
    for (bool waits = false; !waits; std::this_thread::yield()) {
      const KernelMutexLock lock(world.mutex);
      waits = !queue.empty();
    }
  }
  Outsider(const Outsider&) = delete;
  Outsider& operator=(const Outsider&) = delete;
  ~Outsider() {
    if (thread_.joinable()) thread_.join();
  }

  Woken Join() {
    thread_.join();
    return *woken_;
  }

 private:
  std::optional<Woken> woken_;
  std::thread thread_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_WAITING_TEST_WORLD_H_
