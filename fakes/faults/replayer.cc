#include "fakes/faults/replayer.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/served_call.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/faults/trace.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

// A kernel whose calls all fail with ENOSYS. Never destroyed.
Syscalls& NoKernel() {
  static Syscalls& kernel = *new Syscalls;
  return kernel;
}

// Returns what the caller passed: the record of the call as one that failed
// with `error`, so that nothing that it would fill in is read.
CallRecord PassedTo(const Invocation& invocation, int error) {
  const std::array<uint64_t, 6> registers = RegistersOf(invocation);
  CallRecord called =
      BeginRecord(IdOf(invocation.call()), registers, ReadOwnMemory);
  FinishRecord(called, registers, SysResult::Error(error), ReadOwnMemory);
  return called;
}

// Returns how `invocation` differs from a line; "" if it does not.
std::string Difference(const Trace::Line& line, const Invocation& invocation) {
  const CallRecord recorded = AsPlayedCall(line.call);
  if (!recorded.is_result_known && invocation.makes_descriptor()) {
    return "a descriptor that was not recorded";
  }
  const int error = recorded.result.error();
  const CallRecord called =
      AsPlayedCall(PassedTo(invocation, error == 0 ? ENOSYS : error));
  std::string difference = DifferenceOf(recorded, called);
  if (difference.empty() && !FitsMessages(recorded, invocation)) {
    return "a buffer that is smaller than the data";
  }
  return difference;
}

}  // namespace

Replayer::Replayer(Trace trace)
    : InterceptingSyscalls(NoKernel()), trace_(std::move(trace)) {
  for (size_t i = 0; i < trace_.lines.size(); ++i) {
    const int number = trace_.lines[i].call.thread;
    auto thread = threads_.begin();
    while (thread != threads_.end() && thread->number != number) ++thread;
    if (thread == threads_.end()) {
      thread = threads_.insert(thread, Thread{.number = number});
    }
    thread->lines.push_back(i);
  }
}

absl::Status Replayer::Departure() const {
  const MutexLock lock(mutex_);
  return departure_;
}

absl::Status Replayer::Finish() const {
  const MutexLock lock(mutex_);
  if (!departure_.ok()) return departure_;
  const Trace::Line* first = nullptr;
  for (const Thread& thread : threads_) {
    if (thread.played == thread.lines.size()) continue;
    const Trace::Line& line = trace_.lines[thread.lines[thread.played]];
    if (first == nullptr || line.number < first->number) first = &line;
  }
  if (first == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("line ", first->number, ": recorded ", ToString(first->call),
                   ", never called"));
}

SysResult Replayer::Intercept(Invocation& invocation,
                              absl::FunctionRef<SysResult()> make) {
  const MutexLock lock(mutex_);
  if (!departure_.ok()) return make();
  Thread* const thread = ThreadFor(invocation);
  if (thread == nullptr || thread->played == thread->lines.size()) {
    Depart(nullptr, invocation, "");
    return make();
  }
  const Trace::Line& line = trace_.lines[thread->lines[thread->played]];
  const std::string difference = Difference(line, invocation);
  if (!difference.empty()) {
    Depart(&line, invocation, difference);
    return make();
  }
  ++thread->played;
  const CallRecord recorded = AsPlayedCall(line.call);
  WriteOutParameters(recorded, invocation);
  NoteEvent(recorded, invocation);
  TranslateEvents(recorded, invocation);
  return recorded.result;
}

Replayer::Thread* Replayer::ThreadFor(const Invocation& invocation) {
  const int self = ThreadNumber();
  for (Thread& thread : threads_) {
    if (thread.player == self) return &thread;
  }
  Thread* first = nullptr;  // That has not begun.
  for (Thread& thread : threads_) {
    if (thread.player.has_value()) continue;
    if (first == nullptr) first = &thread;
    if (Difference(trace_.lines[thread.lines.front()], invocation).empty()) {
      thread.player = self;
      return &thread;
    }
  }
  return first;
}

void Replayer::Depart(const Trace::Line* line, const Invocation& invocation,
                      absl::string_view difference) {
  const std::string called = CallToString(PassedTo(invocation, ENOSYS));
  departure_ = absl::FailedPreconditionError(
      line == nullptr
          ? absl::StrCat("after the last line of the thread: called ", called)
          : absl::StrCat("line ", line->number, ": recorded ",
                         ToString(line->call), ", called ", called, " (",
                         difference, ")"));
}

void Replayer::NoteEvent(const CallRecord& recorded,
                         const Invocation& invocation) {
  const auto* const control = invocation.As<Call::kEpollCtl>();
  constexpr size_t kEventIndex = 3;
  if (control == nullptr || control->event == nullptr ||
      recorded.arguments[kEventIndex].state != ArgumentState::kTarget) {
    return;
  }
  epoll_event event = {};
  std::memcpy(&event, recorded.Target(kEventIndex).data(), sizeof(event));
  event_data_[{control->epoll_fd, uint64_t{event.data.u64}}] =
      control->event->data.u64;
}

void Replayer::TranslateEvents(const CallRecord& recorded,
                               const Invocation& invocation) {
  epoll_event* events = nullptr;
  if (const auto* const wait = invocation.As<Call::kEpollWait>()) {
    events = wait->events;
  } else if (const auto* const pwait = invocation.As<Call::kEpollPWait>()) {
    events = pwait->events;
  } else if (const auto* const pwait2 = invocation.As<Call::kEpollPWait2>()) {
    events = pwait2->events;
  }
  if (events == nullptr || !recorded.result.ok()) return;
  for (int i = 0; i < recorded.result.fd(); ++i) {
    const auto data =
        event_data_.find({invocation.fd(), uint64_t{events[i].data.u64}});
    if (data != event_data_.end()) events[i].data.u64 = data->second;
  }
}

}  // namespace net
