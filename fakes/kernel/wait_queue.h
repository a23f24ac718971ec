#ifndef FAKES_KERNEL_WAIT_QUEUE_H_
#define FAKES_KERNEL_WAIT_QUEUE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

// What files and threads have for the calls that wait for them (waiting.h).
// Everything here is guarded by the kernel's mutex.

namespace net::fake {

class LazyWait;
class Scheduler;
class Wait;
struct ParticipantState;

// Receives each wake-up of a queue without blocking: an entry in the interest
// list of an epoll(7).
class Watcher {
 public:
  Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Called when the queue is woken, with the events of WakeAll(). Returns
  // whether an exclusive watcher has used the wake-up. If not, the wake-up goes
  // to the next exclusive watcher. Must not change the queue.
  virtual bool OnWake(int16_t events) = 0;
  // Called when the file of the queue is closed. Must leave the queue.
  virtual void OnFileClosed() = 0;

 protected:
  ~Watcher() = default;
};

// The calls that wait for an event of one file, or for the end of one thread;
// and the watchers. It has only eight bytes, because every socket has one.
class WaitQueue {
 public:
  // The place of a call or of a watcher in a queue.
  struct Place {
    Wait* wait = nullptr;        // Null: a watcher's.
    Watcher* watcher = nullptr;  // Null: a call's.
    WaitQueue* queue = nullptr;
    Place* previous = nullptr;
    Place* next = nullptr;
    bool exclusive = false;
    // The events that the call polls for, or 0 if each event may matter to it.
    int16_t events = 0;
  };

  bool empty() const { return first_ == nullptr; }

  // Wakes all waits, which then check again for their event. `events` are the
  // events of poll(2) that have come; calls that poll only for other events
  // sleep on. 0 stands for any events, for example when the state of a
  // connection changes.
  void WakeAll(int16_t events = 0) {
    if (first_ != nullptr) WakeEach(events);
  }
  // Does the same, but wakes only the exclusive wait that has waited longest.
  // An exclusive watcher may leave the wake-up to the next one.
  void WakeOne(int16_t events = 0) {
    if (first_ != nullptr) WakeOldest(events);
  }
  // Wakes the wait that began last. Returns whether there was one.
  bool WakeNewest();

  // Add and remove a watcher. The place must not move meanwhile.
  void Add(Place& place);
  static void Remove(const Place& place);
  // Removes the watchers, because the file is closed.
  void CloseFile() {
    if (first_ != nullptr) RemoveWatchers();
  }

 private:
  friend class Wait;
  void WakeEach(int16_t events);
  void WakeOldest(int16_t events);
  void RemoveWatchers();

  Place* first_ = nullptr;
};

// The reason why a wait ended.
enum class Woken : uint8_t {
  kEvent,     // something has changed: check again
  kTimeout,   // the time is up
  kSignal,    // a signal, whose handler does not restart system calls
  kRestart,   // a signal, whose handler does (SA_RESTART)
  kDeadlock,  // no event is left that could end the wait
};

// Returns the errno of a call that ends without its event: EAGAIN, EINTR or
// EDEADLK.
int ErrnoFor(Woken woken);

// The call that waits, for messages: "server: recv(3)".
struct CallSite {
  absl::string_view process;
  absl::string_view call;
  int fd = -1;
  // The address of another object than a file, such as a lock.
  const void* object = nullptr;
  // Returns the thread ID (gettid(2)) of the thread that holds the object, or
  // 0. Null if it cannot have a holder.
  pid_t (*holder)(const void* object) = nullptr;
};

// Returns "recv(3) of process server", or "pthread_mutex_lock of 0x7f3c".
std::string Describe(const CallSite& site);

}  // namespace net::fake

#endif  // FAKES_KERNEL_WAIT_QUEUE_H_
