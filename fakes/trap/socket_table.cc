#include "fakes/trap/socket_table.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "fakes/faults/fault_plan.h"
#include "fakes/faults/plan_state.h"
#include "syscalls/net/endpoint.h"

namespace net::trap {
namespace {

// Returns an option's value, or -1.
template <typename T>
T Option(int fd, int level, int name) {
  T value = {};
  socklen_t size = sizeof(value);
  return getsockopt(fd, level, name, &value, &size) == 0 ? value : T(-1);
}

// IPPROTO_MPTCP: a Go listener of 1.24 is one.
constexpr int kMpTcp = 262;

bool IsTcp(int fd) {
  const int protocol = Option<int>(fd, SOL_SOCKET, SO_PROTOCOL);
  const int domain = Option<int>(fd, SOL_SOCKET, SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6) &&
         Option<int>(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM &&
         (protocol == IPPROTO_TCP || protocol == kMpTcp);
}

SocketRole RoleOf(int fd) {
  // The first byte of TCP_INFO.
  switch (Option<uint8_t>(fd, IPPROTO_TCP, TCP_INFO)) {
    case TCP_LISTEN:
      return SocketRole::kListener;
    case TCP_CLOSE:
    case UINT8_MAX:
      return SocketRole::kAny;
    default:
      return SocketRole::kConnection;
  }
}

template <typename Name>
std::optional<ip::Endpoint> Address(int fd, Name name) {
  ip::SockAddr address;
  if (name(fd, address.get(), address.size_ptr()) != 0) return std::nullopt;
  return ip::EndpointFromSockaddr(address.get(), address.size());
}

}  // namespace

SocketFacts* SocketTable::Find(int fd) {
  const auto cookie = Option<uint64_t>(fd, SOL_SOCKET, SO_COOKIE);
  if (cookie == UINT64_MAX) return nullptr;  // ENOTSOCK
  const auto [it, is_new] = entries_.try_emplace(cookie);
  Entry& entry = it->second;
  if (is_new) {
    entry.is_tcp = IsTcp(fd);
    if (entry.is_tcp) entry.facts.nth = ++made_;
  }
  return entry.is_tcp ? &entry.facts : nullptr;
}

void SocketTable::Refresh(int fd, SocketFacts& facts, bool with_addresses) {
  if (facts.role == SocketRole::kAny) facts.role = RoleOf(fd);
  if (!with_addresses) return;
  facts.local = Address(fd, getsockname);
  facts.remote = Address(fd, getpeername);
}

void SocketTable::Reset() {
  made_ = 0;
  for (auto& [cookie, entry] : entries_) entry.facts.nth = 0;
}

}  // namespace net::trap
