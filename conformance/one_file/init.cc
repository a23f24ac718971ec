#include "conformance/one_file/init.h"

#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "absl/status/status.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/loopback_interface.h"

namespace net::conformance {

bool IsInit() { return getpid() == 1; }

void PrepareMachine() {
  constexpr mode_t kReadable = 0555;
  if (mkdir("/proc", kReadable) != 0 && errno != EEXIST) {
    std::cerr << ErrnoError(errno, "mkdir /proc").message() << "\n";
  }
  if (mount("proc", "/proc", "proc", 0, nullptr) != 0) {
    std::cerr << ErrnoError(errno, "mount /proc").message() << "\n";
  }
  if (const absl::Status up = sandbox::SetLoopback(true); !up.ok()) {
    std::cerr << up.message() << "\n";
  }
}

void PowerOff() {
  sync();
  if (reboot(RB_POWER_OFF) != 0) {
    std::cerr << ErrnoError(errno, "reboot").message() << "\n";
  }
}

}  // namespace net::conformance
