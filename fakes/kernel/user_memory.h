#ifndef FAKES_KERNEL_USER_MEMORY_H_
#define FAKES_KERNEL_USER_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace net::fake {

// The boundary between a program's memory and the kernel's. A kernel finds out
// by a page fault that a pointer is bad, and answers EFAULT. A kernel that is a
// library goes by the number: an address below vm.mmap_min_addr (65536 on
// Linux) or beyond user space is bad. A pointer into memory that is merely not
// mapped is beyond it, and crashes the program that passed it.
//
// As in Linux, no byte at all is at a good address wherever it points: a copy
// of 0 bytes succeeds.

inline constexpr uintptr_t kFirstUserAddress = 65536;
#if defined(__x86_64__)
// 47 bits, and no last page (Documentation/arch/x86/x86_64/mm.rst).
inline constexpr uintptr_t kEndOfUserAddresses = 0x7ffffffff000;
#else
inline constexpr uintptr_t kEndOfUserAddresses = uintptr_t{1} << 48;
#endif

// Whether `size` bytes at `address` may lie in a program's memory.
inline bool IsUserAddress(const void* address, size_t size = 1) {
  const auto first = reinterpret_cast<uintptr_t>(address);
  if (size == 0) return true;
  return first >= kFirstUserAddress && first < kEndOfUserAddresses &&
         size <= kEndOfUserAddresses - first;
}

// Copies from or to a program's memory. False is EFAULT, with nothing copied.
// (Linux may have copied a part, up to the page that faulted.)
[[nodiscard]] inline bool CopyIn(void* to, const void* user, size_t size) {
  if (!IsUserAddress(user, size)) return false;
  if (size > 0) std::memcpy(to, user, size);
  return true;
}

[[nodiscard]] inline bool CopyOut(void* user, const void* from, size_t size) {
  if (!IsUserAddress(user, size)) return false;
  if (size > 0) std::memcpy(user, from, size);
  return true;
}

}  // namespace net::fake

#endif  // FAKES_KERNEL_USER_MEMORY_H_
