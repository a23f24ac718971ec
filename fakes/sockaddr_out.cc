#include "fakes/sockaddr_out.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

namespace net {

SysResult FillSockaddr(const ip::Endpoint& endpoint, sockaddr* addr,
                       socklen_t* len) {
  if (addr == nullptr || len == nullptr) return SysResult::Error(EFAULT);
  if (*len > socklen_t{INT_MAX}) return SysResult::Error(EINVAL);
  const ip::SockAddr full(endpoint);
  std::memcpy(addr, full.get(), std::min(*len, full.size()));
  *len = full.size();
  return SysResult::Ok();
}

}  // namespace net
