#include "fakes/preload/shared/proxy.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/preload/kernel_machine.h"
#include "fakes/preload/linux_process.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"

namespace net::preload {
namespace {

using fake::ParticipantState;

// How long an announced process or a new program may keep the baton before it
// connects. A program that does not load the library never does.
constexpr absl::Duration kLongestStart = absl::Seconds(1);
// The same in processor time, for a busy machine.
constexpr absl::Duration kLongestStartOnProcessor = absl::Seconds(1);

// How long a thread may compute, in processor time, before the others can run.
// It may wait for one of them in memory that it shares with another process.
constexpr absl::Duration kLongestComputation = absl::Milliseconds(500);

// How long a thread may seem to wait nowhere (LinuxProcess::waits_nowhere). It
// is off its processor for so long only on a very busy machine.
constexpr absl::Duration kLongestPreparation = absl::Seconds(1);

thread_local Proxy* current = nullptr;

// Changes the name of a participant in reports.
void Rename(ParticipantState& state, std::string name) {
  const fake::KernelSection section;
  const fake::KernelMutexLock lock(state.scheduler->mutex());
  state.name = std::move(name);
}

}  // namespace

Proxy* Proxy::Current() { return current; }

// --- Connections

void Proxy::Run() {
  current = this;
  while (!thread_ended_ && AwaitConnection()) {
    MessageWriter number;
    number.Put(static_cast<int32_t>(is_outsider_ ? -1 : number_));
    if (SendWithEpilogue(Answer::kGo, number, /*raises_sigpipe=*/false)) {
      ServeAll();
    }
    channel_.reset();
  }
}

bool Proxy::IsDecided() const {
  return delivered_.channel != nullptr || cancelled_ || process_.dead ||
         process_.executions != executions_ ||
         process_.arrival.channel != nullptr;
}

bool Proxy::AwaitDecision(absl::Duration limit) {
  const auto decided = [this] { return IsDecided(); };
  const absl::MutexLock lock(&server_.mutex_);
  return server_.mutex_.AwaitWithTimeout(absl::Condition(&decided), limit);
}

void Proxy::AwaitOutside(const char* what,
                         absl::FunctionRef<bool(absl::Duration)> happens) {
  ParticipantState* const self = fake::Scheduler::Innermost();
  uint64_t activity = 0;
  for (;;) {
    bool happened = false;
    server_.kernel_.Outside(
        [&] { happened = happens(server_.options_.native_wait); });
    if (happened) break;
    if (self == nullptr ||
        fake::AwaitIdle(*self, server_.options_.native_wait, activity)) {
      continue;
    }
    const absl::Duration next = KernelMachine(server_.kernel_).NextTimer();
    if (next == absl::InfiniteDuration()) continue;
    fake::ObjectWait wait(*self, what, /*object=*/nullptr, /*holder=*/nullptr,
                          absl::ToInt64Nanoseconds(next));
    wait.Block();
  }
  if (self != nullptr) fake::NoteActivity(*self);
}

bool Proxy::IsStarting() const {
  pid_t pid = 0;
  {
    const absl::MutexLock lock(&server_.mutex_);
    pid = process_.pid;
  }
  const LinuxProcess process = StatusOf(pid);
  return process.state != '\0' && process.state != 'S' &&
         process.processor_time < kLongestStartOnProcessor;
}

bool Proxy::AwaitConnection() {
  // The thread of an outsider's proxy begins with its connection.
  while (!is_outsider_ && !AwaitDecision(kLongestStart)) {
    if (IsStarting()) continue;
    AwaitOutside("a program that does not load the library",
                 [this](absl::Duration limit) { return AwaitDecision(limit); });
  }
  Arrival arrival;
  bool executes = false;
  {
    const absl::MutexLock lock(&server_.mutex_);
    if (delivered_.channel != nullptr) {
      arrival = std::exchange(delivered_, {});
    } else if (!cancelled_ && !process_.dead &&
               process_.executions == executions_ &&
               process_.arrival.channel != nullptr && !is_outsider_) {
      arrival = std::exchange(process_.arrival, {});
      executes = true;
      ++process_.executions;
      process_.program = arrival.program;
    }
    executions_ = process_.executions;
    if (process_.program.empty()) process_.program = arrival.program;
  }
  if (arrival.channel == nullptr) return false;
  channel_ = std::move(arrival.channel);
  {
    const absl::MutexLock lock(&server_.mutex_);
    received_ = request_ = early_request_ = 0;
  }
  client_thread_ = arrival.thread;
  if (executes) {
    server_.InterruptProxies(process_, this);
    process_.process.Exec();
    process_.stack.Rename(process_.Name());
    Rename(*state_, process_.Name());
  }
  return true;
}

void Proxy::ServeAll() {
  uint32_t type = 0;
  MessageReader message;
  do {
    AwaitRequest();
  } while (Receive(type, message) &&
           Handle(static_cast<Request>(type), message));
}

void Proxy::AwaitRequest() {
  const absl::Duration limit = server_.options_.native_wait;
  const auto is_readable = [this](absl::Duration time) {
    return channel_->IsReadable(time);
  };
  std::optional<absl::Duration> begin;  // In processor time.
  std::optional<absl::Time> prepares_since;
  while (!is_readable(limit)) {
    if (fake::Scheduler::Innermost() == nullptr) continue;
    const LinuxProcess thread = StatusOf(client_thread_);
    if (thread.state == 'S') {
      if (!thread.waits_nowhere) {
        prepares_since.reset();
      } else {
        if (!prepares_since.has_value()) prepares_since = absl::Now();
        if (absl::Now() - *prepares_since < kLongestPreparation) continue;
      }
      AwaitOutside("a native call", [&](absl::Duration time) {
        if (is_readable(time)) return true;
        const LinuxProcess now = StatusOf(client_thread_);
        return now.state != 'S' || now.waits_nowhere != thread.waits_nowhere;
      });
      continue;
    }
    prepares_since.reset();
    if (!begin.has_value()) {
      begin = thread.processor_time;
    } else if (thread.processor_time - *begin >= kLongestComputation) {
      // The clock stands meanwhile.
      server_.kernel_.Outside([&] {
        while (StatusOf(client_thread_).state == 'R' && !is_readable(limit)) {
        }
      });
    }
  }
}

bool Proxy::SendWithEpilogue(Answer answer, const MessageWriter& results,
                             bool raises_sigpipe) {
  const ParticipantState* const self = fake::Scheduler::Innermost();
  MessageWriter message;
  message.Put(Epilogue{.now = absl::ToInt64Nanoseconds(server_.kernel_.Now()),
                       .calls_left = self == nullptr ? 0 : self->calls_left,
                       .has_deadlock = server_.kernel_.Deadlock().has_value(),
                       .raises_sigpipe = raises_sigpipe});
  message.Append(results);
  return channel_->Send(static_cast<uint32_t>(answer), message.bytes());
}

bool Proxy::Reply(const MessageWriter& results, bool raises_sigpipe) {
  return SendWithEpilogue(Answer::kReply, results, raises_sigpipe);
}

MessageReader Proxy::AskClient(Answer question,
                               const MessageWriter& arguments) {
  uint32_t type = 0;
  MessageReader answer;
  if (!channel_->Send(static_cast<uint32_t>(question), arguments.bytes()) ||
      !channel_->Receive(type, answer) || type != kDone) {
    // The client has died. The end of the call does not matter any more.
    return MessageReader();
  }
  return answer;
}

}  // namespace net::preload
