#include "fakes/faults/call_facts.h"

#include <sys/socket.h>

#include <optional>

#include "fakes/call.h"
#include "fakes/faults/call_site.h"
#include "fakes/faults/plan_state.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using ::net::fake::IsUserAddress;

std::optional<ip::Endpoint> NameOf(SysResult result, const ip::SockAddr& addr) {
  if (!result.ok()) return std::nullopt;
  std::optional<ip::Endpoint> name = addr.ToEndpoint();
  if (name.has_value() && name->port == 0) return std::nullopt;  // Not bound.
  return name;
}

std::optional<ip::Endpoint> EndpointOf(const sockaddr* addr, socklen_t len) {
  if (len > sizeof(sockaddr_storage) || !IsUserAddress(addr, len)) {
    return std::nullopt;
  }
  return ip::EndpointFromSockaddr(addr, len);
}

}  // namespace

std::optional<int> IntOption(Syscalls& sys, int fd, int name, int& error) {
  int value = 0;
  socklen_t len = sizeof(value);
  const SysResult result = sys.GetSockOpt(fd, SOL_SOCKET, name, &value, &len);
  error = result.error();
  if (!result.ok()) return std::nullopt;
  return value;
}

std::optional<ip::Endpoint> LocalName(Syscalls& sys, int fd) {
  ip::SockAddr addr;
  const SysResult result = sys.GetSockName(fd, addr.get(), addr.size_ptr());
  return NameOf(result, addr);
}

std::optional<ip::Endpoint> RemoteName(Syscalls& sys, int fd) {
  ip::SockAddr addr;
  const SysResult result = sys.GetPeerName(fd, addr.get(), addr.size_ptr());
  return NameOf(result, addr);
}

CallFacts FactsOf(const Invocation& invocation) {
  CallFacts facts;
  facts.call = IdOf(invocation.call());
  facts.call_site = CallSite::Current();
  if (const auto* const set = invocation.As<Call::kSetSockOpt>()) {
    facts.option_level = set->level;
    facts.option_name = set->name;
  } else if (const auto* const get = invocation.As<Call::kGetSockOpt>()) {
    facts.option_level = get->level;
    facts.option_name = get->name;
  } else if (const auto* const fcntl = invocation.As<Call::kFcntl>()) {
    facts.option_level = kFcntlLevel;
    facts.option_name = fcntl->command;
  } else if (const auto* const bind = invocation.As<Call::kBind>()) {
    facts.address = EndpointOf(bind->addr, bind->len);
  } else if (const auto* const connect = invocation.As<Call::kConnect>()) {
    facts.address = EndpointOf(connect->addr, connect->len);
  } else if (const auto* const sendto = invocation.As<Call::kSendTo>()) {
    facts.address = EndpointOf(sendto->addr, sendto->len);
  }
  return facts;
}

}  // namespace net
