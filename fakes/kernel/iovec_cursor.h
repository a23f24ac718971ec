#ifndef FAKES_KERNEL_IOVEC_CURSOR_H_
#define FAKES_KERNEL_IOVEC_CURSOR_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>

#include "absl/types/span.h"
#include "fakes/kernel/user_memory.h"

namespace net::fake {

// Iterates once over the buffers that a program has passed to a call. There may
// be several (readv(2)), and each may be empty or invalid.
class IovecCursor {
 public:
  explicit IovecCursor(absl::Span<const iovec> parts) : parts_(parts) {
    for (const iovec& part : parts) total_ += part.iov_len;
  }

  size_t total() const { return total_; }

  // Returns the next piece, of at most `most` bytes, and its size. Requires
  // that some bytes are left. Returns null if its address is invalid (EFAULT).
  char* Next(size_t most, size_t* size) {
    while (parts_[index_].iov_len == offset_) {
      ++index_;
      offset_ = 0;
    }
    *size = std::min(most, parts_[index_].iov_len - offset_);
    char* const piece = static_cast<char*>(parts_[index_].iov_base) + offset_;
    if (!IsUserAddress(piece, *size)) return nullptr;
    offset_ += *size;
    return piece;
  }

 private:
  const absl::Span<const iovec> parts_;
  size_t total_ = 0;
  size_t index_ = 0;
  size_t offset_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_IOVEC_CURSOR_H_
