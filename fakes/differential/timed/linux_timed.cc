#include "fakes/differential/timed/linux_timed.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/linux_worlds.h"
#include "fakes/differential/timed/fake_timed.h"
#include "fakes/differential/timed/lossy_loopback.h"
#include "fakes/differential/timed/timed_program.h"
#include "fakes/differential/timed/timed_run.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

// Between the starts of two programs.
constexpr absl::Duration kStartInterval = absl::Milliseconds(5);

struct Ends {
  ip::Addr server;
  ip::Addr client;
};

// The addresses of the `number`th program: from 127.1.0.0 on.
Ends EndsOf(uint32_t number) {
  const auto addr = [](uint32_t n) {
    return ip::Addr::V4(127, static_cast<uint8_t>(1 + (n >> 16)),
                        static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n));
  };
  // The first is neither 127.0.0.0 nor a broadcast address.
  return {addr(2 * number + 2), addr(2 * number + 3)};
}
constexpr uint32_t kMostPrograms = (254 << 16) / 2 - 4;

// A call that takes so much longer than planned has blocked. A shorter delay is
// that of a busy machine.
constexpr absl::Duration kBlocked = absl::Milliseconds(300);

// Runs a plan in real time.
class TimedThread {
 public:
  TimedThread(const TimedPlan& plan, const Ends& ends, LossyLoopback& loopback,
              TimedAnswer& answer)
      : plan_(plan), ends_(ends), loopback_(loopback), answer_(answer) {}

  void Run(absl::Time start) {
    absl::SleepFor(start - absl::Now());
    start = absl::Now();
    TimedRun run({DefaultSyscalls(), ends_.server, ends_.client});
    for (const PlannedStep& step : plan_) {
      absl::SleepFor(start + step.at - absl::Now());
      const absl::Duration begin = absl::Now() - start;
      std::string result = Make(run, step);
      const absl::Duration end = absl::Now() - start;
      const absl::Duration latest = step.end + step.lateness + kMostDelay;
      if (end < step.end) {
        absl::StrAppend(&result, ", too early");
      } else if (end - begin > latest - step.at + kBlocked) {
        absl::StrAppend(&result, ", too late");
      } else if (begin > step.at + kMostDelay || end > latest) {
        answer_.punctual = false;
      }
      answer_.results.push_back(std::move(result));
    }
    for (const ip::Addr& end : {ends_.server, ends_.client}) {
      status_.Update(loopback_.SetLost(end, false));
    }
  }

  const absl::Status& status() const { return status_; }

 private:
  std::string Make(TimedRun& run, const PlannedStep& planned) {
    const TimedStep& step = planned.step;
    if (step.kind == TimedStep::Kind::kCall) return run.Make(step.call);
    const ip::Addr& from =
        step.side == Side::kServer ? ends_.client : ends_.server;
    status_.Update(loopback_.SetLost(from, step.kind == TimedStep::Kind::kCut));
    return "";
  }

  const TimedPlan& plan_;
  const Ends ends_;
  LossyLoopback& loopback_;
  TimedAnswer& answer_;
  absl::Status status_;
};

absl::Status RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoError(errno, "getrlimit");
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoError(errno, "setrlimit");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LinuxTimed>> LinuxTimed::Make() {
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
    return ErrnoError(errno, "signal");
  }
  absl::Status status = RaiseDescriptorLimit();
  if (status.ok()) status = sandbox::EnterOwnNetwork();
  if (status.ok()) status = WriteFakeSysctls();
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<LossyLoopback>> loopback =
      LossyLoopback::Make();
  if (!loopback.ok()) return loopback.status();
  return std::unique_ptr<LinuxTimed>(new LinuxTimed(*std::move(loopback)));
}

absl::StatusOr<std::vector<TimedAnswer>> LinuxTimed::Run(
    const std::vector<const TimedPlan*>& plans) {
  std::vector<TimedAnswer> answers(plans.size());
  std::vector<TimedThread> bodies;
  bodies.reserve(plans.size());
  for (size_t i = 0; i < plans.size(); ++i) {
    bodies.emplace_back(*plans[i], EndsOf(programs_++ % kMostPrograms),
                        *loopback_, answers[i]);
  }
  std::vector<std::thread> threads;
  absl::Time start = absl::Now();
  for (TimedThread& body : bodies) {
    threads.emplace_back([&body, start] { body.Run(start); });
    start += kStartInterval;
  }
  absl::Status status;
  for (size_t i = 0; i < threads.size(); ++i) {
    threads[i].join();
    status.Update(bodies[i].status());
  }
  if (!status.ok()) return status;
  return answers;
}

}  // namespace net::differential
