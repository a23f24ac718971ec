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
#include "fakes/kernel/waiting.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/shared/client.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "syscalls/mutex.h"

namespace net::fake {
namespace {

using preload::MessageReader;
using preload::MessageWriter;
using preload::Request;
using preload::Role;
using preload::ServerConnection;

// Guards the states, as client.h says. A thread that holds it is in a
// KernelSection, and sends nothing.
constinit Mutex states_mutex;

// The threads of this process that take part, or have.
std::list<ParticipantState>& States() {
  static auto& states = *new std::list<ParticipantState>;
  return states;
}

constinit thread_local ParticipantState* state_of_thread = nullptr;
// Sticky: see HasDeadlock().
constinit std::atomic<bool> has_deadlock{false};

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
ParticipantState* RunningState() {
  return state_of_thread == nullptr || state_of_thread->outside
             ? nullptr
             : state_of_thread;
}

// Wakes a participant of this process that waits.
class Wakeups {
 public:
  // Called with the mutex.
  void Add(const ParticipantState& waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(states_mutex) {
    if (waiter.waits) {
      wakeups_.push_back({.number = waiter.number, .wait = waiter.wait});
    }
  }
  // Called without it.
  void Send() {
    if (wakeups_.empty()) return;
    ServerConnection& connection = preload::ConnectionOfThread();
    for (const preload::Wakeup& wakeup : wakeups_) {
      connection.AddWakeup(wakeup);
    }
    if (RunningState() == nullptr) preload::Ask(Request::kWake);
  }

 private:
  absl::InlinedVector<preload::Wakeup, 8> wakeups_;
};

// Begins a wait: from now on Wakeups counts for it.
uint64_t BeginWait(ParticipantState& self)
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
  return preload::Ask(Request::kBlock, message,
                      [](MessageReader& reply) { return reply.Take<Woken>(); });
}

MessageWriter NameMessage(absl::string_view name) {
  MessageWriter message;
  message.PutText(name);
  return message;
}

}  // namespace

ParticipantState* CurrentParticipant() {
  return KernelSection::entered() ? nullptr : RunningState();
}

ObjectWait::ObjectWait(ParticipantState& self, absl::string_view call,
                       const void* object,
                       pid_t (* /*holder*/)(const void* object),
                       Nanoseconds deadline)
    : self_(self),
      // The server cannot read who holds an object.
      site_({.process = "", .call = call, .object = object}),
      deadline_(deadline) {}

Woken ObjectWait::Block() {
  const Entry entry;
  uint64_t wait = 0;
  {
    const MutexLock lock(states_mutex);
    if (woken_) {
      woken_ = false;
      return Woken::kEvent;
    }
    wait = BeginWait(self_);
  }
  const Woken why = BlockUntil(wait, deadline_, site_.object, site_.call);
  const MutexLock lock(states_mutex);
  self_.waits = false;
  if (!woken_) return why;
  woken_ = false;
  return Woken::kEvent;
}

void ObjectWait::Wake() {
  const Entry entry;
  Wakeups wakeups;
  {
    const MutexLock lock(states_mutex);
    woken_ = true;
    wakeups.Add(self_);
  }
  wakeups.Send();
}

// The limit of a livelock is infinite here: see KernelOptionsOf().
void CountCall(ParticipantState& /*self*/, const char* /*call*/) {}

void EnterCall(ParticipantState& self, const char* call) {
  if (self.calls_left > 0) {
    --self.calls_left;
    return self.connection->CountCall();
  }
  const Entry entry;
  preload::Ask(Request::kEnter, NameMessage(call));
}

bool YieldBaton(ParticipantState& /*self*/) {
  const Entry entry;
  return preload::Ask(Request::kYield, {},
                      [](MessageReader& reply) { return reply.Take<bool>(); });
}

void RunOutside(ParticipantState& self, absl::FunctionRef<void()> body) {
  if (self.outside) return body();
  {
    const Entry entry;
    preload::Ask(Request::kGoOutside);
    self.outside = true;
  }
  body();
  const Entry entry;
  preload::Ask(Request::kComeBack);
  self.outside = false;
}

bool HasDeadlock(ParticipantState& /*self*/) { return has_deadlock.load(); }

Nanoseconds VirtualTime(ParticipantState& self) {
  return self.connection->epilogue().now;
}

size_t ChooseWaiter(absl::Span<ParticipantState* const> waiters) {
  const Entry entry;
  MessageWriter message;
  message.Put(static_cast<uint32_t>(waiters.size()));
  for (const ParticipantState* const waiter : waiters) {
    message.Put(static_cast<int32_t>(waiter->number));
  }
  const auto index =
      preload::Ask(Request::kChoose, message,
                   [](MessageReader& reply) { return reply.Take<uint32_t>(); });
  return std::min<size_t>(index, waiters.size() - 1);
}

ParticipantState& AddParticipant(ParticipantState& /*self*/,
                                 absl::string_view name) {
  const Entry entry;
  const auto number =
      preload::Ask(Request::kAddThread, NameMessage(name),
                   [](MessageReader& reply) { return reply.Take<int32_t>(); });
  const MutexLock lock(states_mutex);
  ParticipantState& added = States().emplace_back();
  added.name = std::string(name);
  added.number = number;
  return added;
}

void NameThread(ParticipantState& /*self*/, ParticipantState& added,
                pthread_t thread) {
  const Entry entry;
  const MutexLock lock(states_mutex);
  added.thread = thread;
}

void BeginParticipant(ParticipantState& added) {
  const Entry entry;
  {
    const MutexLock lock(states_mutex);
    added.thread_id = gettid();
    added.thread = pthread_self();
  }
  added.connection = std::make_unique<ServerConnection>(
      preload::NewHello(Role::kThread, added.number));
  state_of_thread = &added;
  preload::NoteEpilogue(added.connection->epilogue());
}

void EndParticipant(ParticipantState& added) {
  const Entry entry;
  Wakeups wakeups;
  {
    const MutexLock lock(states_mutex);
    added.ended = true;
    for (const ParticipantState* const joiner : added.joiners) {
      wakeups.Add(*joiner);
    }
  }
  wakeups.Send();
  if (added.connection == nullptr) {
    MessageWriter message;
    message.Put(static_cast<int32_t>(added.number));
    preload::ConnectionOfThread().Notify(Request::kCancel, message);
    return;
  }
  added.connection->Notify(Request::kThreadEnds, {});
  state_of_thread = nullptr;
  added.connection.reset();
}

void LeaveAfterFork() { state_of_thread = nullptr; }

bool TakesPart(ParticipantState& /*self*/, pid_t thread_id) {
  const Entry entry;
  const MutexLock lock(states_mutex);
  return std::any_of(States().begin(), States().end(),
                     [&](const ParticipantState& state) {
                       return !state.ended && state.thread_id == thread_id;
                     });
}

namespace {

ParticipantState* FindByThread(pthread_t thread)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(states_mutex) {
  for (ParticipantState& state : States()) {
    if (state.thread.has_value() && pthread_equal(*state.thread, thread) != 0) {
      return &state;
    }
  }
  return nullptr;
}

}  // namespace

Joined AwaitEnd(ParticipantState& self, pthread_t thread,
                absl::string_view call, Nanoseconds deadline) {
  const Entry entry;
  Woken why = Woken::kEvent;
  for (;;) {
    uint64_t wait = 0;
    {
      const MutexLock lock(states_mutex);
      self.waits = false;
      ParticipantState* const other = FindByThread(thread);
      if (other == nullptr) return Joined::kOutsider;
      std::erase(other->joiners, &self);
      if (other->ended) return Joined::kEnded;
      if (why == Woken::kTimeout) return Joined::kTimeout;
      if (why == Woken::kDeadlock) return Joined::kDeadlock;
      other->joiners.push_back(&self);
      wait = BeginWait(self);
    }
    why = BlockUntil(wait, deadline, nullptr, call);
  }
}

void ForgetThread(ParticipantState& /*self*/, pthread_t thread) {
  const Entry entry;
  const MutexLock lock(states_mutex);
  ParticipantState* const other = FindByThread(thread);
  if (other != nullptr) other->thread.reset();
}

}  // namespace net::fake

