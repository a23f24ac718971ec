#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_PROCESS_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "conformance/driver_host/session.h"

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

// A driver that runs: a child process, with a process group of its own, that
// does not outlive the thread that has started it. Destroying it kills it, and
// all that it has started.
//
// What it prints is kept: the end of it. Not thread-safe.
class DriverProcess {
 public:
  // Throws HarnessError if no process can be made. That the command cannot be
  // run shows when the driver is spoken to: it has ended, and told why.
  explicit DriverProcess(const DriverCommand& command,
                         const DriverWorld& world = {});
  DriverProcess(const DriverProcess&) = delete;
  DriverProcess& operator=(const DriverProcess&) = delete;
  ~DriverProcess();

  // The command as it is run, for people to type, with files for the channel:
  // "CONFORMANCE_READ_FD=3 CONFORMANCE_WRITE_FD=4 driver 3<commands 4>answers".
  static std::string CommandToType(const DriverCommand& command,
                                   const std::string& commands,
                                   const std::string& answers);

  pid_t pid() const { return pid_; }
  Channel channel() const { return channel_; }

  // Readable when it has printed something, which ReadOutput() then takes.
  int output_fd() const { return output_fd_; }
  // Does not wait. False once there will be no more.
  bool ReadOutput();

  // Waits until it has ended. OK if with status 0; DeadlineExceeded if it goes
  // on.
  absl::Status AwaitEnd(absl::Duration patience);
  // The end of what it can read.
  void CloseChannel();

  // For people, once it does not do what it should: how it ended, if it has,
  // and the end of what it has printed since ForgetOutput().
  std::string Describe();
  void ForgetOutput() { output_.clear(); }

 private:
  [[noreturn]] static void RunInChild(const DriverCommand& command,
                                      const DriverWorld& world, Channel theirs,
                                      int output);
  bool Reap(bool wait);

  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;  // as of waitpid(2), once it has ended
  Channel channel_;
  int output_fd_ = -1;
  std::string output_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_PROCESS_H_
