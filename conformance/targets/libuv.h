#ifndef CONFORMANCE_TARGETS_LIBUV_H_
#define CONFORMANCE_TARGETS_LIBUV_H_

#include <memory>
#include <string>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Makes the implementation for libuv's uv_tcp_t, on one loop. The loop runs
// while an operation waits.
//
// libuv calls the C library. If `call_through` is not null, it makes the C
// library's functions call a Syscalls, so that faults can be injected.
std::unique_ptr<Implementation> MakeLibuv(
    void (*call_through)(Syscalls&) = nullptr);

// Returns the library's version: "1.44.2".
std::string LibuvVersion();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_LIBUV_H_
