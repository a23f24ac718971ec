#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/environment.h"
#include "conformance/implementation.h"
#include "conformance/linux/process_view.h"
#include "syscalls/mutex.h"

namespace net::conformance {

// A driver with which a trial has shaken hands.
class Driver {
 public:
  // Greets it. `process` is its process if the trial has started it itself.
  // Throws DriverError.
  explicit Driver(Channel channel, Session::OnFrame on_frame = nullptr,
                  std::unique_ptr<DriverProcess> process = nullptr);

  Session& session() { return session_; }
  const Hello& hello() const { return hello_; }
  const ProcessView& view() const { return view_; }

  // All of it waits for something, and has read all that it was sent. Looks
  // twice, a moment apart.
  bool IsBlocked() const;
  // The same, and one of the commands is what it waits in.
  bool IsBlockedByCommand() const;

 private:
  static Hello Greet(Session& session);

  const std::unique_ptr<DriverProcess> process_;
  Session session_;
  const Hello hello_;
  const ProcessView view_;
};

// The sockets that a trial has in its driver: what its environment and its
// implementation both need to know. Thread-safe.
class DriverSockets {
 public:
  struct Entry {
    std::shared_ptr<Driver> driver;
    uint64_t number = 0;            // in the protocol
    std::optional<int> descriptor;  // in the driver
    std::optional<int> duplicate;   // of it, in this process; owned here
  };

  explicit DriverSockets(std::shared_ptr<Driver> driver)
      : driver_(std::move(driver)) {}
  DriverSockets(const DriverSockets&) = delete;
  DriverSockets& operator=(const DriverSockets&) = delete;
  ~DriverSockets();

  // The driver that new sockets are made by.
  std::shared_ptr<Driver> driver() const;
  void UseDriver(std::shared_ptr<Driver> driver);

  // `made_by` is the command, for people.
  Handle Add(Entry entry, const std::string& made_by);
  // A copy.
  Entry Find(Handle handle) const;
  void Remove(Handle handle);

  // The duplicate of the socket's descriptor, made when first asked for.
  // Nullopt if the driver does not tell its descriptors.
  std::optional<int> Duplicate(Handle handle);

  // The sockets of TCP that the driver has open, with the commands that made
  // them.
  std::vector<Environment::Descriptor> Open() const;
  // Descriptors of the driver, those of its sockets by the numbers that their
  // duplicates have here.
  std::vector<int> Renumber(const std::vector<int>& fds);
  // An open descriptor that no socket has: the one that was just made, if it is
  // the only one.
  std::optional<int> FindNew() const;

 private:
  static std::optional<int> DuplicateOf(Entry& entry);

  mutable Mutex mutex_;
  std::shared_ptr<Driver> driver_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Handle, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<int, std::string> made_by_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_H_
