#ifndef FAKES_TRAP_MEMORY_COPY_H_
#define FAKES_TRAP_MEMORY_COPY_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace net::trap {

// Memory of the target and its copy in this process.
struct MemoryCopy {
  uint64_t address = 0;     // in the target
  std::vector<char> bytes;  // in this process
};

// The copies for one call.
class MemoryCopies {
 public:
  // `thread` makes the call.
  explicit MemoryCopies(pid_t thread) : thread_(thread) {}
  MemoryCopies(const MemoryCopies&) = delete;
  MemoryCopies& operator=(const MemoryCopies&) = delete;
  ~MemoryCopies() = default;

  pid_t thread() const { return thread_; }

  // Add a copy of `size` bytes of the target's memory, or room for as many.
  // Return null if the copies of one call would exceed 64 MiB, or if the
  // target's memory cannot be read. The copy lives as long as this object.
  MemoryCopy* AddCopy(uint64_t address, size_t size);
  MemoryCopy* AddRoom(uint64_t address, size_t size);

  // Writes the first `size` bytes of a copy, or all if it has fewer, to the
  // target. Does nothing if `copy` is null. Returns false for EFAULT.
  bool Write(const MemoryCopy* copy, size_t size) const;

 private:
  const pid_t thread_;
  size_t total_ = 0;
  std::vector<std::unique_ptr<MemoryCopy>> copies_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_MEMORY_COPY_H_
