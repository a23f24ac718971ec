#include "fakes/trap/process.h"

#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "syscalls/sandbox/proc.h"

namespace net::trap {
namespace {

iovec Local(void* address, size_t size) {
  return {.iov_base = address, .iov_len = size};
}

iovec Remote(uint64_t address, size_t size) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of another process
  return {.iov_base = reinterpret_cast<void*>(address), .iov_len = size};
}

uint64_t SignalSet(const std::string& path, const char* name) {
  uint64_t set = 0;
  return absl::SimpleHexAtoi(sandbox::FieldOf(path, name), &set) ? set : 0;
}

}  // namespace

bool ReadMemory(pid_t thread, uint64_t address, void* to, size_t size) {
  const iovec local = Local(to, size);
  const iovec remote = Remote(address, size);
  const ssize_t copied = process_vm_readv(thread, &local, 1, &remote, 1, 0);
  return copied == static_cast<ssize_t>(size);
}

bool WriteMemory(pid_t thread, uint64_t address, const void* from,
                 size_t size) {
  const iovec local = Local(const_cast<void*>(from), size);
  const iovec remote = Remote(address, size);
  const ssize_t copied = process_vm_writev(thread, &local, 1, &remote, 1, 0);
  return copied == static_cast<ssize_t>(size);
}

bool HasPendingSignal(pid_t thread) {
  const std::string path = absl::StrCat("/proc/", thread, "/status");
  const uint64_t pending =
      SignalSet(path, "SigPnd") | SignalSet(path, "ShdPnd");
  return pending != 0 && (pending & ~SignalSet(path, "SigBlk")) != 0;
}

int Process::Duplicate(int fd) const {
  const auto duplicate =
      static_cast<int>(syscall(SYS_pidfd_getfd, pidfd_.get(), fd, /*flags=*/0));
  return duplicate < 0 ? -errno : duplicate;
}

std::vector<int> Process::Descriptors() const {
  return sandbox::ListNumbers(absl::StrCat("/proc/", pid_, "/fd"))
      .value_or(std::vector<int>());
}

std::shared_ptr<const Process> Processes::Of(pid_t thread) {
  const auto found = by_thread_.find(thread);
  if (found != by_thread_.end()) return found->second;
  // The number of a process is that of its first thread.
  pid_t pid = 0;
  const std::string group =
      sandbox::FieldOf(absl::StrCat("/proc/", thread, "/status"), "Tgid");
  if (!absl::SimpleAtoi(group, &pid)) return nullptr;
  std::shared_ptr<const Process>& process = by_thread_[thread];
  const auto first = by_thread_.find(pid);
  if (first != by_thread_.end() && first->second != nullptr) {
    process = first->second;
    return process;
  }
  OwnedFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.ok()) {
    by_thread_.erase(thread);
    return nullptr;
  }
  process = std::make_shared<const Process>(pid, std::move(pidfd));
  by_thread_[pid] = process;
  return process;
}

std::vector<std::shared_ptr<const Process>> Processes::All() const {
  std::vector<std::shared_ptr<const Process>> all;
  for (const auto& [thread, process] : by_thread_) {
    if (std::find(all.begin(), all.end(), process) == all.end()) {
      all.push_back(process);
    }
  }
  return all;
}

}  // namespace net::trap
