#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_SERVER_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "conformance/suite/implementation.h"

namespace net::conformance {

// An implementation of this program, for ServeDriver().
struct Served {
  std::string name;     // "asio"
  std::string version;  // "1.22.1"; may be ""
  // See Implementation::UseSyscalls().
  bool has_syscalls = false;
  // Called once, before the first command.
  std::function<std::unique_ptr<Implementation>()> make = nullptr;
};

// Makes this process the driver (conformance/drivers/PROTOCOL.md) of any
// Implementation, so that an implementation of a C++ program has a process of
// its own. Reads commands until `bye` or the end of the channel. Then ends the
// process with status 0, or with status 1 if no runner has started it.
//
// Each command has a thread of its own, because any of them may block. SIGUSR2
// interrupts the system calls of these threads.
//
// The calling process must have one thread.
[[noreturn]] void ServeDriver(const Served& served);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_SERVER_H_
