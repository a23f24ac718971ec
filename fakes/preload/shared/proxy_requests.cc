// The requests of a proxy's client, except those about signals (signals.cc).

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/node_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"
#include "fakes/preload/kernel_machine.h"
#include "fakes/preload/machine.h"
#include "fakes/preload/shared/call_codec.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "fakes/preload/shared/proxy.h"
#include "fakes/preload/transit_store.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

using fake::ParticipantState;
using fake::Woken;

// Returns the name as a literal: the scheduler keeps the pointer.
const char* Interned(absl::string_view name) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto& names = *new absl::node_hash_set<std::string>;
  const absl::MutexLock lock(&mutex);
  return names.emplace(name).first->c_str();
}

}  // namespace

void Proxy::TakePrologue(MessageReader& message) {
  const auto prologue = message.Take<Prologue>();
  ParticipantState* const self = fake::Scheduler::Innermost();
  if (self != nullptr) {
    self->calls_left -= prologue.calls;
    if (prologue.is_active) fake::NoteActivity(*self);
  }
  for (int32_t i = 0; i < prologue.wakeups; ++i) {
    const auto wakeup = message.Take<Wakeup>();
    const absl::MutexLock lock(&server_.mutex_);
    Proxy* const waiter = server_.FindProxy(wakeup.number);
    if (waiter != nullptr) waiter->Wake(wakeup.wait);
  }
}

void Proxy::Wake(uint64_t wait) {
  woken_wait_ = std::max(woken_wait_, wait);
  if (blocked_in_ != nullptr && blocked_wait_ <= wait) blocked_in_->Wake();
}

bool Proxy::Serve(Request request, MessageReader& message) {
  TakePrologue(message);
  ParticipantState* const self = fake::Scheduler::Innermost();
  MessageWriter results;
  switch (request) {
    case Request::kCall:
      return HandleCall(message);
    case Request::kEnter:
      if (self != nullptr) {
        fake::EnterCall(*self, Interned(message.TakeBytes()));
      }
      return Reply();
    case Request::kYield:
      results.Put(self != nullptr && fake::YieldBaton(*self));
      return Reply(results);
    case Request::kBlock:
      return HandleBlock(message);
    case Request::kChoose:
      return HandleChoice(message);
    case Request::kAwaitIdle:
      if (self != nullptr) {
        fake::AwaitIdle(*self, message.Take<absl::Duration>(), idle_activity_);
      }
      results.Put(idle_activity_);
      return Reply(results);
    case Request::kGoOutside:
      return HandleOutside();
    case Request::kComeBack:  // HandleOutside() takes it.
    case Request::kNow:
    case Request::kWake:
      return Reply();
    case Request::kNextTimer: {
      const absl::Duration next = KernelMachine(server_.kernel_).NextTimer();
      results.Put(next == absl::InfiniteDuration()
                      ? fake::kForever
                      : absl::ToInt64Nanoseconds(next));
      return Reply(results);
    }
    case Request::kAddThread:
      return HandleNewThread(message);
    case Request::kThreadEnds:
      thread_ended_ = true;
      return false;
    case Request::kCancel: {
      const absl::MutexLock lock(&server_.mutex_);
      Proxy* const thread = server_.FindProxy(message.Take<int32_t>());
      if (thread != nullptr) thread->Cancel();
      return true;
    }
    case Request::kAnnounce:
      return HandleAnnouncement();
    case Request::kReport:
      HandleReport(message);
      return true;
    case Request::kAwaitChild:
      return HandleChildWait(message);
    case Request::kDescriptors: {
      const std::vector<int> fds = process_.process.AllDescriptors();
      results.Put(static_cast<uint32_t>(fds.size()));
      for (const int fd : fds) results.Put(static_cast<int32_t>(fd));
      return Reply(results);
    }
    case Request::kExpectSignal:
      return HandleExpectation(message);
    case Request::kAwaitSignal:
      return HandleSignalWait();
    case Request::kKeepAlarm:
    case Request::kTakeAlarm:
      return HandleAlarm(request, message);
    case Request::kPosition:
    case Request::kHold:
    case Request::kFind:
    case Request::kInstall:
    case Request::kDiscard:
      return HandleTransit(request, message);
  }
  return false;
}

bool Proxy::HandleCall(MessageReader& message) {
  std::optional<ServerCall> call = ServerCall::Take(message);
  if (!call.has_value()) return false;
  const int sigpipes = process_.process.sigpipes();
  const SysResult result = call->invocation().MakeOn(process_.stack.top());
  MessageWriter results;
  call->PutResult(result, results);
  return Reply(results, process_.process.sigpipes() != sigpipes);
}

bool Proxy::HandleOutside() {
  bool is_back = false;
  server_.kernel_.Outside([&] {
    if (!Reply()) return;
    uint32_t type = 0;
    MessageReader message;
    while (!is_back && Receive(type, message)) {
      is_back = static_cast<Request>(type) == Request::kComeBack;
      if (is_back) {
        TakePrologue(message);
      } else if (!Handle(static_cast<Request>(type), message)) {
        return;
      }
    }
  });
  return is_back && Reply();
}

bool Proxy::HandleBlock(MessageReader& message) {
  const auto number = message.Take<uint64_t>();
  const auto deadline = message.Take<fake::Nanoseconds>();
  const auto object = message.Take<uintptr_t>();
  const std::string call(message.TakeBytes());
  ParticipantState* const self = fake::Scheduler::Innermost();
  if (self == nullptr) return false;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): for reports only
  fake::ObjectWait wait(*self, call, reinterpret_cast<const void*>(object),
                        /*holder=*/nullptr, deadline);
  Woken why = Woken::kEvent;
  bool is_woken = false;
  {
    const absl::MutexLock lock(&server_.mutex_);
    is_woken = woken_wait_ >= number;
    blocked_wait_ = number;
    blocked_in_ = is_woken ? nullptr : &wait;
  }
  if (!is_woken) {
    why = wait.Block();
    const absl::MutexLock lock(&server_.mutex_);
    blocked_in_ = nullptr;
    if (woken_wait_ >= number) why = Woken::kEvent;
  }
  MessageWriter results;
  results.Put(why);
  return Reply(results);
}

