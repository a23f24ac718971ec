#ifndef FAKES_PRELOAD_SYSCALL_STACK_H_
#define FAKES_PRELOAD_SYSCALL_STACK_H_

#include <fstream>
#include <list>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/options.h"
#include "fakes/preload/placeholders.h"
#include "fakes/tracing_syscalls.h"
#include "syscalls/syscalls.h"

// A FakeKernel and its processes as the options of on_fake_kernel ask for them.

namespace net::preload {

FakeKernelOptions KernelOptionsOf(const Options& options);

// Sets the links of the options.
void SetLinks(const Options& options, FakeKernel& kernel);

// Returns the options of a process of the calling user.
FakeProcessOptions ProcessOptionsFor(absl::string_view name);

// Where the trace is written. Thread-safety: that of a sink of TracingSyscalls.
class TraceFile {
 public:
  // Opens the file of Options::trace, unless that is "". Fails with the errno
  // of open(2).
  absl::Status Open(const std::string& path);
  void Close() { file_.close(); }
  bool is_open() const { return is_open_; }
  void Write(absl::string_view line);

 private:
  bool is_open_ = false;
  std::ofstream file_;  // Not open: standard error.
};

// What stands in front of a FakeProcess: its placeholders, the faults of the
// plan, and the trace. The arguments must outlive it.
class SyscallStack {
 public:
  // If `name` is not empty, the lines of the trace begin with it.
  SyscallStack(FakeKernel& kernel, FakeProcess& process,
               NativeDescriptors& natives, const Options& options,
               TraceFile& trace, absl::string_view name);
  SyscallStack(const SyscallStack&) = delete;
  SyscallStack& operator=(const SyscallStack&) = delete;
  ~SyscallStack() = default;

  Syscalls& top() { return *top_; }

  // The process has other native descriptors from now on.
  void MoveTo(NativeDescriptors& natives) { placeholders_.MoveTo(natives); }

  // Lets the lines of the trace begin with another name, from the next call on.
  void Rename(absl::string_view name);

 private:
  Placeholders placeholders_;
  Syscalls* below_trace_;
  Syscalls* top_;
  TraceFile& file_;
  std::optional<FaultInjector> faults_;
  std::list<TracingSyscalls> traces_;  // The last one is in use.
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SYSCALL_STACK_H_
