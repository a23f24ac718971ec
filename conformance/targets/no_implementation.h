#ifndef CONFORMANCE_TARGETS_NO_IMPLEMENTATION_H_
#define CONFORMANCE_TARGETS_NO_IMPLEMENTATION_H_

#include <memory>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Makes an implementation whose operations are all unsupported. For targets
// that judge a kernel: their cases call only Syscalls.
std::unique_ptr<Implementation> MakeNoImplementation(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_NO_IMPLEMENTATION_H_
