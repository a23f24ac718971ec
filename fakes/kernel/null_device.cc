#include "fakes/kernel/null_device.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>

#include "absl/types/span.h"
#include "fakes/kernel/iovec_cursor.h"
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

SysResult NullDevice::Read(const Caller&, absl::Span<const iovec>) {
  return SysResult::Ok();
}

SysResult NullDevice::Write(const Caller&, absl::Span<const iovec> parts) {
  return SysResult::Ok(static_cast<int64_t>(IovecCursor(parts).total()));
}

SysResult NullDevice::Ioctl(uint64_t, int*) { return SysResult::Error(ENOTTY); }

void NullDevice::OnLastClose(const Caller&) { delete this; }

}  // namespace net::fake
