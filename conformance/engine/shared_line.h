#ifndef CONFORMANCE_ENGINE_SHARED_LINE_H_
#define CONFORMANCE_ENGINE_SHARED_LINE_H_

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include "absl/strings/string_view.h"
#include "conformance/suite/checked.h"

namespace net::conformance {

// A line of text in memory that a process shares with the children that it
// forks. The writer may be killed at any point. A reader therefore relies on
// nothing but a size within the capacity.
//
// One thread at a time may write.
class SharedLine {
 public:
  // Longer lines are cut and end with "...".
  static constexpr size_t kWidth = 240;

  void Set(absl::string_view text) {
    constexpr absl::string_view kMore = "...";
    const size_t kept = std::min(text.size(), kWidth);
    const size_t more = text.size() > kWidth ? kMore.size() : 0;
    size_.store(0);
    std::memcpy(text_.data(), text.data(), kept);
    std::memcpy(text_.data() + kept, kMore.data(), more);
    size_.store(kept + more);
  }
  std::string Get() const {
    return std::string(text_.data(), std::min(size_.load(), text_.size()));
  }

 private:
  std::atomic<size_t> size_ = 0;
  std::array<char, kWidth + 3> text_ = {};
};

// A T in memory that this process shares with the children that it forks.
template <typename T>
class SharedMemory {
 public:
  // Throws HarnessError.
  SharedMemory()
      : shared_([] {
          void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
          if (memory == MAP_FAILED) Checked(-1, "mmap");
          return new (memory) T;
        }()) {}
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { munmap(shared_, sizeof(T)); }

  T* operator->() const { return shared_; }
  T& operator*() const { return *shared_; }

 private:
  T* const shared_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_SHARED_LINE_H_
