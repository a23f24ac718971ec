// Bugs of our own, in the families of the real ones: options and addresses.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/mutants/socket_mutations.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Returns a mutation by which a query kCall of a descriptor is answered as the
// first time, as long as the descriptor is open.
template <Call kCall>
Mutation KeepsName() {
  return [kept = std::map<int, ip::Endpoint>()](
             Invocation& call, auto make, Syscalls&) mutable -> SysResult {
    if (const auto* close = call.As<Call::kClose>()) kept.erase(close->fd);
    const SysResult result = make();
    const auto* query = call.As<kCall>();
    if (query == nullptr || !result.ok()) return result;
    const auto name = ip::EndpointFromSockaddr(query->addr, *query->len);
    if (!name.has_value()) return result;
    WriteName(kept.emplace(query->fd, *name).first->second, query->addr,
              *query->len, query->len);
    return result;
  };
}

}  // namespace

std::vector<Mutant> OwnBugsOfOptions() {
  return {
      {.name = "reuseaddr_after_bind",
       .family = "options set too late",
       .mistake = "SO_REUSEADDR is set when the socket has been bound.",
       .killers = {"listen.time_wait.with_reuseaddr"},
       .mutation = [wanted = std::set<int>()](
                       Invocation& call, auto make,
                       Syscalls& kernel) mutable -> SysResult {
         if (const auto* set = call.As<Call::kSetSockOpt>();
             set != nullptr && Sets(*set, SOL_SOCKET, SO_REUSEADDR)) {
           wanted.insert(set->fd);
           return SysResult::Ok();
         }
         const SysResult result = make();
         if (const auto* bind = call.As<Call::kBind>();
             bind != nullptr && wanted.erase(bind->fd) > 0) {
           SetOption(kernel, bind->fd, SOL_SOCKET, SO_REUSEADDR);
         }
         return result;
       }},
      {.name = "reuseport_is_off",
       .family = "options ignored",
       .mistake = "SO_REUSEPORT is set to 0.",
       .killers = {"listen.option.reuseport"},
       .mutation = Before<Call::kSetSockOpt>([](auto& call, Syscalls&) {
         static constexpr int kOff = 0;
         if (Sets(call, SOL_SOCKET, SO_REUSEPORT)) call.value = &kOff;
       })},
      {.name = "keepalive_is_oobinline",
       .family = "options swapped",
       .mistake = "SO_OOBINLINE is set in place of SO_KEEPALIVE.",
       .killers = {"connect.keepalive.on", "listen.option.keepalive"},
       .mutation = Before<Call::kSetSockOpt>([](auto& call, Syscalls&) {
         if (Sets(call, SOL_SOCKET, SO_KEEPALIVE)) call.name = SO_OOBINLINE;
       })},
      {.name = "keepalive_by_default",
       .family = "options defaulted wrong",
       .mistake = "Each socket has SO_KEEPALIVE.",
       .killers = {"connect.keepalive.default_off",
                   "listen.defaults.keepalive"},
       .mutation = SetsOnEachSocket(SOL_SOCKET, SO_KEEPALIVE)},
      {.name = "accepted_without_keepalive",
       .family = "flags lost on one path",
       .mistake = "An accepted socket does not keep its listener's "
                  "SO_KEEPALIVE.",
       .killers = {"accept.inherits.keepalive"},
       .mutation = After<Call::kAccept4>(
           [](auto&, SysResult accepted, Syscalls& kernel) {
             if (accepted.ok()) {
               SetOption(kernel, accepted.fd(), SOL_SOCKET, SO_KEEPALIVE, 0);
             }
             return accepted;
           })},
      {.name = "cloexec_for_v4_only",
       .family = "works for v4 only",
       .mistake = "IPv6 sockets are not close-on-exec.",
       .killers = {"connect.flags.close_on_exec_by_default"},
       .mutation = Before<Call::kSocket>([](auto& call, Syscalls&) {
         if (call.domain == AF_INET6) call.type &= ~SOCK_CLOEXEC;
       })},
      {.name = "v6only_by_default",
       .family = "options defaulted wrong",
       .mistake = "IPV6_V6ONLY is turned on for each IPv6 listener.",
       .killers = {"listen.defaults.v6only", "listen.dual_stack.takes_both"},
       .mutation = Before<Call::kBind>([](auto& call, Syscalls& kernel) {
         SetOption(kernel, call.fd, IPPROTO_IPV6, IPV6_V6ONLY);
       })},
      {.name = "accepted_is_nonblocking",
       .family = "options defaulted wrong",
       .mistake = "Each accepted socket is nonblocking.",
       .killers = {"accept.flags.blocking_by_default"},
       .mutation = Before<Call::kAccept4>(
           [](auto& call, Syscalls&) { call.flags |= SOCK_NONBLOCK; })},
      {.name = "accept_flags_change_the_listener",
       .family = "state shared between sockets",
       .mistake = "The flags of an accept are set on the listener, too.",
       .killers = {"accept.flags.not_on_the_listener"},
       .mutation = After<Call::kAccept4>(
           [](auto& call, SysResult accepted, Syscalls& kernel) {
             if ((call.flags & SOCK_NONBLOCK) != 0) {
               static_cast<void>(
                   kernel.Fcntl(call.fd, F_SETFL, O_RDWR | O_NONBLOCK));
             }
             return accepted;
           })},
      {.name = "accept_keeps_first_flags",
       .family = "works the first time only",
       .mistake = "Every accept uses the flags of the first one.",
       .killers = {"accept.flags.of_the_call_alone"},
       .mutation =
           Before<Call::kAccept4>([first = -1](auto& call, Syscalls&) mutable {
             if (first < 0) first = call.flags;
             call.flags = first;
           })},
      {.name = "backlog_is_halved",
       .family = "backlog stored and not used",
       .mistake = "The queue is half as long as asked for.",
       .killers = {"listen.backlog.given"},
       .mutation = Before<Call::kListen>(
           [](auto& call, Syscalls&) { call.backlog /= 2; })},
      {.name = "backlog_zero_is_default",
       .family = "backlog stored and not used",
       .mistake = "A backlog of 0 counts as none given.",
       .killers = {"listen.backlog.zero", "listen.backlog.last_is_zero"},
       .mutation = Before<Call::kListen>([](auto& call, Syscalls&) {
         if (call.backlog == 0) call.backlog = 10;
       })},
  };
}

