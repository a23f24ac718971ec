// The participants of a process on a shared FakeKernel: participant.h, by
// requests to the server.
//
// While a thread has the baton, nobody else changes anything. So much needs no
// request: the clock stands, the quota of calls is known, and a wake-up can
// wait for the next request, since the woken thread runs later anyway.

#include <pthread.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/shared/client.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "syscalls/mutex.h"

namespace net::preload {
namespace {

using fake::KernelSection;
using fake::Nanoseconds;
using fake::ParticipantState;
using fake::Woken;

// Guards the states, as client.h says. A thread that holds it is in a
// KernelSection, and sends nothing.
constinit Mutex states_mutex;

// The threads of this process that take part, or have.
std::list<RemoteParticipant>& States() {
  static auto& states = *new std::list<RemoteParticipant>;
  return states;
}

constinit thread_local RemoteParticipant* state_of_thread = nullptr;
// Sticky: see HasDeadlock().
constinit std::atomic<bool> has_deadlock{false};

RemoteParticipant& Remote(ParticipantState& state) {
  return static_cast<RemoteParticipant&>(state);
}

// In the functions of participant.h: restores errno, and keeps the hooks from
// the functions that are called meanwhile.
class Entry {
 public:
  Entry() = default;
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { errno = errno_; }

 private:
  const int errno_ = errno;
  const KernelSection section_;
};

// Returns the thread's state if it has the baton.
RemoteParticipant* RunningState() {
  return state_of_thread == nullptr || state_of_thread->outside
             ? nullptr
             : state_of_thread;
}

// Wakes a participant of this process that waits.
class Wakeups {
 public:
  // Called with the mutex.
  void Add(const RemoteParticipant& waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(states_mutex) {
    if (waiter.waits) {
      wakeups_.push_back({.number = waiter.number, .wait = waiter.wait});
    }
  }
  // Called without it.
  void Send() {
    if (wakeups_.empty()) return;
    ServerConnection& connection = ConnectionOfThread();
    for (const Wakeup& wakeup : wakeups_) connection.AddWakeup(wakeup);
    if (RunningState() == nullptr) Ask(Request::kWake);
  }

 private:
  absl::InlinedVector<Wakeup, 8> wakeups_;
};

// Begins a wait: from now on Wakeups counts for it.
uint64_t BeginWait(RemoteParticipant& self)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(states_mutex) {
  self.waits = true;
  return ++self.wait;
}

Woken BlockUntil(uint64_t wait, Nanoseconds deadline, const void* object,
                 absl::string_view call) {
  MessageWriter message;
  message.Put(wait)
      .Put(deadline)
      .Put(reinterpret_cast<uintptr_t>(object))
      .PutText(call);
  return Ask(Request::kBlock, message,
             [](MessageReader& reply) { return reply.Take<Woken>(); });
}

MessageWriter NameMessage(absl::string_view name) {
  MessageWriter message;
  message.PutText(name);
  return message;
}

RemoteParticipant* FindByThread(pthread_t thread)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(states_mutex) {
  for (RemoteParticipant& state : States()) {
    if (state.thread.has_value() && pthread_equal(*state.thread, thread) != 0) {
      return &state;
    }
  }
  return nullptr;
}

class Participants final : public fake::RemoteParticipants {
 public:
  ParticipantState* Current() override { return RunningState(); }

  Woken Block(ParticipantState& self, const fake::CallSite& site,
              Nanoseconds deadline, bool& woken) override {
    const Entry entry;
    uint64_t wait = 0;
    {
      const MutexLock lock(states_mutex);
      if (woken) {
        woken = false;
        return Woken::kEvent;
      }
      wait = BeginWait(Remote(self));
    }
    // The server cannot read who holds an object.
    const Woken why = BlockUntil(wait, deadline, site.object, site.call);
    const MutexLock lock(states_mutex);
    Remote(self).waits = false;
    if (!woken) return why;
    woken = false;
    return Woken::kEvent;
  }

  void Wake(ParticipantState& self, bool& woken) override {
    const Entry entry;
    Wakeups wakeups;
    {
      const MutexLock lock(states_mutex);
      woken = true;
      wakeups.Add(Remote(self));
    }
    wakeups.Send();
  }

