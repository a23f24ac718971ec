#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <list>
#include <new>
#include <optional>

#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/waiting.h"
#include "fakes/preload/machine.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/timers.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "fakes/threads/virtual_time.h"
#include "syscalls/mutex.h"

// Timers that send signals, in virtual time: alarm(2), setitimer(2) and
// timer_create(2).

NET_NEXT_FUNCTION(alarm)
NET_NEXT_FUNCTION(setitimer)
NET_NEXT_FUNCTION(getitimer)
NET_NEXT_FUNCTION(timer_create)
NET_NEXT_FUNCTION(timer_delete)
NET_NEXT_FUNCTION(timer_settime)
NET_NEXT_FUNCTION(timer_gettime)
NET_NEXT_FUNCTION(timer_getoverrun)

namespace net::preload {
namespace {

using fake::KernelSection;
using fake::kForever;
using fake::Nanoseconds;
using fake::ParticipantState;

struct Timer {
  clockid_t clock = CLOCK_MONOTONIC;
  sigevent event = {};
  Nanoseconds deadline = kForever;
  Nanoseconds interval = 0;  // 0: it expires once.
};

// Returns the participant whose timers are virtual, or null.
ParticipantState* Self() {
  return IsInCharge() ? fake::CurrentParticipant() : nullptr;
}

// The timers of the process, and the thread that waits for them. The thread
// takes part while a timer is armed. Locked in KernelSections.
class Timers {
 public:
  static Timers& All();

  Timer& real() { return real_; }

  Timer& Add(clockid_t clock, const sigevent* event) {
    const KernelSection section;
    const MutexLock lock(mutex_);
    Timer& added = created_.emplace_back();
    added.clock = clock;
    if (event != nullptr) {
      added.event = *event;
    } else {
      added.event.sigev_notify = SIGEV_SIGNAL;
      added.event.sigev_signo = SIGALRM;
      added.event.sigev_value.sival_ptr = &added;
    }
    return added;
  }

  // Returns the timer with the ID, or null if it is Linux's.
  Timer* Find(timer_t id) {
    const KernelSection section;
    const MutexLock lock(mutex_);
    for (Timer& timer : created_) {
      if (&timer == id) return &timer;
    }
    return nullptr;
  }

  void Remove(const Timer& timer) {
    const KernelSection section;
    const MutexLock lock(mutex_);
    created_.remove_if([&](const Timer& one) { return &one == &timer; });
    Notify();
  }

  void Arm(Timer& timer, Nanoseconds deadline, Nanoseconds interval) {
    {
      const KernelSection section;
      const MutexLock lock(mutex_);
      timer.deadline = deadline;
      timer.interval = interval;
      Notify();
    }
    StartThread();
  }

  AlarmTimer Alarm() {
    const KernelSection section;
    const MutexLock lock(mutex_);
    if (real_.deadline == kForever) return {};
    return {.deadline = absl::Nanoseconds(real_.deadline),
            .interval = absl::Nanoseconds(real_.interval)};
  }

  // Returns how much time is left until the timer expires; 0: it is not armed.
  itimerspec Left(ParticipantState& self, const Timer& timer) {
    const KernelSection section;
    const MutexLock lock(mutex_);
    if (timer.deadline == kForever) return {};
    const Nanoseconds left = timer.deadline - fake::VirtualTime(self);
    return {.it_interval = fake::ToTimespec(timer.interval),
            .it_value = fake::ToTimespec(std::max<Nanoseconds>(1, left))};
  }

  void Suspend() {
    {
      const KernelSection section;
      const MutexLock lock(mutex_);
      is_suspended_ = true;
      Notify();
    }
    JoinThread();
  }

  void Resume() {
    {
      const KernelSection section;
      const MutexLock lock(mutex_);
      is_suspended_ = false;
    }
    StartThread();
  }

  // In the child of fork(2), which inherits no timers.
  void Forget() {
    const KernelSection section;
    new (&mutex_) Mutex;
    created_.clear();
    real_ = Timer();
    wait_ = nullptr;
    runs_ = false;
    has_thread_ = false;
  }

