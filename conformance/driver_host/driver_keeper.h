#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_KEEPER_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_KEEPER_H_

#include <string>

namespace net::conformance {

struct DriverCommand {
  // For sh(1): "python3 driver.py". It should become the driver, or exec it.
  std::string line;
  // The channel is its standard input and output, rather than descriptors of
  // its own.
  bool stdio = false;
};

// The environment in which a driver is started.
struct DriverWorld {
  bool own_network = true;       // if that is allowed
  bool privileged_ports = true;  // it may bind to ports below 1024
  bool ipv6 = true;
};

// The numbers of the channel's descriptors in a driver.
int ReadNumber(const DriverCommand& command);
int WriteNumber(const DriverCommand& command);

// Ends of pipes, and a socket, all above the numbers of standard streams and
// channel.
struct KeeperPipes {
  int commands;  // to read
  int answers;   // to write
  int output;    // to write: what the driver prints
  int status;   // to write: an int, the driver's wait status, when it has ended
  int end;      // to read: a byte or the end of file ends everything
  int passing;  // the socket that descriptors come through: see Passing
};

// Starts a driver, and ends all that it has started, daemons included, when
// that is asked for or the runner is dead. Never returns: for a forked child,
// the keeper.
//
// The driver's processes are the descendants of the keeper's only child, an
// init, which reaps them. Where it is allowed they are in a PID namespace of
// their own with a /proc of its own (pid_namespaces(7)); the init is then
// process 1 there.
[[noreturn]] void KeepDriver(const DriverCommand& command,
                             const DriverWorld& world,
                             const KeeperPipes& pipes) noexcept;

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_KEEPER_H_
