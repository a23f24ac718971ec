#ifndef SYSCALLS_TESTING_ALLOCATION_COUNT_H_
#define SYSCALLS_TESTING_ALLOCATION_COUNT_H_

#include "absl/base/config.h"

namespace net {

// True if AllocationCount() includes malloc(3), calloc(3) and realloc(3). False
// if it includes only operator new: under the sanitizers, which need their own
// malloc(3).
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
inline constexpr bool kMallocIsCounted = false;
#else
inline constexpr bool kMallocIsCounted = true;
#endif

// Returns the number of allocations that the calling thread has made since it
// started. Linking allocation_count.cc replaces the program's operator new and
// malloc(3).
int AllocationCount();

}  // namespace net

#endif  // SYSCALLS_TESTING_ALLOCATION_COUNT_H_
