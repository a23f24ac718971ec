#ifndef FAKES_EXPLORER_CALL_MEMORY_H_
#define FAKES_EXPLORER_CALL_MEMORY_H_

#include <cstdint>

#include "fakes/invocation.h"

// The memory that the arguments of a call point to.

namespace net {

// Returns a digest of the arguments. Pointers do not count, but what calls read
// through them does.
uint64_t DigestOf(const Invocation& invocation);

// Fills what the call would have filled in with CallMonitor::kPoison. Leaves
// the sets of poll(2) and select(2) alone: the calls leave them as they are if
// they fail, and a retry uses them.
void PoisonOutParameters(Invocation& invocation);

}  // namespace net

#endif  // FAKES_EXPLORER_CALL_MEMORY_H_
