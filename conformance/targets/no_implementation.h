#ifndef CONFORMANCE_TARGETS_NO_IMPLEMENTATION_H_
#define CONFORMANCE_TARGETS_NO_IMPLEMENTATION_H_

#include <memory>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// For targets that judge a kernel, whose cases only call Syscalls. Every
// operation is unsupported.
std::unique_ptr<Implementation> MakeNoImplementation(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_NO_IMPLEMENTATION_H_
