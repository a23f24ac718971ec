#ifndef FAKES_PRELOAD_WORLD_H_
#define FAKES_PRELOAD_WORLD_H_

#include <cerrno>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/machine.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// The FakeKernel to which the hooks pass the calls of this process, and the
// FakeProcess on it that stands for this process. Without one, the hooks pass
// all calls to the C library.
//
// A program that has loaded libnet_fake.so has a World from its start to its
// end (program_world.cc). A program that is linked with the hooks calls
// PutInCharge(), or has a ThreadWorld for some of its threads.

namespace net::preload {

struct World {
  // The process, behind Placeholders. Faults and the trace are in front of it.
  Syscalls* sys;
  Machine* machine;
  // See Options::native_wait.
  absl::Duration native_wait = absl::Milliseconds(10);
  // The processes that share the FakeKernel; null: this one has its own.
  ProcessTree* tree = nullptr;
  // Null: it is shared, or cannot be.
  OwnKernel* own = nullptr;
  // Null: messages cannot pass files of the FakeKernel.
  Transit* transit = nullptr;
};

namespace internal_world {
inline constinit const World* of_process = nullptr;
inline constinit thread_local const World* of_thread = nullptr;

inline const World* Current() {
  return of_thread != nullptr ? of_thread : of_process;
}
}  // namespace internal_world

// Makes the hooks use `world`, which must outlive their calls. With null, the
// hooks pass all calls to the C library. Called while the process has one
// thread, or by the participant that holds the baton of both the old and the
// new kernel.
inline void PutInCharge(const World* world) {
  internal_world::of_process = world;
}

// Makes the hooks use `world` for the calls of the calling thread, from
// construction to destruction. Null: that of the process. May be nested.
class ThreadWorld {
 public:
  explicit ThreadWorld(const World* world) : before_(OfCaller()) {
    internal_world::of_thread = world;
  }
  ThreadWorld(const ThreadWorld&) = delete;
  ThreadWorld& operator=(const ThreadWorld&) = delete;
  ~ThreadWorld() { internal_world::of_thread = before_; }

  // Returns the World of the calling thread's innermost ThreadWorld, or null.
  static const World* OfCaller() { return internal_world::of_thread; }

 private:
  const World* const before_;
};

// Returns whether the caller's calls go to the FakeKernel. True if the process
// or the thread has a World, except in the FakeKernel's own code.
inline bool IsInCharge() {
  return internal_world::Current() != nullptr &&
         !fake::KernelSection::entered();
}

// The functions below require IsInCharge().

inline Syscalls& Sys() { return *internal_world::Current()->sys; }
inline Machine& CurrentMachine() { return *internal_world::Current()->machine; }
inline ProcessTree* Tree() { return internal_world::Current()->tree; }
inline OwnKernel* Own() { return internal_world::Current()->own; }
inline Transit* CurrentTransit() { return internal_world::Current()->transit; }
inline absl::Duration NativeWait() {
  return internal_world::Current()->native_wait;
}

// Runs `body`, which may block in a native call, without the baton.
inline void Outside(absl::FunctionRef<void()> body) {
  CurrentMachine().Outside(body);
}

// Prints that `call` uses a descriptor that belongs to the FakeKernel of
// another process, and ends this process with status 2.
[[noreturn]] void RefuseForeign(const char* call, int fd);

// Returns the result as functions of the C library do: the value, or -1 with
// errno set.
template <typename Number = int>
Number Returned(SysResult result) {
  if (result.ok()) return static_cast<Number>(result.value());
  errno = result.error();
  return -1;
}

}  // namespace net::preload

#endif  // FAKES_PRELOAD_WORLD_H_
