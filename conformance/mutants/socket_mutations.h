#ifndef CONFORMANCE_MUTANTS_SOCKET_MUTATIONS_H_
#define CONFORMANCE_MUTANTS_SOCKET_MUTATIONS_H_

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "conformance/mutants/mutation.h"
#include "fakes/call.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// Functions that several mutations share.

namespace net::conformance {

// Returns the value of an option of type int, or -1 if that fails.
inline int GetOption(Syscalls& kernel, int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  const SysResult got = kernel.GetSockOpt(fd, level, name, &value, &size);
  return got.ok() ? value : -1;
}

// Sets an option of type int. Ignores a failure.
inline void SetOption(Syscalls& kernel, int fd, int level, int name,
                      int value = 1) {
  static_cast<void>(kernel.SetSockOpt(fd, level, name, &value, sizeof(value)));
}

// Returns a mutation that sets an option of each new socket.
inline Mutation SetsOnEachSocket(int level, int name, int value = 1) {
  return After<Call::kSocket>([=](auto&, SysResult made, Syscalls& kernel) {
    if (made.ok()) SetOption(kernel, made.fd(), level, name, value);
    return made;
  });
}

// Returns whether a call sets the option.
template <typename SetSockOptArguments>
bool Sets(const SetSockOptArguments& call, int level, int name) {
  return call.level == level && call.name == name;
}

// Returns a mutation that ignores a socket option.
inline Mutation Ignores(int level, int name) {
  return Instead<Call::kSetSockOpt>([=](auto& call, auto make, Syscalls&) {
    return Sets(call, level, name) ? SysResult::Ok() : make();
  });
}

// Returns the socket's state, TCP_ESTABLISHED for example, or 0 if `fd` is not
// a TCP socket.
inline int TcpState(Syscalls& kernel, int fd) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  const SysResult got =
      kernel.GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return got.ok() ? info.tcpi_state : 0;
}

inline bool IsNonblocking(Syscalls& kernel, int fd) {
  const SysResult flags = kernel.Fcntl(fd, F_GETFL, 0);
  return flags.ok() && (flags.value() & O_NONBLOCK) != 0;
}

// Writes a name as getsockname(2) does. `capacity` is the size of the buffer
// `address`.
inline void WriteName(const ip::Endpoint& endpoint, sockaddr* address,
                      socklen_t capacity, socklen_t* size) {
  const ip::SockAddr name(endpoint);
  std::memcpy(address, name.get(), std::min(capacity, name.size()));
  *size = name.size();
}

// Returns a mutation that calls `change(endpoint)` before the name is used,
// for bind and connect.
template <Call kCall, typename F>
Mutation BeforeNaming(F change) {
  return Instead<kCall>(
      [change = std::move(change)](auto& call, auto make, Syscalls&) mutable {
        auto endpoint = ip::EndpointFromSockaddr(call.addr, call.len);
        if (!endpoint.has_value()) return make();
        change(*endpoint);
        const ip::SockAddr name(*endpoint);
        call.addr = name.get();
        call.len = name.size();
        return make();
      });
}

// Returns a mutation that calls `change(endpoint, fd, kernel)` before a name is
// returned, for getsockname, getpeername and accept4.
template <Call kCall, typename F>
Mutation BeforeReturningName(F change) {
  return Instead<kCall>([change = std::move(change)](auto& call, auto make,
                                                     Syscalls& kernel) mutable {
    const socklen_t capacity = call.len == nullptr ? 0 : *call.len;
    const SysResult result = make();
    if (!result.ok() || call.addr == nullptr) return result;
    auto endpoint = ip::EndpointFromSockaddr(call.addr, *call.len);
    if (!endpoint.has_value()) return result;
    change(*endpoint, call.fd, kernel);
    WriteName(*endpoint, call.addr, capacity, call.len);
    return result;
  });
}

// Returns the port with its bytes swapped.
inline uint16_t Swapped(uint16_t port) {
  return static_cast<uint16_t>(port << 8 | port >> 8);
}

}  // namespace net::conformance

#endif  // CONFORMANCE_MUTANTS_SOCKET_MUTATIONS_H_
