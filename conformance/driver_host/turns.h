#ifndef CONFORMANCE_DRIVER_HOST_TURNS_H_
#define CONFORMANCE_DRIVER_HOST_TURNS_H_

#include "absl/base/thread_annotations.h"
#include "conformance/driver_host/driver.h"
#include "syscalls/mutex.h"

namespace net::conformance {

// Who may send a command to a driver that can hold only one operation.
struct Turns {
  Mutex mutex;
  bool busy ABSL_GUARDED_BY(mutex) = false;
};

// A turn, while it lives. A driver without that limit is always free.
class Turn {
 public:
  // Waits until the driver is free, or blocked by the operation that it holds.
  Turn(Turns& turns, const Driver& driver);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  // False: the driver is blocked, and would not even read the command.
  bool taken() const { return taken_; }

 private:
  Turns* const turns_;  // null: no limit
  bool taken_ = true;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_TURNS_H_
