#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/claimed_process.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/operations.h"
#include "conformance/driver_host/session.h"
#include "conformance/driver_host/transcript.h"
#include "conformance/environments/linux/process_view.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {

// The way to a driver that runs.
struct DriverLink {
  Channel channel;
  // Null: the user has started it.
  std::shared_ptr<const DriverProcess> process;
  // See Session.
  std::shared_ptr<Transcript> transcript;
  Session::OnFrame on_frame;
};

// A driver with which a trial has shaken hands.
class Driver {
 public:
  // Greets it. Throws DriverError, also where it names a process that is not
  // its own, or a signal that would end that process.
  explicit Driver(DriverLink link);

  Session& session() { return session_; }
  const Hello& hello() const { return hello_; }
  // The process that has the sockets.
  const ProcessView& view() const { return process_.view(); }

  // See ClaimedProcess.
  void CheckSocket(std::optional<int> descriptor, bool listens) const {
    process_.CheckSocket(descriptor, listens);
  }

  // The operations that it holds now.
  Operations& operations() { return operations_; }

  // The sockets of TCP that it had open when it was greeted.
  const std::vector<DescriptorId>& first_sockets() const {
    return first_sockets_;
  }
  // It has the same sockets open now.
  bool HasFirstSockets() const;

 private:
  Hello Greet();

  const DriverLink link_;
  Session session_;
  const Hello hello_;
  const ClaimedProcess process_;
  const std::vector<DescriptorId> first_sockets_;
  Operations operations_;
};

// The sockets that a trial has in its drivers: what its environment and its
// implementation both need to know. Thread-safe.
//
// A driver's descriptors are DescriptorIds, those of this process are ints: the
// numbers of two processes never meet.
class DriverSockets {
 public:
  struct Entry {
    std::shared_ptr<Driver> driver;
    uint64_t number = 0;                     // in the protocol
    std::optional<DescriptorId> descriptor;  // in the driver
    std::optional<int> duplicate;  // of it, in this process; owned here
    std::optional<size_t> offer;   // of bytes, for the next `send`
    // A listener's address as it was asked for, with the port of the answer.
    std::optional<ip::Endpoint> reported;
  };

  explicit DriverSockets(std::shared_ptr<Driver> driver);
  DriverSockets(const DriverSockets&) = delete;
  DriverSockets& operator=(const DriverSockets&) = delete;
  ~DriverSockets();

  // The driver that new sockets are made by.
  std::shared_ptr<Driver> driver() const;
  // Adds a driver, which makes them from here on.
  void UseDriver(std::shared_ptr<Driver> driver);
  // All of them; the first one is the trial's own.
  std::vector<std::shared_ptr<Driver>> drivers() const;

  // `made_by` is the command, for people. Throws DriverError if another open
  // socket has the number.
  Handle Add(Entry entry, const std::string& made_by);
  // A copy.
  Entry Find(Handle handle) const;
  void Remove(Handle handle);

  // After the answer to a command that makes sockets: sockets of the driver
  // that are new, and that no command made, are from now on ascribed to this
  // one.
  void AscribeNew(const Driver& driver, const std::string& command);

  // The duplicate of the socket's descriptor, made when first asked for.
  // Nullopt if the driver does not tell its descriptors.
  std::optional<int> Duplicate(Handle handle);

  // How many of `size` bytes the next `send` is to offer. A driver that takes
  // a thousand at a time is not sent 64 KiB each time: it is offered twice what
  // it took last, and more again once it takes all.
  size_t Offer(Handle handle, size_t size) const;
  void NoteSent(Handle handle, size_t offered, size_t taken);

  // Whether a descriptor of the driver is that of a socket that a command made,
  // or was open before.
  bool IsKnown(const Driver& driver, const DescriptorId& id) const;

  // The sockets of TCP that the drivers have open, with the commands that made
  // them. Of a driver that was added: those that it did not bring along.
  std::vector<Environment::Descriptor> Open() const;
  // The descriptors of the drivers that exec leaves open; those of the trial's
  // sockets with their duplicates.
  std::vector<Environment::Descriptor> SurvivorsOfExec();
  // An open descriptor that no socket has: the one that was just made, if it is
  // the only one.
  std::optional<DescriptorId> FindNew(const Driver& driver) const;
  // A socket of the protocol, for people: "socket 3 (descriptor 7), made by
  // ...".
  std::string Describe(const Driver& driver, uint64_t number) const;

 private:
  static std::optional<int> DuplicateOf(Entry& entry);

  mutable Mutex mutex_;
  std::vector<std::shared_ptr<Driver>> drivers_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Handle, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // Where descriptors come from, for people: "made by {...}".
  std::map<DescriptorId, std::string> origins_ ABSL_GUARDED_BY(mutex_);
  // Sockets by their numbers in the protocol, for people; also closed ones.
  std::map<std::pair<const Driver*, uint64_t>, std::string> descriptions_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_H_
