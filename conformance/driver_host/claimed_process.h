#ifndef CONFORMANCE_DRIVER_HOST_CLAIMED_PROCESS_H_
#define CONFORMANCE_DRIVER_HOST_CLAIMED_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/environments/linux/process_view.h"

namespace net::conformance {

// The process that a driver names in its hello, as the one that has its
// sockets. Makes sure that the runner touches no process but the driver's.
class ClaimedProcess {
 public:
  // Finds the process. `hello` may have the number that the process has in the
  // runner's PID namespace, or the one in its own.
  //
  // It must be one of the processes of `process`. If that is null, the user has
  // started the driver: then it must be the same user's, and hold the other
  // ends of `channel`. It must have a handler for the signal that hello names,
  // if any. Throws DriverError.
  //
  // `process` must outlive this.
  ClaimedProcess(const Hello& hello, Channel channel,
                 const DriverProcess* process);

  const ProcessView& view() const { return view_; }

  // Checks a new socket, if the driver has answered with its descriptor: it
  // must be a socket of TCP in this process. One that listens must be open, and
  // be in this process even if the driver has not answered with a descriptor.
  // Throws DriverError.
  void CheckSocket(std::optional<int> descriptor, bool listens) const;

 private:
  void CheckSignal(std::optional<int> signal) const;
  // "process 2 (sh), which the driver's hello names".
  std::string Describe() const;
  // The driver's other processes that have sockets of TCP: "; process 3
  // (python3) has sockets of TCP". "" if there are none.
  std::string DescribeOtherOwners() const;

  const int number_;  // as the driver counts
  const DriverProcess* const process_;
  const ProcessView view_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_CLAIMED_PROCESS_H_
