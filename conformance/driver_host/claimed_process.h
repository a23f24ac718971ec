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

// The process that a driver's hello names as the owner of its sockets. Makes
// sure that the runner touches no process but the driver's.
class ClaimedProcess {
 public:
  // Finds the process. The process ID in `hello` may be that in the runner's
  // PID namespace or that in the driver's own.
  //
  // The process must be one of the processes of `process`. If `process` is
  // null, because the user has started the driver, it must belong to the same
  // user and hold the other ends of `channel`. If hello names a signal, the
  // process must have a handler for it. Throws DriverError if one of these does
  // not hold.
  //
  // `process` must outlive this object.
  ClaimedProcess(const Hello& hello, Channel channel,
                 const DriverProcess* process);

  const ProcessView& view() const { return view_; }

  // Checks a new socket. If the driver answered with a descriptor, it must be a
  // TCP socket in this process. A listener must be open, and must be in this
  // process even if the driver answered without a descriptor. Throws
  // DriverError.
  void CheckSocket(std::optional<int> descriptor, bool listens) const;

 private:
  void CheckSignal(std::optional<int> signal) const;
  // Returns "process 2 (sh), which the driver's hello names".
  std::string Describe() const;
  // Returns the driver's other processes that have TCP sockets: "; process 3
  // (python3) has sockets of TCP". "" if there are none.
  std::string DescribeOtherOwners() const;

  const int number_;  // as in hello
  const DriverProcess* const process_;
  const ProcessView view_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_CLAIMED_PROCESS_H_
