#ifndef FAKES_KERNEL_USER_MEMORY_H_
#define FAKES_KERNEL_USER_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fakes/kernel/race_detector.h"

namespace net::fake {

// The boundary between a program's memory and the kernel's. Linux detects an
// invalid pointer by a page fault and returns EFAULT. The FakeKernel, a
// library, checks the address only: it is invalid below vm.mmap_min_addr (65536
// on Linux) or beyond user space. Any other pointer to unmapped memory crashes
// the program.
//
// As in Linux, a copy of 0 bytes succeeds at any address.

inline constexpr uintptr_t kFirstUserAddress = 65536;
#if defined(__x86_64__)
// 47 bits without the last page (Documentation/arch/x86/x86_64/mm.rst).
inline constexpr uintptr_t kEndOfUserAddresses = 0x7ffffffff000;
#else
inline constexpr uintptr_t kEndOfUserAddresses = uintptr_t{1} << 48;
#endif

// Returns whether `size` bytes at `address` can be in a program's memory.
inline bool IsUserAddress(const void* address, size_t size = 1) {
  const auto first = reinterpret_cast<uintptr_t>(address);
  if (size == 0) return true;
  return first >= kFirstUserAddress && first < kEndOfUserAddresses &&
         size <= kEndOfUserAddresses - first;
}

// Returns whether read(2) and write(2) accept a buffer before they use the
// file. Linux checks only that the buffer ends in user space (access_ok()),
// whatever its size.
inline bool IsInUserSpace(const void* address, size_t size) {
  const auto first = reinterpret_cast<uintptr_t>(address);
  return first <= kEndOfUserAddresses && size <= kEndOfUserAddresses - first;
}

// Copy from or to a program's memory. Return false for EFAULT, with nothing
// copied. (Linux may have copied the bytes before the page that faulted.)
[[nodiscard]] inline bool CopyIn(void* to, const void* user, size_t size) {
  if (!IsUserAddress(user, size)) return false;
  ShowRead(user, size);
  if (size > 0) std::memcpy(to, user, size);
  return true;
}

[[nodiscard]] inline bool CopyOut(void* user, const void* from, size_t size) {
  if (!IsUserAddress(user, size)) return false;
  ShowWrite(user, size);
  if (size > 0) std::memcpy(user, from, size);
  return true;
}

}  // namespace net::fake

#endif  // FAKES_KERNEL_USER_MEMORY_H_
