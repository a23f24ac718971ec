#include "fakes/trap/local_select.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fakes/trap/memory_copy.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/process.h"
#include "syscalls/sandbox/proc.h"

namespace net::trap {
namespace {

// The kernel reads and writes whole words (FDS_BYTES in linux/select.h).
constexpr size_t kBits = 8 * sizeof(uint64_t);

size_t WordsFor(int count) {
  return (static_cast<size_t>(count) + kBits - 1) / kBits;
}

uint64_t Bit(int fd) {
  return uint64_t{1} << (static_cast<size_t>(fd) % kBits);
}

size_t Word(int fd) { return static_cast<size_t>(fd) / kBits; }

// Returns the size of the process's table of descriptors. The kernel ignores
// larger numbers in the sets (core_sys_select() in fs/select.c).
int TableSizeOf(const Process& process) {
  int size = 0;
  const std::string field = sandbox::FieldOf(
      absl::StrCat("/proc/", process.pid(), "/status"), "FDSize");
  return absl::SimpleAtoi(field, &size) ? size : 0;
}

uint64_t WordAt(const MemoryCopy& copy, int fd) {
  uint64_t word = 0;
  std::memcpy(&word, copy.bytes.data() + Word(fd) * sizeof(word), sizeof(word));
  return word;
}

void AddBit(MemoryCopy& copy, int fd) {
  const uint64_t word = WordAt(copy, fd) | Bit(fd);
  std::memcpy(copy.bytes.data() + Word(fd) * sizeof(word), &word, sizeof(word));
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
    if (arguments[i + 1] == 0) continue;
    sets_[i].remote = memory.AddCopy(arguments[i + 1],
                                     WordsFor(remote_end) * sizeof(uint64_t));
    if (sets_[i].remote == nullptr) return false;
    for (int fd = 0; fd < remote_end; ++fd) {
      const bool is_in = (WordAt(*sets_[i].remote, fd) & Bit(fd)) != 0;
      if (is_in && !Duplicate(process, fd)) return false;
    }
  }
  for (Set& set : sets_) {
    if (set.remote == nullptr) continue;
    set.local.resize(WordsFor(count_));
    for (const auto& [fd, duplicate] : duplicates_) {
      const bool is_in = (WordAt(*set.remote, fd) & Bit(fd)) != 0;
      if (is_in) set.local[Word(duplicate.get())] |= Bit(duplicate.get());
    }
  }
  return true;
}

bool LocalSelect::WriteOutputs(const MemoryCopies& memory) {
  for (Set& set : sets_) {
    if (set.remote == nullptr) continue;
    std::fill(set.remote->bytes.begin(), set.remote->bytes.end(), '\0');
    for (const auto& [fd, duplicate] : duplicates_) {
      const bool is_ready =
          (set.local[Word(duplicate.get())] & Bit(duplicate.get())) != 0;
      if (is_ready) AddBit(*set.remote, fd);
    }
    if (!memory.Write(set.remote, set.remote->bytes.size())) return false;
  }
  return true;
}

}  // namespace net::trap
