#ifndef CONFORMANCE_TARGETS_ASIO_H_
#define CONFORMANCE_TARGETS_ASIO_H_

#include <memory>
#include <string>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Makes the implementation for Asio's synchronous sockets. Asio always calls
// the process's kernel, so `sys` is ignored.
std::unique_ptr<Implementation> MakeAsio(Syscalls& sys);

// Returns the library's version: "1.22.1".
std::string AsioVersion();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_ASIO_H_
