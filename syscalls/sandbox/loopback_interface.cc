#include "syscalls/sandbox/loopback_interface.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "syscalls/errors/error.h"

namespace net::sandbox {

absl::Status SetLoopback(bool up) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return ErrnoError(errno, "socket for interface flags");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  ifreq request = {};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) {
    return ErrnoError(errno, "SIOCGIFFLAGS lo");
  }
  const int flags =
      up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
  request.ifr_flags = static_cast<int16_t>(flags);
  if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) {
    return ErrnoError(errno, "SIOCSIFFLAGS lo");
  }
  return absl::OkStatus();
}

}  // namespace net::sandbox