 private:
  static void* Run(void* timers) {
    static_cast<Timers*>(timers)->Serve();
    return nullptr;
  }

  bool IsArmed() const { return NextDeadline() != kForever; }

  Nanoseconds NextDeadline() const {
    Nanoseconds next = real_.deadline;
    for (const Timer& timer : created_) next = std::min(next, timer.deadline);
    return next;
  }

  // Called with the mutex, after a change.
  void Notify() {
    has_changed_ = true;
    if (wait_ != nullptr) wait_->Wake();
  }

  void StartThread() {
    {
      const KernelSection section;
      const MutexLock lock(mutex_);
      if (runs_ || is_suspended_ || !IsArmed()) return;
      runs_ = true;
    }
    JoinThread();
    static const int handles_forks =
        pthread_atfork(nullptr, nullptr, [] { All().Forget(); });
    static_cast<void>(handles_forks);
    // Signals are for the threads of the program.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    has_thread_ = pthread_create(&thread_, nullptr, &Run, this) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    const KernelSection section;
    const MutexLock lock(mutex_);
    runs_ = runs_ && has_thread_;
  }

  void JoinThread() {
    if (!has_thread_) return;
    pthread_join(thread_, nullptr);
    has_thread_ = false;
  }

  void Serve() {
    while (Await()) {
      while (const std::optional<Timer> expired = TakeExpired()) {
        Expire(*expired);
      }
    }
  }

  // Waits until a timer may have expired. Returns false if the thread is to
  // end.
  bool Await() {
    ParticipantState& self = *fake::CurrentParticipant();
    Nanoseconds deadline = kForever;
    {
      const KernelSection section;
      const MutexLock lock(mutex_);
      has_changed_ = false;
      runs_ = IsArmed() && !is_suspended_ && !fake::HasDeadlock(self);
      if (!runs_) return false;
      deadline = NextDeadline();
    }
    fake::ObjectWait wait(self, "a timer", /*object=*/nullptr,
                          /*holder=*/nullptr, deadline);
    {
      const KernelSection section;
      const MutexLock lock(mutex_);
      if (has_changed_) return true;
      wait_ = &wait;
    }
    wait.Block();
    const KernelSection section;
    const MutexLock lock(mutex_);
    wait_ = nullptr;
    return true;
  }

  // Returns a timer that has expired, and arms it again if it has an interval.
  std::optional<Timer> TakeExpired() {
    ParticipantState& self = *fake::CurrentParticipant();
    const KernelSection section;
    const MutexLock lock(mutex_);
    const Nanoseconds now = fake::VirtualTime(self);
    Timer* expired = real_.deadline <= now ? &real_ : nullptr;
    for (Timer& timer : created_) {
      if (expired == nullptr && timer.deadline <= now) expired = &timer;
    }
    if (expired == nullptr) return std::nullopt;
    const Timer taken = *expired;
    expired->deadline = expired->interval == 0
                            ? kForever
                            : expired->deadline + expired->interval;
    return taken;
  }

  static void Expire(const Timer& timer) {
    siginfo_t info = {};
    info.si_signo = timer.event.sigev_signo;
    info.si_value = timer.event.sigev_value;
    // ITIMER_REAL has SI_KERNEL on Linux, which it takes from no thread but the
    // main one.
    info.si_code = SI_TIMER;
    const pid_t pid = getpid();
    switch (timer.event.sigev_notify) {
      case SIGEV_SIGNAL:
        SendSignal(pid, 0, info.si_signo, [&] {
          return static_cast<int>(
              syscall(SYS_rt_sigqueueinfo, pid, info.si_signo, &info));
        });
        break;
      case SIGEV_THREAD_ID: {
        const pid_t thread = timer.event._sigev_un._tid;
        SendSignal(pid, thread, info.si_signo, [&] {
          return static_cast<int>(syscall(SYS_rt_tgsigqueueinfo, pid, thread,
                                          info.si_signo, &info));
        });
        break;
      }
      case SIGEV_THREAD:
        StartFunction(timer.event);
        break;
      default:
        break;
    }
  }

