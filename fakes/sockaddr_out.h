#ifndef FAKES_SOCKADDR_OUT_H_
#define FAKES_SOCKADDR_OUT_H_

#include <sys/socket.h>

#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

namespace net {

// Fills in the out-parameters of getsockname(2), getpeername(2) and accept4(2)
// as Linux does: writes the first bytes of the socket address, as many as *len
// gives room for, and sets *len to how many there are, which may be more.
//
// Answers 0; EINVAL if *len is negative as an int, and EFAULT if a pointer is
// null, both with nothing written. (accept4 takes a null address for "don't
// tell": its fakes must not call this then.)
SysResult FillSockaddr(const ip::Endpoint& endpoint, sockaddr* addr,
                       socklen_t* len);

}  // namespace net

#endif  // FAKES_SOCKADDR_OUT_H_
