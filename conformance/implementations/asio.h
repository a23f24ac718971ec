#ifndef CONFORMANCE_IMPLEMENTATIONS_ASIO_H_
#define CONFORMANCE_IMPLEMENTATIONS_ASIO_H_

#include <memory>

#include "conformance/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Asio's synchronous sockets. They know one kernel only, whatever `sys` is.
std::unique_ptr<Implementation> MakeAsio(Syscalls& sys);

}  // namespace net::conformance

#endif  // CONFORMANCE_IMPLEMENTATIONS_ASIO_H_