  // Calls the function of SIGEV_THREAD in a new thread.
  static void StartFunction(const sigevent& event) {
    auto* const copy = new sigevent(event);
    pthread_t thread = 0;
    const auto run = [](void* argument) -> void* {
      auto* const its_event = static_cast<sigevent*>(argument);
      const sigevent own = *its_event;
      delete its_event;
      own.sigev_notify_function(own.sigev_value);
      return nullptr;
    };
    if (pthread_create(&thread, event.sigev_notify_attributes, run, copy) !=
        0) {
      delete copy;
      return;
    }
    pthread_detach(thread);
  }

  Mutex mutex_;
  Timer real_ = {.event = {.sigev_value = {},
                           .sigev_signo = SIGALRM,
                           .sigev_notify = SIGEV_SIGNAL,
                           ._sigev_un = {}}};
  std::list<Timer> created_;
  fake::ObjectWait* wait_ = nullptr;  // The thread's, while it waits.
  bool has_changed_ = false;
  bool runs_ = false;
  bool is_suspended_ = false;
  // Of the participant that starts, suspends or forgets.
  bool has_thread_ = false;
  pthread_t thread_ = {};
};

Timers& Timers::All() {
  // Never destroyed: threads may outlive main().
  static auto& timers = *new Timers;
  return timers;
}

int FailWith(int error) {
  errno = error;
  return -1;
}

// Arms the timer for a time of its clock, or a duration from now. Returns an
// error, or 0.
int ArmFor(ParticipantState& self, Timer& timer, bool is_absolute,
           const itimerspec& value) {
  const auto span = threads::ToDuration(value.it_value);
  const auto interval = threads::ToDuration(value.it_interval);
  if (!span.has_value() || !interval.has_value() || value.it_value.tv_sec < 0 ||
      value.it_interval.tv_sec < 0) {
    return EINVAL;
  }
  Nanoseconds deadline = kForever;
  if (*span != 0) {
    deadline = is_absolute ? *threads::ToDeadline(timer.clock, value.it_value)
                           : threads::AfterNow(self, *span);
  }
  Timers::All().Arm(timer, deadline, *interval);
  return 0;
}

timespec FromTimeval(const timeval& time) {
  return {.tv_sec = time.tv_sec, .tv_nsec = time.tv_usec * 1000};
}

// Rounds up: what is left is not 0.
timeval ToTimeval(const timespec& time) {
  constexpr int64_t kMicrosecond = 1000;
  timeval result = {
      .tv_sec = time.tv_sec,
      .tv_usec = (time.tv_nsec + kMicrosecond - 1) / kMicrosecond};
  if (result.tv_usec == 1'000'000) result = {result.tv_sec + 1, 0};
  return result;
}

itimerval ToTimerValue(const itimerspec& value) {
  return {.it_interval = ToTimeval(value.it_interval),
          .it_value = ToTimeval(value.it_value)};
}

bool IsEvent(const sigevent* event) {
  if (event == nullptr || event->sigev_notify == SIGEV_NONE ||
      event->sigev_notify == SIGEV_THREAD) {
    return true;
  }
  const bool sends = event->sigev_notify == SIGEV_SIGNAL ||
                     event->sigev_notify == SIGEV_THREAD_ID;
  return sends && event->sigev_signo > 0 && event->sigev_signo < NSIG;
}

}  // namespace

AlarmTimer CurrentAlarm() { return Timers::All().Alarm(); }

void RestoreAlarm(const AlarmTimer& alarm) {
  if (alarm.deadline == absl::InfiniteDuration()) return;
  Timers& timers = Timers::All();
  timers.Arm(timers.real(), absl::ToInt64Nanoseconds(alarm.deadline),
             absl::ToInt64Nanoseconds(alarm.interval));
}

TimersSuspended::TimersSuspended() { Timers::All().Suspend(); }
TimersSuspended::~TimersSuspended() { Timers::All().Resume(); }

}  // namespace net::preload

