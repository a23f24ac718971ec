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

  // Returns whether the next `size` bytes have valid addresses. Requires that
  // so many are left.
  bool IsValidFor(size_t size) const {
    IovecCursor ahead = *this;
    while (size > 0) {
      size_t piece = 0;
      if (ahead.Next(size, &piece) == nullptr) return false;
      size -= piece;
    }
    return true;
  }

  // Copies `size` bytes to the program. Returns how many: fewer if the next
  // address is invalid. Requires that there is room for all.
  size_t CopyOut(const void* from, size_t size) {
    const auto* const bytes = static_cast<const char*>(from);
    size_t copied = 0;
    while (copied < size) {
      size_t piece = 0;
      char* const to = Next(size - copied, &piece);
      if (to == nullptr || !fake::CopyOut(to, bytes + copied, piece)) break;
      copied += piece;
    }
    return copied;
  }

 private:
  const absl::Span<const iovec> parts_;
  size_t total_ = 0;
  size_t index_ = 0;
  size_t offset_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_IOVEC_CURSOR_H_
