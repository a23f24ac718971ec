#include "syscalls/testing/allocation_count.h"

#include <cstddef>
#include <cstdlib>
#include <new>

// These functions are in a file without callers. In a file with callers, an
// optimizing compiler inlines operator new but not operator delete, and g++
// then warns that malloc(3) is paired with delete (-Wmismatched-new-delete).
// The compiler may also remove a pair of new and delete.

namespace {

thread_local int allocations = 0;

}  // namespace

#if !defined(ABSL_HAVE_ADDRESS_SANITIZER) && \
    !defined(ABSL_HAVE_MEMORY_SANITIZER) &&  \
    !defined(ABSL_HAVE_THREAD_SANITIZER)
// glibc exports its own functions under these names for programs that replace
// malloc(3).
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);

void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
#endif

void* operator new(size_t size) {
  ++allocations;
  // operator new must return at least one byte.
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace net {

int AllocationCount() { return allocations; }

}  // namespace net
