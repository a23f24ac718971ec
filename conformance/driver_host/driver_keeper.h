#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_KEEPER_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_KEEPER_H_

#include <optional>
#include <string>

namespace net::conformance {

// The program `trap` (fakes/trap), which injects faults into a driver's system
// calls.
struct DriverTrap {
  std::string program;  // its path
  bool traps_close = false;
};

struct DriverCommand {
  // A command for sh(1): "python3 driver.py". Its process should become the
  // driver, or exec it.
  std::string line;
  // True if the channel is the driver's standard input and output. False if it
  // has descriptors of its own.
  bool stdio = false;
  std::optional<DriverTrap> trap = std::nullopt;
};

// The network of a driver.
struct DriverNetwork {
  bool own_network = true;       // where the system permits it
  bool privileged_ports = true;  // may bind to ports below 1024
  bool ipv6 = true;
};

// Return the numbers of the channel's descriptors in a driver.
int ReadNumber(const DriverCommand& command);
int WriteNumber(const DriverCommand& command);

// Ends of pipes, and a socket. All have numbers above those of the standard
// streams and the channel.
struct KeeperPipes {
  int commands;  // to read
  int answers;   // to write
  int output;    // to write: the driver's output
  int status;   // to write: an int, the driver's wait status, when it has ended
  int end;      // to read: a byte or the end of file ends everything
  int passing;  // the socket that descriptors come through: see Passing
  int control;  // the socket of the trap; -1 without a trap
};

// Starts a driver. Kills it and all processes that it has started, daemons
// included, on request or when the runner has died. To be called in a forked
// child, the keeper. Never returns.
//
// The driver's processes are the descendants of the keeper's only child, an
// init, which reaps them. Where it is permitted, they have a PID namespace of
// their own, with its own /proc (pid_namespaces(7)), in which the init is
// process 1.
[[noreturn]] void KeepDriver(const DriverCommand& command,
                             const DriverNetwork& network,
                             const KeeperPipes& pipes) noexcept;

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_KEEPER_H_
