#include "fakes/trap/local_select.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fakes/fd_sets.h"
#include "fakes/trap/memory_copy.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/process.h"
#include "syscalls/sandbox/proc.h"

namespace net::trap {
namespace {

// Returns the size of the process's table of descriptors. The kernel ignores
// larger numbers in the sets (core_sys_select() in fs/select.c).
int TableSizeOf(const Process& process) {
  int size = 0;
  const std::string field = sandbox::FieldOf(
      absl::StrCat("/proc/", process.pid(), "/status"), "FDSize");
  return absl::SimpleAtoi(field, &size) ? size : 0;
}

}  // namespace

bool LocalSelect::Duplicate(const Process& process, int fd) {
  if (duplicates_.contains(fd)) return true;
  const int duplicate = process.Duplicate(fd);
  if (duplicate == -EBADF) {
    has_bad_descriptor_ = true;
    return true;
  }
  if (duplicate < 0) return false;
  count_ = std::max(count_, duplicate + 1);
  duplicates_.emplace(fd, OwnedFd(duplicate));
  return true;
}

bool LocalSelect::Prepare(MemoryCopies& memory, const Process& process,
                          const std::array<uint64_t, 6>& arguments) {
  const auto remote_count = static_cast<int>(arguments[0]);
  if (remote_count < 0) {  // EINVAL
    count_ = remote_count;
    return true;
  }
  const int remote_end = std::min(remote_count, TableSizeOf(process));
  for (size_t i = 0; i < sets_.size(); ++i) {
    Set& set = sets_[i];
    if (arguments[i + 1] == 0) continue;
    set.wanted = FdBits(remote_end);
    set.remote = memory.AddCopy(arguments[i + 1], set.wanted.bytes());
    if (set.remote == nullptr) return false;
    std::copy(set.remote->bytes.begin(), set.remote->bytes.end(),
              static_cast<char*>(set.wanted.data()));
    for (int fd = 0; fd < remote_end; ++fd) {
      if (set.wanted.contains(fd) && !Duplicate(process, fd)) return false;
    }
  }
  for (Set& set : sets_) {
    if (set.remote == nullptr) continue;
    set.local = FdBits(count_);
    for (const auto& [fd, duplicate] : duplicates_) {
      if (set.wanted.contains(fd)) set.local.Add(duplicate.get());
    }
  }
  return true;
}

bool LocalSelect::WriteOutputs(const MemoryCopies& memory) {
  for (const Set& set : sets_) {
    if (set.remote == nullptr) continue;
    FdBits ready = set.wanted;
    ready.Cut(0);
    for (const auto& [fd, duplicate] : duplicates_) {
      if (set.local.contains(duplicate.get())) ready.Add(fd);
    }
    const auto* const bytes = static_cast<const char*>(ready.data());
    std::copy(bytes, bytes + ready.bytes(), set.remote->bytes.begin());
    if (!memory.Write(set.remote, ready.bytes())) return false;
  }
  return true;
}

}  // namespace net::trap