  void Enter(ParticipantState& self, const char* call) override {
    if (self.calls_left > 0) {
      --self.calls_left;
      return Remote(self).connection->CountCall();
    }
    const Entry entry;
    Ask(Request::kEnter, NameMessage(call));
  }

  bool Yield() override {
    const Entry entry;
    return Ask(Request::kYield, {},
               [](MessageReader& reply) { return reply.Take<bool>(); });
  }

  void Outside(ParticipantState& self,
               absl::FunctionRef<void()> body) override {
    if (Remote(self).outside) return body();
    {
      const Entry entry;
      Ask(Request::kGoOutside);
      Remote(self).outside = true;
    }
    body();
    const Entry entry;
    Ask(Request::kComeBack);
    Remote(self).outside = false;
  }

  uint64_t AwaitIdle(absl::Duration limit) override {
    const Entry entry;
    MessageWriter message;
    message.Put(limit);
    return Ask(Request::kAwaitIdle, message,
               [](MessageReader& reply) { return reply.Take<uint64_t>(); });
  }

  void NoteActivity(ParticipantState& self) override {
    Remote(self).connection->NoteActivity();
  }

  bool HasDeadlock() override { return has_deadlock.load(); }

  Nanoseconds Now(ParticipantState& self) override {
    return Remote(self).connection->epilogue().now;
  }

  size_t Choose(absl::Span<ParticipantState* const> waiters) override {
    const Entry entry;
    MessageWriter message;
    message.Put(static_cast<uint32_t>(waiters.size()));
    for (const ParticipantState* const waiter : waiters) {
      message.Put(static_cast<int32_t>(waiter->number));
    }
    const auto index = Ask(Request::kChoose, message, [](MessageReader& reply) {
      return reply.Take<uint32_t>();
    });
    return std::min<size_t>(index, waiters.size() - 1);
  }

  ParticipantState& Add(absl::string_view name) override {
    const Entry entry;
    const auto number =
        Ask(Request::kAddThread, NameMessage(name),
            [](MessageReader& reply) { return reply.Take<int32_t>(); });
    const MutexLock lock(states_mutex);
    RemoteParticipant& added = States().emplace_back();
    added.name = std::string(name);
    added.number = number;
    return added;
  }

  void Name(ParticipantState& added, pthread_t thread) override {
    const Entry entry;
    const MutexLock lock(states_mutex);
    added.thread = thread;
  }

  void Begin(ParticipantState& added) override {
    const Entry entry;
    {
      const MutexLock lock(states_mutex);
      added.thread_id = gettid();
      added.thread = pthread_self();
    }
    Remote(added).connection = std::make_unique<ServerConnection>(
        NewHello(Role::kThread, added.number));
    state_of_thread = &Remote(added);
    NoteEpilogue(state_of_thread->connection->epilogue());
  }

  void End(ParticipantState& added) override {
    const Entry entry;
    Wakeups wakeups;
    {
      const MutexLock lock(states_mutex);
      added.ended = true;
      for (const RemoteParticipant* const joiner : Remote(added).joiners) {
        wakeups.Add(*joiner);
      }
    }
    wakeups.Send();
    if (Remote(added).connection == nullptr) {
      MessageWriter message;
      message.Put(static_cast<int32_t>(added.number));
      ConnectionOfThread().Notify(Request::kCancel, message);
      return;
    }
    Remote(added).connection->Notify(Request::kThreadEnds, {});
    state_of_thread = nullptr;
    Remote(added).connection.reset();
  }

  bool TakesPart(pid_t thread_id) override {
    const Entry entry;
    const MutexLock lock(states_mutex);
    return std::any_of(States().begin(), States().end(),
                       [&](const RemoteParticipant& state) {
                         return !state.ended && state.thread_id == thread_id;
                       });
  }

  fake::Joined AwaitEnd(ParticipantState& self, pthread_t thread,
                        absl::string_view call, Nanoseconds deadline) override {
    using fake::Joined;
    Woken why = Woken::kEvent;
    for (;;) {
      // Handlers of signals run at its end.
      const Entry entry;
      uint64_t wait = 0;
      {
        const MutexLock lock(states_mutex);
        Remote(self).waits = false;
        RemoteParticipant* const other = FindByThread(thread);
        if (other == nullptr) return Joined::kOutsider;
        std::erase(other->joiners, &Remote(self));
        if (other->ended) return Joined::kEnded;
        if (why == Woken::kTimeout) return Joined::kTimeout;
        if (why == Woken::kDeadlock) return Joined::kDeadlock;
        other->joiners.push_back(&Remote(self));
        wait = BeginWait(Remote(self));
      }
      why = BlockUntil(wait, deadline, nullptr, call);
    }
  }

