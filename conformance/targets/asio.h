#ifndef CONFORMANCE_TARGETS_ASIO_H_
#define CONFORMANCE_TARGETS_ASIO_H_

#include <memory>
#include <string>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Asio's synchronous sockets. They know one kernel only, whatever `sys` is.
std::unique_ptr<Implementation> MakeAsio(Syscalls& sys);

// The library's: "1.44.2".
std::string AsioVersion();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_ASIO_H_