namespace net::preload {
namespace {

// The connection of a thread that does not take part, until its end.
class OutsiderConnection {
 public:
  OutsiderConnection() = default;
  OutsiderConnection(const OutsiderConnection&) = delete;
  OutsiderConnection& operator=(const OutsiderConnection&) = delete;
  ~OutsiderConnection() {
    const fake::KernelSection section;
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
  return fake::state_of_thread == nullptr ? outsider.Get()
                                          : *fake::state_of_thread->connection;
}

void NoteEpilogue(const Epilogue& epilogue) {
  if (epilogue.has_deadlock) fake::has_deadlock = true;
  if (fake::state_of_thread == nullptr) return;
  // The server's quota is used up, and stays so, while nobody else can run. The
  // next system call hands the baton on, or else so many locks.
  constexpr int kMoreCalls = 100;
  fake::state_of_thread->calls_left =
      epilogue.calls_left > 0 ? epilogue.calls_left : kMoreCalls;
}

void BeginProcess(const Hello& hello) {
  const fake::KernelSection section;
  // Another thread of the parent may have held it.
  new (&fake::states_mutex) Mutex;
  outsider.Abandon();
  CloseInternal();
  for (fake::ParticipantState& state : fake::States()) {
    static_cast<void>(state.connection.release());
    state.ended = true;
    state.thread.reset();
    state.thread_id = 0;
    state.joiners.clear();
  }
  fake::ParticipantState& self = fake::States().emplace_back();
  self.thread_id = gettid();
  self.thread = pthread_self();
  self.connection = std::make_unique<ServerConnection>(hello);
  self.number = self.connection->number();
  fake::state_of_thread = &self;
  NoteEpilogue(self.connection->epilogue());
}

}  // namespace net::preload
