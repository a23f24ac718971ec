#ifndef FAKES_KERNEL_NULL_DEVICE_H_
#define FAKES_KERNEL_NULL_DEVICE_H_

#include <sys/uio.h>

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "fakes/kernel/file.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// The file /dev/null (null(4)), opened for reading and writing: reads return
// end-of-file, writes discard the data. It never blocks.
//
// It does not count towards fs.file-max, because a process inherits it open.
class NullDevice final : public File {
 public:
  NullDevice();

  // Includes O_LARGEFILE, which open(2) adds on 64-bit Linux.
  int status_flags() const override;
  int16_t PollEvents() override;
  bool has_poll() const override { return false; }
  bool has_positions() const override { return true; }
  SysResult Read(const Caller& caller, absl::Span<const iovec> parts) override;
  SysResult Write(const Caller& caller, absl::Span<const iovec> parts) override;
  SysResult Ioctl(uint64_t request, int* value) override;
  std::string Describe() const override { return "/dev/null"; }

 protected:
  void OnLastClose(const Caller& caller) override;

 private:
  ~NullDevice() override = default;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_NULL_DEVICE_H_
