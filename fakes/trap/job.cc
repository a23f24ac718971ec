#include "fakes/trap/job.h"

#include <pthread.h>

#include <ctime>
#include <functional>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "fakes/trap/signals.h"

namespace net::trap {

Waiter::Waiter(Job job, std::function<void(Waiter&)> run)
    : job_(std::move(job)) {
  WakeSignal();
  const SignalsBlocked blocked;
  thread_ = std::thread([this, run = std::move(run)] {
    run(*this);
    done_ = true;
  });
}

Waiter::~Waiter() { thread_.join(); }

void Waiter::Sleep(absl::Duration duration) const {
  AllowWakeSignal();
  timespec rest = absl::ToTimespec(duration);
  // A signal that End() did not send changes nothing.
  while (end() == EndOfWait::kNone && nanosleep(&rest, &rest) != 0) {
  }
  BlockWakeSignal();
}

int64_t Waiter::Make() const {
  AllowWakeSignal();
  const int64_t result = job_.local->Make();
  BlockWakeSignal();
  return result;
}

void Waiter::End(EndOfWait why) {
  EndOfWait none = EndOfWait::kNone;
  end_.compare_exchange_strong(none, why);
  pthread_kill(thread_.native_handle(), WakeSignal());
}

}  // namespace net::trap
