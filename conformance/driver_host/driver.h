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

// The connection to a running driver.
struct DriverLink {
  Channel channel;
  // Null if the user has started the driver.
  std::shared_ptr<const DriverProcess> process;
  // See Session.
  std::shared_ptr<Transcript> transcript;
  Session::OnFrame on_frame;
};

// A driver after its handshake with a trial.
class Driver {
 public:
  // Performs the handshake. Throws DriverError if it fails, and if hello names
  // a process that is not the driver's, or a signal that would end that
  // process.
  explicit Driver(DriverLink link);

  Session& session() { return session_; }
  const Hello& hello() const { return hello_; }
  // The process that owns the sockets.
  const ProcessView& view() const { return process_.view(); }

  // See ClaimedProcess.
  void CheckSocket(std::optional<int> descriptor, bool listens) const {
    process_.CheckSocket(descriptor, listens);
  }

  // The operations that were sent to the driver and that it has not answered.
  Operations& operations() { return operations_; }

  // The TCP sockets that the driver had open at the handshake.
  const std::vector<DescriptorId>& first_sockets() const {
    return first_sockets_;
  }
  // Returns true if the driver has exactly these TCP sockets open now.
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

// The sockets of a trial in its drivers, shared by its environment and its
// implementation. Thread-safe.
//
// Descriptors of a driver are DescriptorIds, those of this process are ints, so
// that the numbers of two processes are never confused.
class DriverSockets {
 public:
  struct Entry {
    std::shared_ptr<Driver> driver;
    uint64_t number = 0;                     // in the protocol
    std::optional<DescriptorId> descriptor;  // in the driver
    std::optional<int> duplicate;            // of it, in this process; owned
    std::optional<size_t> offer;             // bytes for the next `send`
    // The endpoint of a listener: the requested address with the port of the
    // answer.
    std::optional<ip::Endpoint> reported;
  };

  explicit DriverSockets(std::shared_ptr<Driver> driver);
  DriverSockets(const DriverSockets&) = delete;
  DriverSockets& operator=(const DriverSockets&) = delete;
  ~DriverSockets();

  // The driver that makes new sockets.
  std::shared_ptr<Driver> driver() const;
  // Adds a driver, which makes new sockets from now on.
  void UseDriver(std::shared_ptr<Driver> driver);
  // All drivers. The first one is the trial's own.
  std::vector<std::shared_ptr<Driver>> drivers() const;

  // Adds a socket. `made_by` is the command that made it, for messages. Throws
  // DriverError if another open socket has the same number.
  Handle Add(Entry entry, const std::string& made_by);
  // Returns a copy.
  Entry Find(Handle handle) const;
  void Remove(Handle handle);

  // Attributes the driver's sockets that no earlier command has made to
  // `command`. To be called after the answer to a command that makes sockets.
  void AscribeNew(const Driver& driver, const std::string& command);

  // Returns the duplicate of the socket's descriptor. The first call makes it.
  // Returns nullopt if the driver does not report its descriptors.
  std::optional<int> Duplicate(Handle handle);

  // Returns how many of `size` bytes the next `send` must offer. After a short
  // send, this is twice the number of bytes that the driver took. It grows
  // again once the driver takes everything. A driver that takes a thousand
  // bytes at a time is therefore not sent 64 KiB each time.
  size_t Offer(Handle handle, size_t size) const;
  void NoteSent(Handle handle, size_t offered, size_t taken);

  // Returns true if a command made the socket behind a descriptor of the
  // driver, or if it was open at the handshake.
  bool IsKnown(const Driver& driver, const DescriptorId& id) const;

  // Returns the open TCP sockets of the drivers, with the commands that made
  // them. Omits sockets that an added driver had open at its handshake.
  std::vector<Environment::Descriptor> Open() const;
  // Returns the descriptors of the drivers that exec would leave open. Those of
  // the trial's sockets come with their duplicates.
  std::vector<Environment::Descriptor> SurvivorsOfExec();
  // Returns the descriptor of the socket that was just made: the only open
  // descriptor of a TCP socket that is not known yet. Returns nullopt if there
  // are none or several.
  std::optional<DescriptorId> FindNew(const Driver& driver) const;
  // Describes a socket by its number in the protocol: "socket 3 (descriptor 7),
  // made by ...".
  std::string Describe(const Driver& driver, uint64_t number) const;

 private:
  static std::optional<int> DuplicateOf(Entry& entry);

  mutable Mutex mutex_;
  std::vector<std::shared_ptr<Driver>> drivers_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Handle, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // The origins of descriptors, for messages: "made by {...}".
  std::map<DescriptorId, std::string> origins_ ABSL_GUARDED_BY(mutex_);
  // Descriptions of sockets by their numbers in the protocol, for messages.
  // Includes closed sockets.
  std::map<std::pair<const Driver*, uint64_t>, std::string> descriptions_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_H_
