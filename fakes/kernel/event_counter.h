#ifndef FAKES_KERNEL_EVENT_COUNTER_H_
#define FAKES_KERNEL_EVENT_COUNTER_H_

#include <sys/uio.h>

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "fakes/kernel/file.h"
#include "syscalls/sys_result.h"

namespace net::fake {

struct Kernel;

// The file of an eventfd(2).
class EventCounter final : public File {
 public:
  EventCounter(Kernel& kernel, uint64_t initial, bool semaphore);

  int16_t PollEvents() override;
  SysResult Read(const Caller& caller, absl::Span<const iovec> parts) override;
  // Writes one number for each buffer, as Linux does.
  SysResult Write(const Caller& caller, absl::Span<const iovec> parts) override;
  SysResult Ioctl(uint64_t request, int* value) override;
  std::string Describe() const override { return "eventfd"; }

 protected:
  void OnLastClose(const Caller& caller) override;

 private:
  SysResult WriteOne(const Caller& caller, const iovec& part);

  Kernel& kernel_;
  uint64_t count_;
  const bool semaphore_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_EVENT_COUNTER_H_
