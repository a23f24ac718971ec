#ifndef CONFORMANCE_DRIVER_HOST_BLOCKED_DRIVER_H_
#define CONFORMANCE_DRIVER_HOST_BLOCKED_DRIVER_H_

#include <functional>
#include <string>

#include "absl/types/span.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/operations.h"
#include "conformance/environments/linux/sleep_watch.h"

namespace net::conformance {

// The state of a driver's threads at one moment, for some of the operations
// that the driver holds.
struct DriverSnapshot {
  // True if each operation is blocked: its socket is not ready, and one of
  // these holds:
  //
  // - As many threads sleep in a system call of this kind on the socket as
  //   there are such operations.
  // - All threads sleep, and one of them in such a call, or in poll(2) or
  //   epoll_wait(2) on a set that contains the socket.
  bool is_blocked = false;
  // The reason why the threads' system calls cannot be read; "" if they can.
  std::string hidden;
  // True if a thread sleeps in a system call whose arguments do not show what
  // it waits for.
  bool is_opaque = false;
  // The number of operations that the driver was sent and has not answered.
  size_t held = 0;
  // The system calls that the threads sleep in, as text for messages.
  std::string calls;
  // The number of times that each thread has gone to sleep; empty if one runs.
  Sleep sleep;
};

// Inspects the driver's threads once. `operations` are some of those that the
// driver holds.
DriverSnapshot Inspect(Driver& driver, const DriverSockets& sockets,
                       absl::Span<const Operation> operations);

// Returns true, and notes a precondition or a failure, if the operations
// `expected` will never be blocked. This is so if the threads' system calls
// cannot be read, or if all threads have slept in other calls for five seconds
// (SleepWatch).
bool NoteVainWait(const DriverSnapshot& snapshot, SleepWatch& watch,
                  absl::Span<const Operation> expected);

// A place among the operations that a driver can hold. The calling thread has
// it until the object is destroyed.
class Place {
 public:
  // Waits for a place. If the driver holds as many operations as it can, and
  // all of them are blocked, notes a precondition of the case and calls
  // `abandon`. That ends the case and does not return, because its other
  // threads may wait for this one.
  Place(Driver& driver, const DriverSockets& sockets,
        const Operation& operation, const std::function<void()>& abandon);
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { operations_.End(); }

 private:
  Operations& operations_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_BLOCKED_DRIVER_H_
