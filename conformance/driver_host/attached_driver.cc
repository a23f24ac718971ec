#include "conformance/driver_host/attached_driver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/suite/checked.h"

namespace net::conformance {

AttachedDriver::AttachedDriver(const DriverCommand& command,
                               const std::string& folder)
    : commands_(absl::StrCat(folder, "/commands")),
      answers_(absl::StrCat(folder, "/answers")) {
  for (const std::string& fifo : {commands_, answers_}) {
    // An earlier run may have left one.
    unlink(fifo.c_str());
    Checked(mkfifo(fifo.c_str(), 0600), fifo);
  }
  std::cerr << "start the driver, and put its debugger between the settings "
               "and its command if you like:\n  "
            << DriverProcess::CommandToType(command, commands_, answers_)
            << std::endl;
  // Each open(2) blocks until the other side opens the FIFO. This order is the
  // one in which sh(1) opens them.
  channel_.write_fd =
      CheckedFd(open(commands_.c_str(), O_WRONLY | O_CLOEXEC), commands_);
  channel_.read_fd =
      CheckedFd(open(answers_.c_str(), O_RDONLY | O_CLOEXEC), answers_);
}

AttachedDriver::~AttachedDriver() {
  close(channel_.write_fd);
  close(channel_.read_fd);
  unlink(commands_.c_str());
  unlink(answers_.c_str());
}

}  // namespace net::conformance