bool Proxy::HandleChoice(MessageReader& message) {
  std::vector<ParticipantState*> waiters;
  const auto count = message.Take<uint32_t>();
  {
    const absl::MutexLock lock(&server_.mutex_);
    for (uint32_t i = 0; i < count; ++i) {
      Proxy* const waiter = server_.FindProxy(message.Take<int32_t>());
      if (waiter == nullptr || waiter->state() == nullptr) return false;
      waiters.push_back(waiter->state());
    }
  }
  if (waiters.empty()) return false;
  MessageWriter results;
  results.Put(static_cast<uint32_t>(fake::ChooseWaiter(waiters)));
  return Reply(results);
}

bool Proxy::HandleTransit(Request request, MessageReader& message) {
  LocalTransit transit(server_.transit_, process_.process);
  MessageWriter results;
  switch (request) {
    case Request::kPosition:
      results.Put(transit.PositionOf(message.Take<int32_t>()));
      break;
    case Request::kHold: {
      const auto fd = message.Take<int32_t>();
      results.Put(
          static_cast<int32_t>(transit.Hold(fd, message.Take<uint64_t>())));
      break;
    }
    case Request::kFind:
      results.Put(static_cast<int32_t>(transit.Find(message.Take<uint64_t>())));
      break;
    case Request::kInstall: {
      const auto held = message.Take<int32_t>();
      const auto fd = message.Take<int32_t>();
      transit.Install(held, fd, message.Take<bool>());
      break;
    }
    default:
      transit.Discard(message.Take<int32_t>());
      break;
  }
  return Reply(results);
}

// --- Threads and processes

bool Proxy::HandleNewThread(MessageReader& message) {
  const std::string name(message.TakeBytes());
  ParticipantState* const self = fake::Scheduler::Innermost();
  if (self == nullptr) return false;
  ParticipantState& added =
      fake::AddParticipant(*self, absl::StrCat(process_.Name(), " ", name));
  const Proxy& proxy =
      server_.AddProxy(process_, &added, /*is_outsider=*/false, {});
  MessageWriter results;
  results.Put(static_cast<int32_t>(proxy.number()));
  return Reply(results);
}

bool Proxy::HandleAnnouncement() {
  ServedProcess& child = server_.AddProcess(&process_);
  ParticipantState* const self = fake::Scheduler::Innermost();
  ParticipantState* const added =
      self == nullptr ? nullptr : &fake::AddParticipant(*self, child.Name());
  const Proxy& proxy =
      server_.AddProxy(child, added, /*is_outsider=*/false, {});
  MessageWriter results;
  results.Put(static_cast<int32_t>(proxy.number()));
  return Reply(results);
}

bool Proxy::HandleAlarm(Request request, MessageReader& message) {
  MessageWriter results;
  {
    const absl::MutexLock lock(&server_.mutex_);
    if (request == Request::kKeepAlarm) {
      process_.alarm = message.Take<AlarmTimer>();
    } else {
      results.Put(std::exchange(process_.alarm, {}));
    }
  }
  return Reply(results);
}

void Proxy::HandleReport(MessageReader& message) {
  const auto number = message.Take<int32_t>();
  const auto pid = message.Take<pid_t>();
  ServedProcess* child = nullptr;
  {
    const absl::MutexLock lock(&server_.mutex_);
    Proxy* const proxy = server_.FindProxy(number);
    if (proxy == nullptr) return;
    child = &proxy->process();
    if (pid < 0) {
      proxy->Cancel();
      child->dead = true;
    }
  }
  if (pid > 0) server_.SetPid(*child, pid);
}

bool Proxy::HandleChildWait(MessageReader& message) {
  const auto pid = message.Take<pid_t>();
  const auto seen = message.Take<uint64_t>();
  const ChildWait why = AwaitChild(pid, seen);
  MessageWriter results;
  results.Put(why);
  {
    const absl::MutexLock lock(&server_.mutex_);
    results.Put(why == ChildWait::kUnknown ? seen : process_.ended_children);
  }
  return Reply(results);
}

ChildWait Proxy::AwaitChild(pid_t pid, uint64_t seen) {
  ParticipantState* const self = fake::Scheduler::Innermost();
  if (self == nullptr) return ChildWait::kUnknown;
  fake::ObjectWait wait(*self, "wait4");
  {
    const absl::MutexLock lock(&server_.mutex_);
    if (process_.ended_children != seen) return ChildWait::kEnded;
    const bool has_child =
        std::any_of(server_.processes_.begin(), server_.processes_.end(),
                    [&](const ServedProcess& one) {
                      return one.parent == &process_ && !one.ended &&
                             (pid <= 0 || one.pid == pid);
                    });
    if (!has_child) return ChildWait::kUnknown;
    process_.child_waits.push_back(&wait);
  }
  const Woken why = wait.Block();
  const absl::MutexLock lock(&server_.mutex_);
  std::erase(process_.child_waits, &wait);
  switch (why) {
    case Woken::kDeadlock:
      return ChildWait::kDeadlock;
    case Woken::kSignal:
      return ChildWait::kSignal;
    case Woken::kEvent:
    case Woken::kRestart:
    case Woken::kTimeout:
      break;
  }
  return ChildWait::kEnded;
}

}  // namespace net::preload
