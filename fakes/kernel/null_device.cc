#include "fakes/kernel/null_device.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// The kernel's value (asm-generic/fcntl.h). glibc defines it as 0 for 64-bit
// programs.
constexpr int kLargeFile = 0100000;

}  // namespace

NullDevice::NullDevice() : File(O_RDWR) {}

int NullDevice::status_flags() const {
  return File::status_flags() | kLargeFile;
}

int16_t NullDevice::PollEvents() {
  return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
}

SysResult NullDevice::Read(const Caller&, char*, size_t) {
  return SysResult::Ok();
}

SysResult NullDevice::Write(const Caller&, const char*, size_t size) {
  return SysResult::Ok(static_cast<int64_t>(size));
}

SysResult NullDevice::Ioctl(uint64_t, int*) { return SysResult::Error(ENOTTY); }

void NullDevice::OnLastClose(const Caller&) { delete this; }

}  // namespace net::fake
