#ifndef FAKES_KERNEL_HANGS_H_
#define FAKES_KERNEL_HANGS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Programs that hang on a FakeKernel, and how they are reported.
//
// - A deadlock: all participants wait, and no event is pending.
// - A livelock: the participants make calls, or wait for timeouts, without end
//   and without an effect.
// - A stall, in real time. Either a participant holds the baton and makes no
//   call of the kernel, for example because it waits for a condition variable.
//   Or the clock stands still because a thread that does not take part is
//   blocked in a call.
//
// Each is reported once, on stderr, when it happens. The report has the holder
// of the baton, the waiting threads with their calls, the last calls, the
// sockets, and the threads of the process that do not take part.
//
// A deadlock and a livelock end by themselves, because calls fail with EDEADLK:
// - after a deadlock, every call that would block;
// - after a livelock, every call except close(2).
//
// Three hangs do not end by themselves, and are failures:
// - a stall;
// - a program that goes on making calls after a livelock;
// - a deadlock in which a thread waits in Thread::Join().
// The FakeKernel depends on no test framework, so it calls the process's hang
// handler. It aborts the process if there is no handler, or if the handler has
// returned and no thread can go on. With GoogleTest, a handler is
//
//   SetHangHandler([](absl::string_view report) { ADD_FAILURE() << report; });

namespace net {

// The limits at which a FakeKernel reports a hang.
struct HangLimits {
  // A stall: this much real time without a call or a hand-over, while a thread
  // waits for the baton or in a call. It is detected up to an eighth of this
  // time later. It is not reported while a debugger is attached to the process
  // (ptrace(2)). InfiniteDuration(): never reported.
  absl::Duration real_time = absl::Seconds(10);
  // A deadlock: this much real time in which all participants wait and no event
  // is pending. Longer than 0 if something else than a participant can end a
  // wait, as the end of a process by a signal does.
  absl::Duration deadlock = absl::ZeroDuration();
  // A livelock: this many calls of participants at one virtual instant, while
  // none of them waited and was woken by another.
  int64_t calls_at_one_instant = 100'000;
  // A livelock: the same for the functions of //fakes:thread_hooks that lock,
  // wait, yield or read a clock. The limit is higher, because a program that
  // computes may lock a mutex often.
  int64_t hooked_calls_at_one_instant = 1'000'000;
  // A livelock: this many successive timeouts, while nothing else ended a wait.
  int64_t timeouts_in_a_row = 1'000'000;
  // A livelock: this much virtual time, not counting FakeKernel::Advance().
  absl::Duration virtual_time = absl::Hours(24 * 365);
};

// Sets the handler of all kernels of the process, and returns the previous
// handler. Null is none. The handler is called in the thread that detects the
// hang, which may be any thread of the program. It must not make calls of the
// kernel.
using HangHandler = void (*)(absl::string_view report);
HangHandler SetHangHandler(HangHandler handler);

}  // namespace net

#endif  // FAKES_KERNEL_HANGS_H_
