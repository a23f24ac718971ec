#ifndef FAKES_KERNEL_DESCRIPTOR_TABLE_H_
#define FAKES_KERNEL_DESCRIPTOR_TABLE_H_

#include <cstdint>
#include <vector>

#include "fakes/kernel/file.h"

namespace net::fake {

// The descriptors of one process. Guarded by the kernel's mutex.
class DescriptorTable {
 public:
  // RLIMIT_NOFILE (getrlimit(2)): descriptors are below it.
  explicit DescriptorTable(int limit) : limit_(limit) {}
  DescriptorTable(const DescriptorTable&) = delete;
  DescriptorTable& operator=(const DescriptorTable&) = delete;
  // Drops the references without closing the files.
  ~DescriptorTable() = default;

  int limit() const { return limit_; }
  // Lowering it leaves open ones as they are.
  void set_limit(int limit) { limit_ = limit; }

  // Null: not open (EBADF).
  File* Get(int fd) const {
    return IsOpen(fd) ? entries_[static_cast<size_t>(fd)].file : nullptr;
  }
  bool close_on_exec(int fd) const {
    return entries_[static_cast<size_t>(fd)].close_on_exec;
  }
  void set_close_on_exec(int fd, bool on) {
    entries_[static_cast<size_t>(fd)].close_on_exec = on;
  }

  // The lowest free number that is `lowest` or above; -1: there is none below
  // the limit (EMFILE).
  int LowestFree(int lowest = 0) const;
  // Gives a free number to `file`, and a reference.
  void Set(int fd, File& file, bool close_on_exec);
  // Frees a number. The caller gets the reference.
  File* Remove(int fd);

  // The open ones, in order.
  std::vector<int> Open() const;
  // Opens in `child` what is open here (fork(2)).
  void CopyTo(DescriptorTable& child) const;

 private:
  struct Entry {
    File* file = nullptr;
    bool close_on_exec = false;
  };

  bool IsOpen(int fd) const {
    return fd >= 0 && static_cast<size_t>(fd) < entries_.size() &&
           entries_[static_cast<size_t>(fd)].file != nullptr;
  }
  int limit_;
  std::vector<Entry> entries_;
  std::vector<uint64_t> open_;  // a bit for each entry
  int lowest_free_ = 0;         // none below it is free
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_DESCRIPTOR_TABLE_H_
