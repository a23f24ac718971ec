#include "conformance/environments/linux/linux_task.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/environments/linux/sleep_watch.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/precondition.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

// An event that poll(2) can wait for. Raise() is async-signal-safe.
class Event {
 public:
  Event() : fd_(CheckedFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { close(fd_); }

  int fd() const { return fd_; }

  void Raise() const {
    const uint64_t one = 1;
    // Fails only if the counter is full, and then the event is raised already.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
  }

  void Clear() const {
    uint64_t count = 0;
    // Fails only if the event is not raised.
    [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof(count));
  }

 private:
  const int fd_;
};

// The event that the signal handler raises. It belongs to the interrupted task,
// in whose thread the handler runs.
std::atomic<const Event*> handled_event = nullptr;
static_assert(std::atomic<const Event*>::is_always_lock_free);

void OnSignal(int) {
  const int saved_errno = errno;
  handled_event.load()->Raise();
  errno = saved_errno;
}

// Without SA_RESTART, so that system calls fail with EINTR.
void InstallHandler() {
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  Checked(sigaction(SIGUSR1, &action, nullptr), "sigaction");
}

class LinuxTask final : public Task {
 public:
  LinuxTask(std::function<void()> body, std::function<void()> abandon)
      : abandon_(std::move(abandon)) {
    std::promise<pid_t> tid;
    std::future<pid_t> tid_future = tid.get_future();
    thread_ = std::thread([this, body = std::move(body), &tid] {
      tid.set_value(gettid());
      body();
      ended_.Raise();
    });
    tid_ = tid_future.get();
  }

  LinuxTask(const LinuxTask&) = delete;
  LinuxTask& operator=(const LinuxTask&) = delete;
  ~LinuxTask() override {
    if (!thread_.joinable()) return;
    if (!Ended()) abandon_();
    thread_.join();
  }

  void Join() override {
    if (thread_.joinable()) thread_.join();
  }

  bool AwaitBlocked() override {
    InspectionPauses pauses;
    SleepWatch watch;
    while (!WaitForEnd(pauses.Next())) {
      const auto call = reader_.Read(tid_);
      if (!call.ok()) {
        EndCase([&] { NotePrecondition(call.status().message()); });
      } else if (!call->has_value()) {
        static_cast<void>(watch.Lasts({}));
      } else if (IsBlocked(**call) || OutlivesDescriptor(**call)) {
        blocked_ = **call;
        return true;
      } else if (watch.Lasts({{tid_, (*call)->times_slept}})) {
        EndCase([&] { NoteOtherSleep(**call); });
      }
    }
    return false;
  }

  void Interrupt() override {
    handled_.Clear();
    handled_event = &handled_;
    InstallHandler();
    // Signalling a thread that has ended is allowed until it is joined.
    if (thread_.joinable()) pthread_kill(thread_.native_handle(), SIGUSR1);
    pollfd events[] = {{.fd = handled_.fd(), .events = POLLIN, .revents = 0},
                       {.fd = ended_.fd(), .events = POLLIN, .revents = 0}};
    while (poll(events, 2, -1) < 0) {
      if (errno != EINTR) Checked(-1, "poll");
    }
  }

 private:
  bool Ended() const { return WaitForEnd(std::chrono::nanoseconds(0)); }

  // Returns true once the body has returned; false if it has not within
  // `pause`.
  bool WaitForEnd(std::chrono::nanoseconds pause) const {
    pollfd event = {.fd = ended_.fd(), .events = POLLIN, .revents = 0};
    const timespec timeout = {.tv_sec = 0, .tv_nsec = pause.count()};
    return ppoll(&event, 1, &timeout, nullptr) == 1;
  }

  // Returns true if the thread waits for a socket or in close(2), and the event
  // that it waits for has not happened.
  bool IsBlocked(const BlockedCall& call) const {
    switch (call.kind) {
      case BlockedCall::Kind::kSocket:
        return reader_.IsSocket(call.direct->fd) &&
               reader_.IsStillBlocked(call);
      case BlockedCall::Kind::kPoll:
      case BlockedCall::Kind::kEpoll:
      case BlockedCall::Kind::kClose:
        return reader_.IsStillBlocked(call);
      case BlockedCall::Kind::kOpaque:
        return false;
      case BlockedCall::Kind::kOther:
        return call.number == SYS_futex && AnotherRunsTheLoop() &&
               reader_.IsStillBlocked(call);
    }
    return false;
  }

  // Returns true if the thread was seen blocked in this call on a descriptor
  // that another thread has closed since. close(2) neither ends the call nor
  // releases the file, so the thread is still blocked, although its descriptor
  // no longer shows what wakes it.
  bool OutlivesDescriptor(const BlockedCall& call) const {
    return blocked_.has_value() && blocked_->number == call.number &&
           blocked_->times_slept == call.times_slept &&
           std::any_of(call.wakers.begin(), call.wakers.end(),
                       [](const BlockedCall::Awaited& one) {
                         return fcntl(one.fd, F_GETFD) < 0;
                       });
  }

  // Returns true if another thread waits in an event loop with sockets. If the
  // task's thread waits for a lock, it is probably waiting for that thread.
  bool AnotherRunsTheLoop() const {
    const std::vector<pid_t> threads = reader_.Threads();
    return std::any_of(threads.begin(), threads.end(), [this](pid_t thread) {
      if (thread == tid_) return false;
      const auto call = reader_.Read(thread);
      return call.ok() && call->has_value() &&
             (*call)->kind == BlockedCall::Kind::kEpoll &&
             std::any_of((*call)->awaited.begin(), (*call)->awaited.end(),
                         [this](const BlockedCall::Awaited& one) {
                           return reader_.IsSocket(one.fd);
                         }) &&
             reader_.IsStillBlocked(**call);
    });
  }

  static void NoteOtherSleep(const BlockedCall& call) {
    if (call.kind == BlockedCall::Kind::kOpaque) {
      NotePrecondition(absl::StrCat(Describe(call),
                                    "; /proc does not show what it waits for"));
    } else {
      ADD_FAILURE() << Describe(call) << ", which is not a call on a socket";
    }
  }

  // Ends the case although its task still sleeps.
  void EndCase(absl::FunctionRef<void()> note) const {
    note();
    abandon_();
  }

  const std::function<void()> abandon_;
  // These must outlive the thread, and with it the signal handler.
  const Event ended_;
  const Event handled_;
  const BlockedCallReader reader_{getpid()};
  std::optional<BlockedCall> blocked_;  // the last one seen blocked
  pid_t tid_ = 0;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Task> StartLinuxTask(std::function<void()> body,
                                     std::function<void()> abandon) {
  return std::make_unique<LinuxTask>(std::move(body), std::move(abandon));
}

}  // namespace net::conformance
