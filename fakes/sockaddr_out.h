#ifndef FAKES_SOCKADDR_OUT_H_
#define FAKES_SOCKADDR_OUT_H_

#include <sys/socket.h>

#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

namespace net {

// Writes the out-parameters of getsockname(2), getpeername(2) and accept4(2) as
// Linux does: as many bytes of the socket address as *len allows. Sets *len to
// the full size, which can be larger.
//
// Returns 0. If it fails, it writes nothing:
// - EINVAL: *len is negative as an int.
// - EFAULT: a pointer is null. (For accept4, a null address is valid and means
//   that none is wanted. Its fakes must not call this then.)
SysResult FillSockaddr(const ip::Endpoint& endpoint, sockaddr* addr,
                       socklen_t* len);

}  // namespace net

#endif  // FAKES_SOCKADDR_OUT_H_
