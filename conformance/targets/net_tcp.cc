#include "conformance/targets/net_tcp.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "conformance/suite/adapter.h"
#include "conformance/suite/implementation.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "tcp/options.h"
#include "tcp/sock_flags.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net::conformance {
namespace {

// Returns the flags that the three option structs share.
template <typename Options>
std::vector<SockFlags> ToFlags(const Options& options) {
  std::vector<SockFlags> flags;
  if (options.nonblock) flags.push_back(SockFlags::kNonblock);
  if (options.no_cloexec) flags.push_back(SockFlags::kNoCloexec);
  if (options.unknown_flag) {
    flags.push_back(static_cast<SockFlags>(*options.unknown_flag));
  }
  return flags;
}

// Combines the flags into one value, for Accept. Listen and Connect take each
// flag as an option of its own, and must combine them.
SockFlags Union(const std::vector<SockFlags>& flags) {
  SockFlags all = SockFlags::kNone;
  for (const SockFlags flag : flags) all = all | flag;
  return all;
}

std::vector<tcp::ListenOption> ToNetTcp(const ListenOptions& options) {
  std::vector<tcp::ListenOption> list;
  for (int i = 0; i < options.times; ++i) {
    for (const SockFlags flag : ToFlags(options)) list.emplace_back(flag);
    if (options.keepalive) list.emplace_back(tcp::KeepAlive{});
    if (options.reuseaddr) list.emplace_back(tcp::ReuseAddr{});
    if (options.reuseport) list.emplace_back(tcp::ReusePort{});
  }
  for (uint32_t value : options.backlog) {
    list.emplace_back(tcp::Backlog{value});
  }
  for (uint16_t* port : options.port_assignments) {
    list.emplace_back(tcp::PortAssignment{port});
  }
  return list;
}

std::vector<tcp::ConnectOption> ToNetTcp(const ConnectOptions& options) {
  std::vector<tcp::ConnectOption> list;
  for (int i = 0; i < options.times; ++i) {
    for (const SockFlags flag : ToFlags(options)) list.emplace_back(flag);
    if (options.keepalive) list.emplace_back(tcp::KeepAlive{});
  }
  return list;
}

struct NetTcp {
  using Socket = net::Socket;

  auto Listen(const ip::Endpoint& local, const ListenOptions& options) const {
    return tcp::Listen(local.addr, local.port, ToNetTcp(options), *sys);
  }
  auto Connect(const ip::Endpoint& remote,
               const ConnectOptions& options) const {
    return tcp::Connect(remote.addr, remote.port, ToNetTcp(options), *sys);
  }
  static auto Accept(const Socket& listener, const AcceptOptions& options) {
    return tcp::Accept(listener, Union(ToFlags(options)));
  }
  static auto PeerAddr(const Socket& socket) { return tcp::PeerAddr(socket); }
  Socket Adopt(int fd) const { return {fd, *sys}; }
  void UseSyscalls(Syscalls& other) { sys = &other; }

  Syscalls* sys = &DefaultSyscalls();
};

}  // namespace

std::unique_ptr<Implementation> MakeNetTcp(Syscalls& sys) {
  return std::make_unique<Adapter<NetTcp>>(NetTcp{.sys = &sys});
}

}  // namespace net::conformance
