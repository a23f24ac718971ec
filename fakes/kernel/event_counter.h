#ifndef FAKES_KERNEL_EVENT_COUNTER_H_
#define FAKES_KERNEL_EVENT_COUNTER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "fakes/kernel/file.h"
#include "syscalls/sys_result.h"

namespace net::fake {

struct Kernel;

// The file of an eventfd(2).
class EventCounter final : public File {
 public:
  EventCounter(Kernel& kernel, uint64_t initial, bool semaphore);

  int16_t PollEvents() override;
  SysResult Read(const Caller& caller, char* data, size_t size) override;
  SysResult Write(const Caller& caller, const char* data, size_t size) override;
  SysResult Ioctl(uint64_t request, int* value) override;
  std::string Describe() const override { return "eventfd"; }

 protected:
  void OnLastClose(const Caller& caller) override;

 private:
  Kernel& kernel_;
  uint64_t count_;
  const bool semaphore_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_EVENT_COUNTER_H_
