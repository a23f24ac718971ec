#ifndef FAKES_PRELOAD_NATIVE_H_
#define FAKES_PRELOAD_NATIVE_H_

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <type_traits>

#include "fakes/preload/world.h"

// Calls on native descriptors, which may block in real time.

namespace net::preload {

// Returns whether a native descriptor has one of the events, or an error, now.
bool IsReady(int fd, int16_t events);

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

// Does the same for a call that waits for something else, such as a child or a
// signal.
template <typename Function>
std::invoke_result_t<Function> RunNative(Function call) {
  return RunNative(/*fd=*/-1, /*events=*/0, call);
}

}  // namespace net::preload

#endif  // FAKES_PRELOAD_NATIVE_H_
