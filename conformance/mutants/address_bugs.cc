// Real bugs: ports in the wrong byte order or not read back, the local address
// for the remote one, peers that are not there.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/mutants/socket_mutations.h"
#include "fakes/call.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/net/socket_names.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

std::vector<Mutant> BugsOfAddresses() {
  return {
      {.name = "local_port_in_network_order",
       .family = "ports wrong",
       .mistake = "The port of the local name is not converted to host order.",
       .report = {"BlitzMax NG", 2019,
                  "https://github.com/bmx-ng/brl.mod/issues/132",
                  "A server reported another port than the one that answered."},
       .killers = {"listen.port.assigned", "localaddr.listener"},
       .mutation = BeforeReturningName<Call::kGetSockName>(
           [](ip::Endpoint& name, int, Syscalls&) {
             name.port = Swapped(name.port);
           })},
      {.name = "peer_port_in_network_order",
       .family = "ports wrong",
       .mistake = "The port of the peer's name is not converted to host order.",
       .report = {"Pony", 2017, "https://github.com/ponylang/ponyc/issues/2362",
                  "Programs had to swap the bytes of a peer's port."},
       .killers = {"peeraddr.connected", "peeraddr.accepted"},
       .mutation = BeforeReturningName<Call::kGetPeerName>(
           [](ip::Endpoint& name, int, Syscalls&) {
             name.port = Swapped(name.port);
           })},
      {.name = "bound_port_in_host_order",
       .family = "ports wrong",
       .mistake = "The port that bind(2) gets is not in network order.",
       .report = {"Delphi-Cross-Socket", 2026,
                  "https://github.com/winddriver/Delphi-Cross-Socket/pull/183",
                  "The IPv4 listener of a pair had another port than the IPv6 "
                  "listener."},
       .killers = {"listen.port.given"},
       .mutation = BeforeNaming<Call::kBind>(
           [](ip::Endpoint& name) { name.port = Swapped(name.port); })},
      {.name = "connect_port_in_host_order",
       .family = "ports wrong",
       .mistake = "The port that connect(2) gets is not in network order.",
       .report = {"libgit2", 2017,
                  "https://github.com/libgit2/libgit2/pull/4280",
                  "A build without getaddrinfo(3) connected to another port."},
       .killers = {"connect.established.exactly_once"},
       .mutation = BeforeNaming<Call::kConnect>(
           [](ip::Endpoint& name) { name.port = Swapped(name.port); })},
      {.name = "port_zero_is_not_read_back",
       .family = "ports wrong",
       .mistake = "The reported port of a listener is the requested one, 0.",
       .report =
           {"Tessel", 2014, "https://github.com/tessel/t1-runtime/issues/329",
            "Nobody could connect to a listener whose port the system had "
            "picked."},
       .killers = {"listen.port.assigned"},
       .mutation = [requested = std::map<int, uint16_t>()](
                       Invocation& call, auto make,
                       Syscalls&) mutable -> SysResult {
         const SysResult result = make();
         if (const auto* bind = call.As<Call::kBind>()) {
           const auto name = ip::EndpointFromSockaddr(bind->addr, bind->len);
           if (name.has_value()) requested[bind->fd] = name->port;
         }
         if (const auto* query = call.As<Call::kGetSockName>();
             query != nullptr && result.ok() && requested.contains(query->fd)) {
           auto name = *ip::EndpointFromSockaddr(query->addr, *query->len);
           name.port = requested[query->fd];
           WriteName(name, query->addr, *query->len, query->len);
         }
         if (const auto* close = call.As<Call::kClose>()) {
           requested.erase(close->fd);
         }
         return result;
       }},
      {.name = "loopback_is_widened",
       .family = "addresses widened",
       .mistake = "The address is ignored: bind(2) gets the wildcard.",
       .report = {"Curassow", 2016,
                  "https://github.com/kylef-archive/Curassow/pull/22",
                  "A server for 127.0.0.1 could be reached from everywhere."},
       .killers = {"listen.address.specific_refuses_others"},
       .mutation = BeforeNaming<Call::kBind>([](ip::Endpoint& name) {
         name.addr = name.addr.family() == AF_INET ? ip::kAnyV4 : ip::kAnyV6;
       })},
      {.name = "wildcard_is_narrowed",
       .family = "addresses widened",
       .mistake = "bind(2) to the wildcard gets the loopback address.",
       .report = {"AdGuard Home", 2021,
                  "https://github.com/AdguardTeam/AdGuardHome/issues/2868",
                  "Other machines could not reach the server any more."},
       .killers = {"listen.address.wildcard_accepts_on_each"},
       .mutation = BeforeNaming<Call::kBind>([](ip::Endpoint& name) {
         if (name.addr == ip::kAnyV4) name.addr = ip::kLocalV4;
         if (name.addr == ip::kAnyV6) name.addr = ip::kLocalV6;
       })},
      {.name = "accepted_is_named_as_its_listener",
       .family = "address wrong",
       .mistake = "The local name of a connection that a wildcard listener "
                  "accepted is the wildcard.",
       .report = {"Gramine", 2022,
                  "https://github.com/gramineproject/gramine/pull/734",
                  "A server could not tell on which address it was reached."},
       .killers = {"accept.local_address.of_any",
                   "localaddr.accepted.by_wildcard"},
       .mutation = [names = std::map<int, ip::Endpoint>()](
                       Invocation& call, auto make,
                       Syscalls& kernel) mutable -> SysResult {
         const SysResult result = make();
         if (const auto* accept = call.As<Call::kAccept4>();
             accept != nullptr && result.ok()) {
           if (const auto name = LocalEndpoint(kernel, accept->fd); name.ok()) {
             names[result.fd()] = *name;
           }
         }
         if (const auto* close = call.As<Call::kClose>())
           names.erase(close->fd);
         if (const auto* query = call.As<Call::kGetSockName>();
             query != nullptr && result.ok()) {
           if (const auto name = names.find(query->fd); name != names.end()) {
             WriteName(name->second, query->addr, *query->len, query->len);
           }
         }
         return result;
       }},
      {.name = "peer_is_the_local_name",
       .family = "address wrong",
       .mistake = "Asking for the peer returns the socket's own name.",
       .report = {"StarryOS", 2026,
                  "https://github.com/rcore-os/tgoskits/pull/203",
                  "Logs and access lists saw the server's address instead of "
                  "the client's."},
       .killers = {"peeraddr.connected", "peeraddr.accepted"},
       .mutation = BeforeReturningName<Call::kGetPeerName>(
           [](ip::Endpoint& name, int fd, Syscalls& kernel) {
             if (const auto own = LocalEndpoint(kernel, fd); own.ok()) {
               name = *own;
             }
           })},
      {.name = "peer_is_lost_after_its_end",
       .family = "stale answers",
       .mistake = "A connection whose peer has closed has no peer any more.",
       .report = {"gVisor", 2024,
                  "https://github.com/google/gvisor/issues/9905",
                  "The remote address of a connection became nil while its "
                  "last data was still being read."},
       .killers = {"peeraddr.after_peers_end"},
       .mutation = Instead<Call::kGetPeerName>(
           [](auto& call, auto make, Syscalls& kernel) {
             return TcpState(kernel, call.fd) == TCP_CLOSE_WAIT
                        ? SysResult::Error(ENOTCONN)
                        : make();
           })},
      {.name = "no_peer_aborts",
       .family = "address wrong",
       .mistake = "The process aborts if a socket has no peer.",
       .report = {"netservices.rs", 2024,
                  "https://github.com/cyphernet-labs/netservices.rs/issues/37",
                  "A port scan ended the server."},
       .killers = {"peeraddr.none.unconnected", "peeraddr.none.reset"},
       .mutation =
           After<Call::kGetPeerName>([](auto&, SysResult result, Syscalls&) {
             if (result.error() == ENOTCONN) std::abort();
             return result;
           })},
      {.name = "local_name_is_lost_after_end",
       .family = "stale answers",
       .mistake = "A connection whose peer has closed has no local name.",
       .report = {"btcd", 2016, "https://github.com/btcsuite/btcd/pull/853",
                  "The local address of a disconnected peer was nil, and a "
                  "caller dereferenced it."},
       .killers = {"localaddr.after_peers_end"},
       .mutation = Instead<Call::kGetSockName>(
           [](auto& call, auto make, Syscalls& kernel) {
             return TcpState(kernel, call.fd) == TCP_CLOSE_WAIT
                        ? SysResult::Error(EINVAL)
                        : make();
           })},
      {.name = "port_of_closed_listener_stays_in_use",
       .family = "leaks on one path",
       .mistake = "The address of a closed listener is not free at once.",
       .report = {"Shadow", 2025,
                  "https://github.com/shadow/shadow/issues/3650",
                  "netcat, which listens again, failed with EADDRINUSE."},
       .killers = {"listen.close.frees_port"},
       .mutation = [closed = std::vector<ip::Endpoint>()](
                       Invocation& call, auto make,
                       Syscalls& kernel) mutable -> SysResult {
         if (const auto* close = call.As<Call::kClose>();
             close != nullptr && TcpState(kernel, close->fd) == TCP_LISTEN) {
           if (const auto name = LocalEndpoint(kernel, close->fd); name.ok()) {
             closed.push_back(*name);
           }
         }
         if (const auto* bind = call.As<Call::kBind>()) {
           const auto name = ip::EndpointFromSockaddr(bind->addr, bind->len);
           for (const ip::Endpoint& one : closed) {
             if (one == name) return SysResult::Error(EADDRINUSE);
           }
         }
         return make();
       }},
      {.name = "port_zero_crashes",
       .family = "ports wrong",
       .mistake = "connect(2) to port 0 aborts the process.",
       .report = {"Shadow", 2015, "https://github.com/shadow/shadow/issues/254",
                  "OpenSSL's search for a source of entropy ended the "
                  "simulation."},
       .killers = {"connect.refused.port_zero"},
       .mutation = BeforeNaming<Call::kConnect>([](ip::Endpoint& name) {
         if (name.port == 0) std::abort();
       })},
  };
}

}  // namespace net::conformance
