#ifndef CONFORMANCE_DRIVER_HOST_BLOCKED_DRIVER_H_
#define CONFORMANCE_DRIVER_HOST_BLOCKED_DRIVER_H_

#include <functional>
#include <string>

#include "absl/types/span.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/operations.h"
#include "conformance/environments/linux/sleep_watch.h"

namespace net::conformance {

// The result of one look at a driver's threads, for operations that it holds.
struct DriverLook {
  // Each operation is blocked. Its socket is not ready, and as many threads
  // sleep in a call of it as there are operations of this kind; or all threads
  // sleep, and one of them in a call of it or in poll(2) or epoll_wait(2) on a
  // set that holds it.
  bool is_blocked = false;
  // Why the look shows nothing; "" if it does.
  std::string hidden;
  // A thread sleeps in a call that does not show for what.
  bool is_opaque = false;
  // How many operations the driver was sent and has not answered.
  size_t held = 0;
  // The system calls that the threads sleep in, for people.
  std::string calls;
  // The threads' sleep; empty if one runs.
  Sleep sleep;
};

// Looks once. `operations` are some of those that the driver holds.
DriverLook LookAt(Driver& driver, const DriverSockets& sockets,
                  absl::Span<const Operation> operations);

// Ends the case if the look shows that waiting for `expected` is in vain: true
// if it has noted so, as a precondition or as a failure.
bool NoteVainWait(const DriverLook& look, SleepWatch& watch,
                  absl::Span<const Operation> expected);

// A place among the operations that a driver holds, for an operation of the
// calling thread, while it lives.
class Place {
 public:
  // Waits for a place. If there is none, because all that the driver holds are
  // blocked, notes that as a precondition of the case and calls `abandon`,
  // which ends the case and does not return: its other threads may wait for
  // this one.
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
