#include "conformance/linux/linux_task.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "conformance/environment.h"
#include "conformance/linux/harness_error.h"
#include "conformance/linux/thread_status.h"

namespace net::conformance {
namespace {

// An event that happens once or more, to be waited for in a poll(2). Raise() is
// async-signal-safe.
class Event {
 public:
  Event() : fd_(CheckedFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { close(fd_); }

  int fd() const { return fd_; }

  void Raise() const {
    const uint64_t one = 1;
    // Fails only when the counter is full, and then it is raised all the same.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
  }

  void Clear() const {
    uint64_t count = 0;
    // Fails only when it is clear already.
    [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof(count));
  }

 private:
  const int fd_;
};

// What the signal handler raises: an event of the task that is interrupted, and
// in whose thread it runs.
std::atomic<const Event*> handled_event = nullptr;
static_assert(std::atomic<const Event*>::is_always_lock_free);

void OnSignal(int) {
  const int saved_errno = errno;
  handled_event.load()->Raise();
  errno = saved_errno;
}

// Without SA_RESTART, so that system calls end with EINTR.
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
    status_path_ =
        absl::StrCat("/proc/self/task/", tid_future.get(), "/status");
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
    // Nothing tells when a thread begins to wait, so it is looked at again and
    // again. It waits if it sleeps and has done so since the look before.
    std::optional<uint64_t> sleeping_since;
    while (!WaitForEnd(/*microseconds=*/200)) {
      const std::optional<uint64_t> now = SleepNumber();
      if (now.has_value() && now == sleeping_since) return true;
      sleeping_since = now;
    }
    return false;
  }

  void Interrupt() override {
    handled_.Clear();
    handled_event = &handled_;
    InstallHandler();
    // A thread that has ended but was not joined may still be signalled.
    if (thread_.joinable()) pthread_kill(thread_.native_handle(), SIGUSR1);
    pollfd events[] = {{.fd = handled_.fd(), .events = POLLIN, .revents = 0},
                       {.fd = ended_.fd(), .events = POLLIN, .revents = 0}};
    while (poll(events, 2, -1) < 0) {
      if (errno != EINTR) Checked(-1, "poll");
    }
  }

 private:
  bool Ended() const { return WaitForEnd(0); }

  // True once the body has returned; false after a while if it has not.
  bool WaitForEnd(int64_t microseconds) const {
    pollfd event = {.fd = ended_.fd(), .events = POLLIN, .revents = 0};
    const timespec timeout = {.tv_sec = 0, .tv_nsec = microseconds * 1000};
    return ppoll(&event, 1, &timeout, nullptr) == 1;
  }

  // How often the thread has gone to sleep, if it sleeps now.
  std::optional<uint64_t> SleepNumber() const {
    const std::optional<ThreadStatus> status = ReadThreadStatus(status_path_);
    if (!status.has_value() || !status->sleeps) return std::nullopt;
    return status->times_slept;
  }

  const std::function<void()> abandon_;
  // Outlive the thread, and with it the signal handler.
  const Event ended_;
  const Event handled_;
  std::string status_path_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Task> StartLinuxTask(std::function<void()> body,
                                     std::function<void()> abandon) {
  return std::make_unique<LinuxTask>(std::move(body), std::move(abandon));
}

}  // namespace net::conformance
