#ifndef FAKES_PRELOAD_NATIVE_H_
#define FAKES_PRELOAD_NATIVE_H_

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <type_traits>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/world.h"
#include "syscalls/sys_result.h"

// Calls on native descriptors, which may block in real time.

namespace net::preload {

// Returns whether a native descriptor has one of the events, or an error, now.
bool IsReady(int fd, int16_t events);

// Returns whether a call that waits for the events blocks: none is there, and
// the descriptor is in blocking mode.
bool WouldBlock(int fd, int16_t events);

// Waits until `native` returns something else than 0, or an error. `native`
// waits in real time, for at most its argument; virtual time passes meanwhile,
// as in Await() (mixed_wait.h). Returns 0 after `timeout` of it. `call` is a
// literal, for reports.
SysResult AwaitInRounds(
    fake::ParticipantState& self, const char* call, absl::Duration timeout,
    absl::FunctionRef<SysResult(absl::Duration limit)> native);

// Calls poll(2) on Linux, with a timeout in real time.
SysResult PollNative(pollfd* fds, nfds_t count, absl::Duration timeout);

// Waits until the native descriptor has one of the events, as Await() does
// (mixed_wait.h): virtual time passes while it stays unready. `call` is a
// literal, for reports. Returns 0, EINTR after a signal whose handler does not
// restart calls, or EDEADLK.
int AwaitNative(const char* call, int fd, int16_t events);

// Calls `call`, a function that blocks until the native descriptor has one of
// the events. Calls it in FakeKernel::Outside() if the descriptor has none of
// them yet. Preserves the errno of `call`.
template <typename Function>
std::invoke_result_t<Function> RunNative(int fd, int16_t events,
                                         Function call) {
  if (!IsInCharge() || IsReady(fd, events)) return call();
  std::invoke_result_t<Function> result = {};
  int error = 0;
  Outside([&] {
    result = call();
    error = errno;
  });
  errno = error;
  return result;
}

// Calls `call`, a blocking read(2), write(2) or accept(2) named `name`, when
// the native descriptor has one of the events. Virtual time passes meanwhile,
// so that a thread or process that sleeps can cause the event.
template <typename Function>
std::invoke_result_t<Function> RunBlocking(const char* name, int fd,
                                           int16_t events, Function call) {
  if (!IsInCharge() || !WouldBlock(fd, events)) return call();
  const int error = AwaitNative(name, fd, events);
  if (error != 0) {
    errno = error;
    return -1;
  }
  // Another process may have been faster.
  return RunNative(fd, events, call);
}

// RunNative() for a call that waits for something else, such as a child or a
// signal.
template <typename Function>
std::invoke_result_t<Function> RunNative(Function call) {
  return RunNative(/*fd=*/-1, /*events=*/0, call);
}

}  // namespace net::preload

#endif  // FAKES_PRELOAD_NATIVE_H_