std::vector<Mutant> OwnBugsOfAddresses() {
  return {
      {.name = "port_is_signed",
       .family = "ports wrong",
       .mistake = "Ports from 32768 on are refused.",
       .killers = {"listen.port.highest"},
       .mutation = Instead<Call::kBind>([](auto& call, auto make, Syscalls&) {
         const auto name = ip::EndpointFromSockaddr(call.addr, call.len);
         return name.has_value() && name->port > INT16_MAX
                    ? SysResult::Error(EINVAL)
                    : make();
       })},
      {.name = "given_port_is_ignored",
       .family = "ports wrong",
       .mistake = "The system picks a port, whatever port is given.",
       .killers = {"listen.port.given"},
       .mutation = BeforeNaming<Call::kBind>(
           [](ip::Endpoint& name) { name.port = 0; })},
      {.name = "next_port_if_in_use",
       .family = "ports wrong",
       .mistake = "A listener whose port is in use gets the next one.",
       .killers = {"listen.in_use.same_address"},
       .mutation =
           Instead<Call::kBind>([](auto& call, auto make, Syscalls& kernel) {
             const SysResult result = make();
             if (result.error() != EADDRINUSE) return result;
             auto name = ip::EndpointFromSockaddr(call.addr, call.len);
             if (!name.has_value()) return result;
             ++name->port;
             const ip::SockAddr next(*name);
             return kernel.Bind(call.fd, next.get(), next.size());
           })},
      {.name = "first_port_is_reported_again",
       .family = "stale answers",
       .mistake = "The port of each listener is that of the first.",
       .killers = {"listen.port.assigned_each_time"},
       .mutation = BeforeReturningName<Call::kGetSockName>(
           [first = uint16_t{0}](ip::Endpoint& name, int fd,
                                 Syscalls& kernel) mutable {
             if (TcpState(kernel, fd) != TCP_LISTEN) return;
             if (first == 0) first = name.port;
             name.port = first;
           })},
      {.name = "other_loopback_is_the_usual",
       .family = "addresses widened",
       .mistake = "127.0.0.2 is taken for 127.0.0.1 when connecting.",
       .killers = {"connect.address.other_loopback"},
       .mutation = BeforeNaming<Call::kConnect>([](ip::Endpoint& name) {
         if (name.addr == ip::Addr::V4(127, 0, 0, 2)) name.addr = ip::kLocalV4;
       })},
      {.name = "loopback_v6_is_v4",
       .family = "works for v4 only",
       .mistake = "::1 is replaced by 127.0.0.1, mapped.",
       .killers = {"connect.established.exactly_once"},
       .mutation = BeforeNaming<Call::kConnect>([](ip::Endpoint& name) {
         if (name.addr == ip::kLocalV6) name.addr = ip::kLocalV4.Mapped();
       })},
      {.name = "mapped_peer_is_unmapped",
       .family = "address mis-mapped",
       .mistake = "The peer of an IPv6 socket that speaks IPv4 is an IPv4 "
                  "address.",
       .killers = {"peeraddr.v4_mapped.accepted"},
       .mutation =
           Instead<Call::kGetPeerName>([](auto& call, auto make, Syscalls&) {
             const socklen_t capacity = *call.len;
             const SysResult result = make();
             if (!result.ok()) return result;
             auto name = ip::EndpointFromSockaddr(call.addr, *call.len);
             if (!name.has_value()) return result;
             name->addr = name->addr.Unmapped();
             WriteName(*name, call.addr, capacity, call.len);
             return result;
           })},
      {.name = "v4_peer_is_mapped",
       .family = "address mis-mapped",
       .mistake = "Every IPv4 peer is a mapped IPv6 address.",
       .killers = {"peeraddr.connected"},
       .mutation = BeforeReturningName<Call::kGetPeerName>(
           [](ip::Endpoint& name, int, Syscalls&) {
             if (name.addr.family() == AF_INET) name.addr = name.addr.Mapped();
           })},
      {.name = "peer_is_kept",
       .family = "stale answers",
       .mistake = "The first peer of a descriptor number is its peer for ever.",
       .killers = {"peeraddr.changes.next_accepted"},
       .mutation = [kept = std::map<int, ip::Endpoint>()](
                       Invocation& call, auto make,
                       Syscalls&) mutable -> SysResult {
         const SysResult result = make();
         const auto* query = call.As<Call::kGetPeerName>();
         if (query == nullptr || !result.ok()) return result;
         const auto name = ip::EndpointFromSockaddr(query->addr, *query->len);
         if (!name.has_value()) return result;
         WriteName(kept.emplace(query->fd, *name).first->second, query->addr,
                   *query->len, query->len);
         return result;
       }},
      {.name = "local_name_is_kept",
       .family = "stale answers",
       .mistake = "A socket's local name is asked for once and kept.",
       .killers = {"localaddr.changes.connected_by_descriptor"},
       .mutation = KeepsName<Call::kGetSockName>()},
  };
}

}  // namespace net::conformance
