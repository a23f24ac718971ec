#include "conformance/targets/net_tcp.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "conformance/suite/adapter.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "tcp/options.h"
#include "tcp/sock_flags.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net::conformance {
namespace {

// Returns the flags that the three option lists share.
template <typename List>
std::vector<SockFlags> FlagsOf(const List& list) {
  std::vector<SockFlags> flags;
  if (list.options.nonblock) flags.push_back(SockFlags::kNonblock);
  if (list.options.no_cloexec) flags.push_back(SockFlags::kNoCloexec);
  if (list.unknown_flag) {
    flags.push_back(static_cast<SockFlags>(*list.unknown_flag));
  }
  return flags;
}

// Combines the flags into one value, for Accept. Listen and Connect take each
// flag as an option of its own, and must combine them.
SockFlags ToNetTcp(const AcceptOptionList& list) {
  SockFlags all = SockFlags::kNone;
  for (const SockFlags flag : FlagsOf(list)) all = all | flag;
  return all;
}

std::vector<tcp::ConnectOption> ToNetTcp(const ConnectOptionList& list) {
  std::vector<tcp::ConnectOption> all;
  for (int i = 0; i < list.times; ++i) {
    for (const SockFlags flag : FlagsOf(list)) all.emplace_back(flag);
    if (list.options.keepalive) all.emplace_back(tcp::KeepAlive{});
  }
  return all;
}

std::vector<tcp::ListenOption> ToNetTcp(const ListenOptionList& list) {
  std::vector<tcp::ListenOption> all;
  for (int i = 0; i < list.times; ++i) {
    for (const SockFlags flag : FlagsOf(list)) all.emplace_back(flag);
    if (list.options.keepalive) all.emplace_back(tcp::KeepAlive{});
    if (list.options.reuseaddr) all.emplace_back(tcp::ReuseAddr{});
    if (list.options.reuseport) all.emplace_back(tcp::ReusePort{});
  }
  for (const uint32_t backlog : BacklogsOf(list)) {
    all.emplace_back(tcp::Backlog{backlog});
  }
  for (uint16_t* const port : PortsOf(list)) {
    all.emplace_back(tcp::PortAssignment{port});
  }
  return all;
}

struct NetTcp {
  using Socket = net::Socket;

  auto Listen(const ip::Endpoint& local, const ListenOptionList& list) const {
    return tcp::Listen(local.addr, local.port, ToNetTcp(list), *sys);
  }
  auto Listen(const ip::Endpoint& local, const ListenOptions& options) const {
    return Listen(local, ListenOptionList{.options = options});
  }
  auto Connect(const ip::Endpoint& remote,
               const ConnectOptionList& list) const {
    return tcp::Connect(remote.addr, remote.port, ToNetTcp(list), *sys);
  }
  auto Connect(const ip::Endpoint& remote,
               const ConnectOptions& options) const {
    return Connect(remote, ConnectOptionList{.options = options});
  }
  static auto Accept(const Socket& listener, const AcceptOptionList& list) {
    return tcp::Accept(listener, ToNetTcp(list));
  }
  static auto Accept(const Socket& listener, const AcceptOptions& options) {
    return Accept(listener, AcceptOptionList{.options = options});
  }
  static auto PeerAddr(const Socket& socket) { return tcp::PeerAddr(socket); }
  Socket Adopt(int fd) const { return {fd, *sys}; }
  void UseSyscalls(Syscalls& other) { sys = &other; }

  Syscalls* sys = &DefaultSyscalls();
};

class NetTcpImplementation final : public Adapter<NetTcp>,
                                   private OptionListExtension {
 public:
  using Adapter::Adapter;

  OptionListExtension* option_lists() override { return this; }

 private:
  Result<Handle> ListenWithList(const ip::Endpoint& local,
                                const ListenOptionList& list) override {
    return Keep(ToResult(library().Listen(local, list)));
  }
  Result<Handle> ConnectWithList(const ip::Endpoint& remote,
                                 const ConnectOptionList& list) override {
    return Keep(ToResult(library().Connect(remote, list)));
  }
  Result<Handle> AcceptWithList(Handle listener,
                                const AcceptOptionList& list) override {
    return Keep(ToResult(NetTcp::Accept(Find(listener), list)));
  }
};

}  // namespace

std::unique_ptr<Implementation> MakeNetTcp(Syscalls& sys) {
  return std::make_unique<NetTcpImplementation>(NetTcp{.sys = &sys});
}

}  // namespace net::conformance
