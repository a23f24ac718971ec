#ifndef FAKES_KERNEL_DESCRIPTOR_TABLE_H_
#define FAKES_KERNEL_DESCRIPTOR_TABLE_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "fakes/kernel/file.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// The descriptors of one process. Guarded by the kernel's mutex.
class DescriptorTable {
 public:
  // `limit` is RLIMIT_NOFILE (getrlimit(2)): new descriptors are below it.
  // `lowest` is where the search for a free number begins.
  explicit DescriptorTable(int limit, int lowest = 0)
      : limit_(limit), lowest_(lowest), lowest_free_(lowest) {}
  DescriptorTable(const DescriptorTable&) = delete;
  DescriptorTable& operator=(const DescriptorTable&) = delete;
  // Drops the references without closing the files.
  ~DescriptorTable() = default;

  int limit() const { return limit_; }
  int lowest() const { return lowest_; }
  // Open descriptors at or above a lower limit stay open.
  void set_limit(int limit) { limit_ = limit; }

  // Returns the file of a descriptor, or null if it is not open (EBADF).
  File* Get(int fd) const {
    return IsOpen(fd) ? entries_[static_cast<size_t>(fd)].file : nullptr;
  }
  // Returns the socket of a descriptor. If there is none, returns null and sets
  // `error` to EBADF or ENOTSOCK.
  Socket* GetSocket(int fd, SysResult* error) const {
    File* const file = Get(fd);
    Socket* const socket = file == nullptr ? nullptr : file->AsSocket();
    if (socket == nullptr) {
      *error = SysResult::Error(file == nullptr ? EBADF : ENOTSOCK);
    }
    return socket;
  }
  bool close_on_exec(int fd) const {
    return entries_[static_cast<size_t>(fd)].close_on_exec;
  }
  void set_close_on_exec(int fd, bool on) {
    entries_[static_cast<size_t>(fd)].close_on_exec = on;
  }

  // Returns the lowest free number >= `lowest`, or -1 if no number is free
  // below the limit (EMFILE).
  int LowestFree(int lowest = 0) const {
    // Usually the number after those that are open.
    const int fd = std::max(lowest, lowest_free_);
    if (fd < limit_ && !IsTaken(fd)) return fd;
    return NextFree(fd);
  }
  // Takes the lowest free number without opening it, as Linux does at the start
  // of accept4(2). Returns -1 if none is free below the limit (EMFILE).
  int Reserve();
  // Frees a reserved number.
  void Release(int fd) {
    const auto index = static_cast<size_t>(fd);
    open_[index / kBits] &= ~(uint64_t{1} << index % kBits);
    if (fd >= lowest_) lowest_free_ = std::min(lowest_free_, fd);
  }
  bool IsReserved(int fd) const;
  // Opens the free or reserved number `fd` for `file` and takes a reference.
  void Set(int fd, File& file, bool close_on_exec) {
    Occupy(fd);
    file.Ref();
    entries_[static_cast<size_t>(fd)] = {.file = &file,
                                         .close_on_exec = close_on_exec};
  }
  // Does the same for a descriptor that is open when the process starts.
  void SetInitial(int fd, File& file);
  // Frees a number. The caller takes over the reference.
  File* Remove(int fd) {
    Release(fd);
    return std::exchange(entries_[static_cast<size_t>(fd)].file, nullptr);
  }

  // Return the open descriptors in ascending order: all of them, or all but
  // the initial ones that have not been closed or replaced.
  std::vector<int> Open() const;
  std::vector<int> OpenedByProcess() const;
  // Opens in `child` all descriptors that are open here (fork(2)).
  void CopyTo(DescriptorTable& child) const;

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  struct Entry {
    File* file = nullptr;
    bool close_on_exec = false;
    bool initial = false;
  };

  bool IsOpen(int fd) const {
    return fd >= 0 && static_cast<size_t>(fd) < entries_.size() &&
           entries_[static_cast<size_t>(fd)].file != nullptr;
  }
  static constexpr size_t kBits = 64;

  // Whether the number is open or reserved.
  bool IsTaken(int fd) const {
    const auto index = static_cast<size_t>(fd);
    return index / kBits < open_.size() &&
           (open_[index / kBits] >> index % kBits & 1) != 0;
  }
  // Returns the lowest free number from `from` on, or -1.
  int NextFree(int from) const;
  // Makes room for the number and marks it as not free.
  void Occupy(int fd) {
    const auto index = static_cast<size_t>(fd);
    if (index >= entries_.size()) Grow(index);
    open_[index / kBits] |= uint64_t{1} << index % kBits;
    if (fd == lowest_free_) lowest_free_ = fd + 1;
  }
  void Grow(size_t index);

  int limit_;
  const int lowest_;
  std::vector<Entry> entries_;
  std::vector<uint64_t> open_;  // One bit for each entry, or reserved number.
  int lowest_free_;             // No number from lowest_ to below it is free.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_DESCRIPTOR_TABLE_H_
