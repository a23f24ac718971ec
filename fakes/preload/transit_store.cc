#include "fakes/preload/transit_store.h"

#include <algorithm>
#include <cstdint>

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/machine.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"

namespace net::preload {

FakeProcess& TransitStore::process() {
  if (process_ == nullptr) {
    process_ = &kernel_.NewProcess({.name = "SCM_RIGHTS",
                                    .nofile_limit = 1 << 20,
                                    .standard_descriptors = false});
  }
  return *process_;
}

int TransitStore::Hold(const FakeProcess& from, int fd, uint64_t inode) {
  const fake::KernelSection section;
  const MutexLock lock(mutex_);
  const SysResult held = process().DuplicateFrom(from, fd, /*number=*/-1,
                                                 /*close_on_exec=*/false);
  if (!held.ok()) return -1;
  held_.push_back({.number = held.fd(), .inode = inode});
  return held.fd();
}

int TransitStore::Find(uint64_t inode) {
  const fake::KernelSection section;
  const MutexLock lock(mutex_);
  for (const Held& one : held_) {
    if (one.inode == inode) return one.number;
  }
  return -1;
}

void TransitStore::Install(int held, FakeProcess& to, int fd,
                           bool close_on_exec) {
  const fake::KernelSection section;
  const MutexLock lock(mutex_);
  static_cast<void>(to.DuplicateFrom(process(), held, fd, close_on_exec));
  Remove(held);
}

void TransitStore::Discard(int held) {
  const fake::KernelSection section;
  const MutexLock lock(mutex_);
  Remove(held);
}

void TransitStore::Remove(int held) {
  std::erase_if(held_, [&](const Held& one) { return one.number == held; });
  static_cast<void>(process().Close(held));
}

Transit::Position LocalTransit::PositionOf(int fd) {
  const FakeProcess::StreamPosition position = process_.PositionOf(fd);
  return {.written = position.written, .read = position.read};
}

}  // namespace net::preload