using net::fake::ParticipantState;
using net::preload::ArmFor;
using net::preload::FailWith;
using net::preload::Self;
using net::preload::Timer;
using net::preload::Timers;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int setitimer(__itimer_which_t which, const itimerval* value,
              itimerval* old_value) noexcept {
  ParticipantState* const self = which == ITIMER_REAL ? Self() : nullptr;
  if (self == nullptr) return next::setitimer(which, value, old_value);
  Timer& timer = Timers::All().real();
  const itimerspec before = Timers::All().Left(*self, timer);
  itimerspec spec = {};
  if (value != nullptr) {
    spec.it_interval = net::preload::FromTimeval(value->it_interval);
    spec.it_value = net::preload::FromTimeval(value->it_value);
  }
  const int error = ArmFor(*self, timer, /*is_absolute=*/false, spec);
  if (error != 0) return FailWith(error);
  if (old_value != nullptr) *old_value = net::preload::ToTimerValue(before);
  return 0;
}

int getitimer(__itimer_which_t which, itimerval* value) noexcept {
  ParticipantState* const self = which == ITIMER_REAL ? Self() : nullptr;
  if (self == nullptr) return next::getitimer(which, value);
  *value = net::preload::ToTimerValue(
      Timers::All().Left(*self, Timers::All().real()));
  return 0;
}

unsigned alarm(unsigned seconds) noexcept {
  if (Self() == nullptr) return next::alarm(seconds);
  const itimerval value = {
      .it_interval = {},
      .it_value = {.tv_sec = static_cast<time_t>(seconds), .tv_usec = 0}};
  itimerval before = {};
  setitimer(ITIMER_REAL, &value, &before);
  // As Linux rounds (kernel/time/itimer.c): an armed timer has not 0 s left.
  const timeval& left = before.it_value;
  const bool rounds_up =
      left.tv_usec >= 500'000 || (left.tv_sec == 0 && left.tv_usec > 0);
  return static_cast<unsigned>(left.tv_sec + (rounds_up ? 1 : 0));
}

int timer_create(clockid_t clock, sigevent* event, timer_t* id) noexcept {
  if (!net::threads::IsVirtual(clock) || Self() == nullptr) {
    return next::timer_create(clock, event, id);
  }
  if (!net::preload::IsEvent(event)) return FailWith(EINVAL);
  *id = &Timers::All().Add(clock, event);
  return 0;
}

int timer_delete(timer_t id) noexcept {
  const Timer* const timer = Timers::All().Find(id);
  if (timer == nullptr) return next::timer_delete(id);
  Timers::All().Remove(*timer);
  return 0;
}

int timer_settime(timer_t id, int flags, const itimerspec* value,
                  itimerspec* old_value) noexcept {
  Timer* const timer = Timers::All().Find(id);
  ParticipantState* const self = Self();
  if (timer == nullptr || self == nullptr) {
    return next::timer_settime(id, flags, value, old_value);
  }
  const itimerspec before = Timers::All().Left(*self, *timer);
  const int error = ArmFor(*self, *timer, (flags & TIMER_ABSTIME) != 0, *value);
  if (error != 0) return FailWith(error);
  if (old_value != nullptr) *old_value = before;
  return 0;
}

int timer_gettime(timer_t id, itimerspec* value) noexcept {
  const Timer* const timer = Timers::All().Find(id);
  ParticipantState* const self = Self();
  if (timer == nullptr || self == nullptr) {
    return next::timer_gettime(id, value);
  }
  *value = Timers::All().Left(*self, *timer);
  return 0;
}

int timer_getoverrun(timer_t id) noexcept {
  // Each expiry sends a signal.
  return Timers::All().Find(id) != nullptr ? 0 : next::timer_getoverrun(id);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
