#ifndef TCP_ALLOCATION_COUNT_H_
#define TCP_ALLOCATION_COUNT_H_

#include "absl/base/config.h"

namespace net {

// Whether malloc(3) is counted, and not only operator new. Under a sanitizer it
// is not: the sanitizers replace malloc themselves, and theirs must stay.
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
inline constexpr bool kMallocIsCounted = false;
#else
inline constexpr bool kMallocIsCounted = true;
#endif

// Returns how many allocations the calling thread has made since it started.
// Linking allocation_count.cc replaces operator new and malloc(3) of the
// program.
int AllocationCount();

}  // namespace net

#endif  // TCP_ALLOCATION_COUNT_H_
