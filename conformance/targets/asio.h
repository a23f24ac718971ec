#ifndef CONFORMANCE_TARGETS_ASIO_H_
#define CONFORMANCE_TARGETS_ASIO_H_

#include <memory>
#include <string>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Makes the implementation for Asio's synchronous sockets.
//
// Asio calls the C library. If `call_through` is not null, it makes the C
// library's functions call a Syscalls, so that faults can be injected.
std::unique_ptr<Implementation> MakeAsio(
    void (*call_through)(Syscalls&) = nullptr);

// Returns the library's version: "1.22.1".
std::string AsioVersion();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_ASIO_H_