  void Forget(pthread_t thread) override {
    const Entry entry;
    const MutexLock lock(states_mutex);
    RemoteParticipant* const other = FindByThread(thread);
    if (other != nullptr) other->thread.reset();
  }

  void NoteSignal(int signal, bool interrupts, bool restarts) override {
    SignalReport report = {
        .signal = signal, .number = -1, .request = 0, .restarts = restarts};
    if (interrupts && state_of_thread != nullptr) {
      // The first one decides whether the call is restarted.
      Woken none = Woken::kEvent;
      state_of_thread->signal.compare_exchange_strong(
          none, restarts ? Woken::kRestart : Woken::kSignal);
      if (state_of_thread->connection != nullptr) {
        report.number = state_of_thread->number;
        report.request = state_of_thread->connection->request();
      }
    }
    Send(report);
  }

  void EndInterruption() override {
    if (state_of_thread != nullptr) state_of_thread->signal = Woken::kEvent;
  }

  pid_t ThreadIdOf(pthread_t thread) override {
    const Entry entry;
    const MutexLock lock(states_mutex);
    const RemoteParticipant* const other = FindByThread(thread);
    return other == nullptr ? 0 : other->thread_id;
  }
};

// The connection of a thread that does not take part, until its end.
class OutsiderConnection {
 public:
  OutsiderConnection() = default;
  OutsiderConnection(const OutsiderConnection&) = delete;
  OutsiderConnection& operator=(const OutsiderConnection&) = delete;
  ~OutsiderConnection() {
    const KernelSection section;
    connection_.reset();
  }

  ServerConnection& Get() {
    if (connection_ == nullptr) {
      connection_ =
          std::make_unique<ServerConnection>(NewHello(Role::kOutsider));
    }
    return *connection_;
  }
  // In the child of fork(2), whose descriptors are closed.
  void Abandon() { static_cast<void>(connection_.release()); }

 private:
  std::unique_ptr<ServerConnection> connection_;
};

thread_local OutsiderConnection outsider;

}  // namespace

ServerConnection& ConnectionOfThread() {
  return state_of_thread == nullptr ? outsider.Get()
                                    : *state_of_thread->connection;
}

void ReportEarlySignal(const ServerConnection& connection) {
  if (state_of_thread == nullptr) return;
  const Woken signal = state_of_thread->signal;
  if (signal == Woken::kEvent) return;
  Send({.signal = 0,
        .number = state_of_thread->number,
        .request = connection.request(),
        .restarts = signal == Woken::kRestart});
}

void NoteEpilogue(const Epilogue& epilogue) {
  if (epilogue.has_deadlock) has_deadlock = true;
  if (state_of_thread == nullptr) return;
  // The server's quota is used up, and stays so, while nobody else can run. The
  // next system call hands the baton on, or else so many locks.
  constexpr int kMoreCalls = 100;
  state_of_thread->calls_left =
      epilogue.calls_left > 0 ? epilogue.calls_left : kMoreCalls;
}

void BeginProcess(const Hello& hello) {
  static constinit Participants participants;
  fake::UseRemoteParticipants(participants);
  const KernelSection section;
  // Another thread of the parent may have held it.
  new (&states_mutex) Mutex;
  outsider.Abandon();
  CloseInternal();
  for (RemoteParticipant& state : States()) {
    static_cast<void>(state.connection.release());
    state.ended = true;
    state.thread.reset();
    state.thread_id = 0;
    state.joiners.clear();
  }
  RemoteParticipant& self = States().emplace_back();
  self.thread_id = gettid();
  self.thread = pthread_self();
  self.connection = std::make_unique<ServerConnection>(hello);
  self.number = self.connection->number();
  state_of_thread = &self;
  NoteEpilogue(self.connection->epilogue());
}

}  // namespace net::preload
