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
// PutInCharge().

namespace net::preload {

struct World {
  // The process, behind Placeholders. Faults and the trace are in front of it.
  Syscalls* sys;
  Machine* machine;
  absl::Duration native_wait;  // See Options::native_wait.
  // The processes that share the FakeKernel; null: this one has its own.
  ProcessTree* tree = nullptr;
  // Null: it is shared, or cannot be.
  OwnKernel* own = nullptr;
  // Null: messages cannot pass files of the FakeKernel.
  Transit* transit = nullptr;
};

namespace internal_world {
inline constinit const World* current = nullptr;
}  // namespace internal_world

// Makes the hooks use `world`, which must outlive their calls. With null, the
// hooks pass all calls to the C library. Called while the process has one
// thread, or by the participant that holds the baton of both the old and the
// new kernel.
inline void PutInCharge(const World* world) { internal_world::current = world; }

// Returns whether the caller's calls go to the FakeKernel. True if the process
// has a World, except in the FakeKernel's own code.
inline bool IsInCharge() {
  return internal_world::current != nullptr && !fake::KernelSection::entered();
}

// The functions below require IsInCharge().

inline Syscalls& Sys() { return *internal_world::current->sys; }
inline Machine& CurrentMachine() { return *internal_world::current->machine; }
inline ProcessTree* Tree() { return internal_world::current->tree; }
inline OwnKernel* Own() { return internal_world::current->own; }
inline Transit* CurrentTransit() { return internal_world::current->transit; }
inline absl::Duration NativeWait() {
  return internal_world::current->native_wait;
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
