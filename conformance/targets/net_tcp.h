#ifndef CONFORMANCE_TARGETS_NET_TCP_H_
#define CONFORMANCE_TARGETS_NET_TCP_H_

#include <memory>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Makes the implementation for net::tcp over the kernel `sys`, which must
// outlive it.
std::unique_ptr<Implementation> MakeNetTcp(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_NET_TCP_H_
