#ifndef CONFORMANCE_DRIVER_HOST_ATTACHED_DRIVER_H_
#define CONFORMANCE_DRIVER_HOST_ATTACHED_DRIVER_H_

#include <string>

#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"

namespace net::conformance {

// A driver that the user starts, for instance in a debugger. The channel
// consists of two FIFOs (fifo(7)) in a folder. The driver runs in the network
// namespace of the user's shell.
class AttachedDriver {
 public:
  // Makes the FIFOs, prints on standard error how to start the driver, and
  // blocks until the user has started it. Throws HarnessError.
  AttachedDriver(const DriverCommand& command, const std::string& folder);
  AttachedDriver(const AttachedDriver&) = delete;
  AttachedDriver& operator=(const AttachedDriver&) = delete;
  ~AttachedDriver();

  Channel channel() const { return channel_; }

 private:
  const std::string commands_;
  const std::string answers_;
  Channel channel_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_ATTACHED_DRIVER_H_
