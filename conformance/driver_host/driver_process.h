#ifndef CONFORMANCE_DRIVER_HOST_DRIVER_PROCESS_H_
#define CONFORMANCE_DRIVER_HOST_DRIVER_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "conformance/driver_host/driver_keeper.h"
#include "conformance/driver_host/passing.h"
#include "conformance/driver_host/session.h"

namespace net::conformance {

// A running driver: a process and those that it starts. All are killed when
// this object is destroyed or when the thread that made it ends. See
// KeepDriver().
//
// Keeps the last part of the driver's output. Not thread-safe.
class DriverProcess {
 public:
  // Starts the driver. Throws HarnessError if no process can be made. If the
  // command cannot be run, the driver ends, and Describe() returns the reason.
  explicit DriverProcess(const DriverCommand& command,
                         const DriverNetwork& network = {});
  DriverProcess(const DriverProcess&) = delete;
  DriverProcess& operator=(const DriverProcess&) = delete;
  ~DriverProcess();

  // Returns the command line that starts the driver by hand, with files for the
  // channel: "CONFORMANCE_READ_FD=3 CONFORMANCE_WRITE_FD=4 driver 3<commands
  // 4>answers".
  static std::string CommandToType(const DriverCommand& command,
                                   const std::string& commands,
                                   const std::string& answers);

  // Returns the processes of the command and its descendants that have not
  // ended.
  std::vector<pid_t> Processes() const;
  Channel channel() const { return channel_; }
  // The control channel of the trap around the driver; -1 without a trap.
  int control_fd() const { return control_fd_; }

  // Readable when there is output for ReadOutput().
  int output_fd() const { return output_fd_; }
  // Does not block. Returns false once the output has ended.
  bool ReadOutput();

  // Waits until the command's process has ended. Returns OK if it exited with
  // status 0. Returns DeadlineExceeded if it still runs after `timeout`.
  absl::Status AwaitEnd(absl::Duration timeout);
  // Closes the runner's end of the commands: the driver reads end of file.
  void CloseChannel();
  // Closes the calling process's copies of the descriptors. To be called in a
  // forked process that does not use this driver.
  void CloseInChild();

  // Describes a failing driver for people: how it ended, if it has, and the end
  // of its output since ForgetOutput().
  std::string Describe();
  void ForgetOutput() { output_.clear(); }

 private:
  pid_t keeper_ = -1;
  std::optional<int> status_;  // as of waitpid(2), once known
  Passing passing_;
  Channel channel_;
  int control_fd_ = -1;
  int output_fd_ = -1;
  int status_fd_ = -1;  // readable when the driver has ended
  int end_fd_ = -1;     // a byte written here ends all
  std::string output_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_PROCESS_H_
