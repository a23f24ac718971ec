#include "fakes/preload/libc_process.h"

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/placeholders.h"
#include "syscalls/syscalls.h"

namespace net {

LibcProcess::LibcProcess(FakeKernel& kernel, const FakeProcessOptions& options)
    : process_(kernel.NewProcess(preload::Placeholders::Behind(options))),
      machine_(kernel),
      placeholders_(kernel, process_, preload::OwnDescriptors()) {}

LibcProcess::~LibcProcess() {
  for (const int fd : process_.AllDescriptors()) {
    preload::OwnDescriptors().Close(fd);
  }
  process_.Exit();
}

LibcProcess::Scope::Scope(LibcProcess& process, Syscalls& front)
    : world_({.sys = &front, .machine = &process.machine_}),
      of_thread_(&world_) {}

}  // namespace net
