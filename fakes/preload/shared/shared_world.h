#ifndef FAKES_PRELOAD_SHARED_SHARED_WORLD_H_
#define FAKES_PRELOAD_SHARED_SHARED_WORLD_H_

#include "absl/time/time.h"
#include "fakes/preload/machine.h"

// The World of a program whose FakeKernel is in another process.

namespace net::preload {

// Makes a program that has begun a client of the server that FindServer() has
// found.
ProcessTree& StartAsClient(absl::Duration native_wait);

// Makes a process whose FakeKernel has moved to a server its client. `number`
// is that of its thread.
ProcessTree& BecomeClient(int number, absl::Duration native_wait);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_SHARED_WORLD_H_
