// The server's part in signals. Linux delivers them to the clients.

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"
#include "fakes/preload/linux_process.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "fakes/preload/shared/proxy.h"
#include "fakes/preload/shared/server.h"

namespace net::preload {
namespace {

using fake::ParticipantState;
using fake::Woken;

// How long a signal may take to be handled, or to end a process.
constexpr absl::Duration kLongestDelivery = absl::Seconds(1);

// Ends the waits that signals interrupt, before the caller goes on.
void WakeSignalled() {
  const ParticipantState* const self = fake::Scheduler::Innermost();
  if (self == nullptr) return;
  const fake::KernelMutexLock lock(self->scheduler->mutex());
  self->scheduler->WakeSignalled();
}

// Returns whether kill(2), called by `caller`, means the process by `pid`.
bool Matches(pid_t process, pid_t pid, pid_t caller) {
  if (pid > 0) return process == pid;
  if (pid == -1) return process != caller;
  return getpgid(process) == (pid == 0 ? getpgid(caller) : -pid);
}

}  // namespace

// --- Reports

void SharedServer::ServeSignals(ServedProcess& process,
                                MessageChannel& channel) {
  uint32_t type = 0;
  MessageReader message;
  while (channel.Receive(type, message)) {
    const auto report = message.Take<SignalReport>();
    const absl::MutexLock lock(&mutex_);
    Proxy* const proxy = FindProxy(report.number);
    if (proxy != nullptr && report.request != 0) {
      proxy->Interrupt(report.request, report.restarts);
    }
    if (report.signal == 0) continue;
    ++process.signals;
    if (report.signal == SIGCHLD) ++process.child_signals;
  }
}

void Proxy::Interrupt(uint64_t request, bool restarts) {
  const Woken why = restarts ? Woken::kRestart : Woken::kSignal;
  if (request > received_) {
    early_request_ = request;
    early_signal_ = why;
  } else if (request == request_ && state_ != nullptr) {
    Woken none = Woken::kEvent;
    state_->signal.compare_exchange_strong(none, why);
    state_->gate.Open();
  }
}

bool Proxy::Receive(uint32_t& type, MessageReader& message) {
  if (!channel_->Receive(type, message)) return false;
  if (type == kDone) return true;
  const absl::MutexLock lock(&server_.mutex_);
  ++received_;
  if (process_.parent != nullptr) {
    process_.child_signals_before = process_.parent->child_signals;
  }
  return true;
}

bool Proxy::Handle(Request request, MessageReader& message) {
  uint64_t outer = 0;
  {
    const absl::MutexLock lock(&server_.mutex_);
    outer = std::exchange(request_, received_);
    if (state_ != nullptr && early_request_ == request_) {
      state_->signal = early_signal_;
    }
  }
  const bool outer_restarts =
      std::exchange(restarts_, request == Request::kCall);
  const bool goes_on = Serve(request, message);
  restarts_ = outer_restarts;
  const absl::MutexLock lock(&server_.mutex_);
  request_ = outer;
  if (state_ != nullptr) state_->signal = Woken::kEvent;
  return goes_on;
}

void Proxy::RunHandlers() {
  const fake::KernelSection section;
  Proxy* const self = Current();
  // Other requests return to the client, which waits again.
  if (self != nullptr && self->restarts_) self->RunHandlersOfClient();
}

void Proxy::RunHandlersOfClient() {
  uint32_t type = 0;
  MessageReader message;
  if (channel_->Send(static_cast<uint32_t>(Answer::kRunHandlers), {})) {
    while (Receive(type, message)) {
      if (type == kDone) return;
      if (!Handle(static_cast<Request>(type), message)) break;
    }
  }
  // The thread has ended, or executes another program.
  const absl::MutexLock lock(&server_.mutex_);
  if (state_ != nullptr) state_->signal = Woken::kSignal;
}

// --- Signals that clients send

bool Proxy::HandleExpectation(MessageReader& message) {
  const auto pid = message.Take<pid_t>();
  const auto thread = message.Take<pid_t>();
  const auto signal = message.Take<int32_t>();
  const absl::MutexLock lock(&server_.mutex_);
  expected_.clear();
  for (ServedProcess& process : server_.processes_) {
    if (process.pid == 0 || process.dead ||
        !Matches(process.pid, pid, process_.pid)) {
      continue;
    }
    const SignalEffect effect = EffectOf(signal, process.pid, thread);
    if (effect == SignalEffect::kOther || effect == SignalEffect::kLater) {
      continue;
    }
    expected_.push_back({.process = &process,
                         .ends = effect == SignalEffect::kEnd,
                         .signals_before = process.signals});
    if (process.parent != nullptr) {
      process.child_signals_before = process.parent->child_signals;
    }
  }
  return Reply();
}

bool Proxy::HandleSignalWait() {
  const auto have_come =
      [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(server_.mutex_) {
        return std::all_of(
            expected_.begin(), expected_.end(), [](const Expected& one) {
              return one.process->dead ||
                     (!one.ends && one.process->signals != one.signals_before);
            });
      };
  std::vector<ServedProcess*> dead;
  {
    const absl::MutexLock lock(&server_.mutex_);
    server_.mutex_.AwaitWithTimeout(absl::Condition(&have_come),
                                    kLongestDelivery);
    for (const Expected& one : expected_) {
      if (one.process->dead) dead.push_back(one.process);
    }
  }
  WakeSignalled();
  for (ServedProcess* const process : dead) {
    server_.InterruptProxies(*process, this);
  }
  return Reply();
}

void SharedServer::AwaitChildSignal(const ServedProcess& process) {
  pid_t parent = 0;
  {
    const absl::MutexLock lock(&mutex_);
    parent = process.parent->dead ? 0 : process.parent->pid;
  }
  const SignalEffect effect = parent == 0
                                  ? SignalEffect::kOther
                                  : EffectOf(SIGCHLD, parent, /*thread=*/0);
  if (effect == SignalEffect::kOther || effect == SignalEffect::kEnd) return;
  // It is blocked in a handler, too, whose report is on its way then.
  const absl::Duration limit = effect == SignalEffect::kHandler
                                   ? kLongestDelivery
                                   : options_.native_wait;
  const auto has_come = [&process]() {
    return process.parent->dead ||
           process.parent->child_signals != process.child_signals_before;
  };
  {
    const absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&has_come), limit);
  }
  WakeSignalled();
}

}  // namespace net::preload
