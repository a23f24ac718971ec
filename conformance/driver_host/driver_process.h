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

// A driver that runs: a process, with others if it starts some, none of which
// outlives the thread that has made this, or this. See KeepDriver().
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

  // The processes that the command has become and started: those of all that
  // have not ended.
  std::vector<pid_t> Processes() const;
  Channel channel() const { return channel_; }

  // Readable when it has printed something, which ReadOutput() then takes.
  int output_fd() const { return output_fd_; }
  // Does not wait. False once there will be no more.
  bool ReadOutput();

  // Waits until the command's process has ended. OK if with status 0;
  // DeadlineExceeded if it goes on.
  absl::Status AwaitEnd(absl::Duration patience);
  // The end of what it can read.
  void CloseChannel();
  // For a forked process that has nothing to do with it: closes its copies of
  // the descriptors.
  void CloseInChild();

  // For people, once it does not do what it should: how it ended, if it has,
  // and the end of what it has printed since ForgetOutput().
  std::string Describe();
  void ForgetOutput() { output_.clear(); }

 private:
  pid_t keeper_ = -1;
  std::optional<int> status_;  // as of waitpid(2), once known
  Passing passing_;
  Channel channel_;
  int output_fd_ = -1;
  int status_fd_ = -1;  // readable when the driver has ended
  int end_fd_ = -1;     // a byte written here ends all
  std::string output_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_DRIVER_PROCESS_H_
