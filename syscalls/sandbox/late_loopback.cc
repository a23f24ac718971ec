#include "syscalls/sandbox/late_loopback.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/delivery.h"

namespace net::sandbox {
namespace {

constexpr char kSteering[] = "/sys/class/net/lo/queues/rx-0/rps_cpus";

// Mounts a sysfs that shows this process's network, where no other process sees
// it.
absl::Status MountSysfs() {
  if (unshare(CLONE_NEWNS) != 0) return ErrnoError(errno, "unshare");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return ErrnoError(errno, "mount /");
  }
  if (mount("sysfs", "/sys", "sysfs", 0, nullptr) != 0) {
    return ErrnoError(errno, "mount /sys");
  }
  return absl::OkStatus();
}

absl::Status WriteSteering(uint32_t processors) {
  const int file = open(kSteering, O_WRONLY | O_CLOEXEC);
  if (file < 0) return ErrnoError(errno, kSteering);
  const absl::Cleanup close_file = [file] { close(file); };
  const std::string text = absl::StrCat(absl::Hex(processors));
  if (write(file, text.data(), text.size()) < 0) {
    return ErrnoError(errno, kSteering);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DeliverOnAnotherProcessor() {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
    return absl::FailedPreconditionError("there is no second processor");
  }
  if (absl::Status mounted = MountSysfs(); !mounted.ok()) return mounted;
  StayOnThisProcessor();
  const int other = sched_getcpu() == 0 ? 1 : 0;
  return WriteSteering(uint32_t{1} << other);
}

}  // namespace net::sandbox
