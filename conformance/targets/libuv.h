#ifndef CONFORMANCE_TARGETS_LIBUV_H_
#define CONFORMANCE_TARGETS_LIBUV_H_

#include <memory>
#include <string>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// libuv's uv_tcp_t, on one loop that runs while somebody waits for it. It knows
// one kernel only, whatever `sys` is.
std::unique_ptr<Implementation> MakeLibuv(Syscalls& sys);

// The library's: "1.44.2".
std::string LibuvVersion();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_LIBUV_H_
