#ifndef CONFORMANCE_TARGETS_LIBUV_H_
#define CONFORMANCE_TARGETS_LIBUV_H_

#include <memory>
#include <string>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Makes the implementation for libuv's uv_tcp_t, on one loop. The loop runs
// while an operation waits. libuv always calls the process's kernel, so `sys`
// is ignored.
std::unique_ptr<Implementation> MakeLibuv(Syscalls& sys);

// Returns the library's version: "1.44.2".
std::string LibuvVersion();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_LIBUV_H_
