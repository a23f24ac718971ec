// Real bugs of kernels: socket calls and poll(2) that differ from Linux's.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
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
#include "syscalls/net/socket_names.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Returns a mutation that calls `change(entry, kernel)` for each entry with
// which poll(2) returns.
template <typename F>
Mutation AfterPoll(F change) {
  return After<Call::kPoll>(
      [change](auto& call, SysResult result, Syscalls& kernel) {
        if (!result.ok()) return result;
        int64_t ready = 0;
        for (nfds_t i = 0; i < call.count; ++i) {
          change(call.fds[i], kernel);
          if (call.fds[i].revents != 0) ++ready;
        }
        return SysResult::Ok(ready);
      });
}

bool IsTcpOption(int level, int name) {
  return level == IPPROTO_TCP && name == TCP_NODELAY;
}

}  // namespace

std::vector<Mutant> BugsOfKernels() {
  std::vector<Mutant> all = {
      {.name = "accept_returns_listener",
       .family = "address wrong",
       .mistake = "accept(2) returns the listener's address, not the peer's.",
       .report = {"Gramine", 2022,
                  "https://github.com/gramineproject/gramine/pull/412",
                  "A server could not tell its clients apart."},
       .killers = {"kernel.accept.address.peer"},
       .mutation = BeforeReturningName<Call::kAccept4>(
           [](ip::Endpoint& name, int fd, Syscalls& kernel) {
             if (const auto own = LocalEndpoint(kernel, fd); own.ok()) {
               name = *own;
             }
           })},
      {.name = "accept_does_not_fill_address",
       .family = "address wrong",
       .mistake = "accept(2) leaves the caller's address buffer as it was.",
       .report = {"Open Enclave", 2019,
                  "https://github.com/openenclave/openenclave/pull/2351",
                  "The peer's address was what the buffer had held before."},
       .killers = {"kernel.accept.address.peer"},
       .mutation = Before<Call::kAccept4>([](auto& call, Syscalls&) {
         call.addr = nullptr;
         call.len = nullptr;
       })},
      {.name = "second_listen_fails",
       .family = "second listen refused",
       .mistake = "listen(2) on a listener fails.",
       .report = {"Shadow", 2021,
                  "https://github.com/shadow/shadow/issues/1827",
                  "Programs that change their backlog ended."},
       .killers = {"kernel.listen.queue.room_by_listen"},
       .mutation =
           Instead<Call::kListen>([](auto& call, auto make, Syscalls& kernel) {
             return TcpState(kernel, call.fd) == TCP_LISTEN
                        ? SysResult::Error(EINVAL)
                        : make();
           })},
      {.name = "second_listen_keeps_backlog",
       .family = "backlog stored and not used",
       .mistake = "listen(2) on a listener succeeds and keeps the old backlog.",
       .report = {"Shadow", 2022,
                  "https://github.com/shadow/shadow/issues/1827",
                  "The queue did not become longer."},
       .killers = {"kernel.listen.queue.room_by_listen"},
       .mutation =
           Instead<Call::kListen>([](auto& call, auto make, Syscalls& kernel) {
             return TcpState(kernel, call.fd) == TCP_LISTEN ? SysResult::Ok()
                                                            : make();
           })},
      {.name = "negative_backlog_is_one",
       .family = "backlog stored and not used",
       .mistake = "A negative backlog is the shortest one, not the longest.",
       .report = {"XLIO", 2023, "https://github.com/Mellanox/libxlio/pull/54",
                  "Servers that pass -1 accepted connections slowly."},
       .killers = {"kernel.listen.backlog.negative"},
       .mutation = Before<Call::kListen>([](auto& call, Syscalls&) {
         if (call.backlog < 0) call.backlog = 1;
       })},
      {.name = "listen_after_shutdown_fails",
       .family = "works the first time only",
       .mistake = "A listener that was shut down cannot listen again.",
       .report = {"gVisor", 2020,
                  "https://github.com/google/gvisor/issues/2468",
                  "Servers that pause by shutdown(2) could not go on."},
       .killers = {"kernel.bind.port.shutdown.listen_again"},
       .mutation = [ended = std::set<int>()](
                       Invocation& call, auto make,
                       Syscalls& kernel) mutable -> SysResult {
         if (const auto* shutdown = call.As<Call::kShutdown>();
             shutdown != nullptr &&
             TcpState(kernel, shutdown->fd) == TCP_LISTEN) {
           ended.insert(shutdown->fd);
         }
         if (const auto* listen = call.As<Call::kListen>();
             listen != nullptr && ended.contains(listen->fd)) {
           return SysResult::Error(EINVAL);
         }
         if (const auto* close = call.As<Call::kClose>()) {
           ended.erase(close->fd);
         }
         return make();
       }},
      {.name = "shutdown_of_attempt_fails",
       .family = "errno translated",
       .mistake = "shutdown(2) on a connecting socket fails with ENOTCONN and "
                  "does nothing.",
       .report = {"gVisor", 2021,
                  "https://github.com/google/gvisor/issues/6495",
                  "An attempt to connect could not be given up."},
       .killers = {"kernel.ending.shutdown.connecting"},
       .mutation = Instead<Call::kShutdown>(
           [](auto& call, auto make, Syscalls& kernel) {
             return TcpState(kernel, call.fd) == TCP_SYN_SENT
                        ? SysResult::Error(ENOTCONN)
                        : make();
           })},
      {.name = "refused_socket_is_unusable",
       .family = "works the first time only",
       .mistake = "After a refused connect(2) every other one fails.",
       .report = {"gVisor", 2020,
                  "https://github.com/google/gvisor/issues/3828",
                  "A program could not try another address with the same "
                  "socket."},
       .killers = {"kernel.connect.refused.then_elsewhere"},
       .mutation = [refused = std::set<int>()](Invocation& call, auto make,
                                               Syscalls&) mutable -> SysResult {
         if (const auto* close = call.As<Call::kClose>()) {
           refused.erase(close->fd);
         }
         const auto* connect = call.As<Call::kConnect>();
         if (connect == nullptr) return make();
         if (refused.contains(connect->fd)) {
           return SysResult::Error(ECONNABORTED);
         }
         const SysResult result = make();
         if (result.error() == ECONNREFUSED) refused.insert(connect->fd);
         return result;
       }},
      {.name = "multicast_is_not_available",
       .family = "errno translated",
       .mistake = "bind(2) to an IPv6 multicast address fails with "
                  "EADDRNOTAVAIL in place of EINVAL.",
       .report = {"gVisor", 2020,
                  "https://github.com/google/gvisor/issues/4940",
                  "Found by comparing with Linux."},
       .killers = {"kernel.bind.address.multicast_v6"},
       .mutation = After<Call::kBind>([](auto& call, SysResult result,
                                         Syscalls&) {
         const bool is_multicast =
             call.addr != nullptr && call.len >= sizeof(sockaddr_in6) &&
             call.addr->sa_family == AF_INET6 &&
             IN6_IS_ADDR_MULTICAST(
                 &reinterpret_cast<const sockaddr_in6*>(call.addr)->sin6_addr);
         return result.error() == EINVAL && is_multicast
                    ? SysResult::Error(EADDRNOTAVAIL)
                    : result;
       })},
      {.name = "little_room_for_option_is_refused",
       .family = "errno translated",
       .mistake = "getsockopt(2) of a TCP option fails if there is room for "
                  "less than an int.",
       .report = {"gVisor", 2026, "https://github.com/google/gvisor/pull/13017",
                  "python-trio, which asks with a byte, did not start."},
       .killers = {"kernel.options.get.tcp_in_little_room"},
       .mutation =
           Instead<Call::kGetSockOpt>([](auto& call, auto make, Syscalls&) {
             return IsTcpOption(call.level, call.name) && call.len != nullptr &&
                            *call.len < sizeof(int)
                        ? SysResult::Error(EINVAL)
                        : make();
           })},
      {.name = "buffer_size_needs_connection",
       .family = "errno translated",
       .mistake = "The size of a buffer cannot be read before the socket is "
                  "connected.",
       .report = {"gVisor", 2020, "https://github.com/wazuh/wazuh/pull/6444",
                  "wazuh-db did not start in containers."},
       .killers = {"kernel.options.buffer.doubled"},
       .mutation = Instead<Call::kGetSockOpt>(
           [](auto& call, auto make, Syscalls& kernel) {
             return (Sets(call, SOL_SOCKET, SO_RCVBUF) ||
                     Sets(call, SOL_SOCKET, SO_SNDBUF)) &&
                            TcpState(kernel, call.fd) == TCP_CLOSE
                        ? SysResult::Error(ENOTCONN)
                        : make();
           })},
      {.name = "unconnected_has_a_peer",
       .family = "errno swallowed",
       .mistake = "getpeername(2) succeeds on a socket without a peer.",
       .report = {"Phoenix-RTOS", 2026,
                  "https://github.com/phoenix-rtos/phoenix-rtos-project/issues/"
                  "1673",
                  "Programs used an address that nobody had written."},
       .killers = {"kernel.connect.under_way.names",
                   "kernel.ending.names.reset"},
       .mutation = Translate<Call::kGetPeerName>(ENOTCONN, 0)},
      {.name = "second_connect_is_not_told_apart",
       .family = "errno translated",
       .mistake =
           "connect(2) on a connected socket does not fail with EISCONN.",
       .report = {"lwIP", 2014, "https://github.com/tabascoeye/lwip/issues/11",
                  "Programs that poll by connect(2) never saw that they were "
                  "connected."},
       .killers = {"kernel.connect.connected.again"},
       .mutation = Translate<Call::kConnect>(EISCONN, EALREADY)},
      {.name = "attempt_under_way_is_eagain",
       .family = "errno translated",
       .mistake = "A nonblocking connect(2) fails with EAGAIN in place of "
                  "EINPROGRESS.",
       .report = {"picotcp-bsd", 2018,
                  "https://github.com/tass-belgium/picotcp-bsd/pull/7",
                  "Libraries for POSIX gave up."},
       .killers = {"kernel.connect.nonblock.in_progress"},
       .mutation = Translate<Call::kConnect>(EINPROGRESS, EAGAIN)},
      {.name = "blocking_connect_ignores_signals",
       .family = "blocking where it must not",
       .mistake = "A signal does not interrupt connect(2).",
       .report = {"ToaruOS", 2026,
                  "https://github.com/klange/toaruos/issues/368",
                  "Ctrl-C did not end an attempt to connect."},
       .killers = {"kernel.connect.blocking.interrupted"},
       .mutation =
           Instead<Call::kConnect>([](auto& call, auto make, Syscalls& kernel) {
             const SysResult result = make();
             if (result.error() != EINTR) return result;
             pollfd writable = {.fd = call.fd, .events = POLLOUT};
             SysResult polled;
             do {
               polled = kernel.Poll(&writable, 1, -1);
             } while (polled.error() == EINTR);
             const int error = GetOption(kernel, call.fd, SOL_SOCKET, SO_ERROR);
             return error > 0 ? SysResult::Error(error) : SysResult::Ok();
           })},
      {.name = "name_of_bound_socket_fails",
       .family = "errno translated",
       .mistake = "getsockname(2) fails on a socket that is only bound.",
       .report = {"Zephyr", 2023,
                  "https://github.com/zephyrproject-rtos/zephyr/issues/61545",
                  "Services could not find out which port they had got."},
       .killers = {"kernel.bind.port_zero", "kernel.bind.named_port"},
       .mutation = Instead<Call::kGetSockName>(
           [](auto& call, auto make, Syscalls& kernel) {
             return TcpState(kernel, call.fd) == TCP_CLOSE
                        ? SysResult::Error(EINVAL)
                        : make();
           })},
      {.name = "nodelay_is_inverted",
       .family = "options swapped",
       .mistake = "Setting TCP_NODELAY to 1 turns it off.",
       .report = {"Nanos", 2022, "https://github.com/nanovms/nanos/pull/1652",
                  "Small messages were late when a program had asked for the "
                  "opposite."},
       .killers = {"kernel.options.tcp.nodelay"},
       .mutation = Instead<Call::kSetSockOpt>(
           [](auto& call, auto make, Syscalls& kernel) {
             if (!Sets(call, IPPROTO_TCP, TCP_NODELAY) ||
                 call.value == nullptr || call.len < sizeof(int)) {
               return make();
             }
             int value = 0;
             std::memcpy(&value, call.value, sizeof(value));
             value = value == 0 ? 1 : 0;
             return kernel.SetSockOpt(call.fd, call.level, call.name, &value,
                                      sizeof(value));
           })},
      {.name = "nodelay_is_not_inherited",
       .family = "flags lost on one path",
       .mistake = "TCP options of a listener are not those of its connections.",
       .report = {"Nanos", 2022, "https://github.com/nanovms/nanos/pull/1689",
                  "Options that servers set on the listener had no effect, or "
                  "overwrote other fields."},
       .killers = {"kernel.options.inherited.tcp"},
       .mutation = After<Call::kAccept4>(
           [](auto&, SysResult accepted, Syscalls& kernel) {
             if (accepted.ok()) {
               SetOption(kernel, accepted.fd(), IPPROTO_TCP, TCP_NODELAY, 0);
             }
             return accepted;
           })},
      {.name = "nodelay_is_read_as_its_bit",
       .family = "options defaulted wrong",
       .mistake = "A switch that is on reads as the value of its bit.",
       .report = {"libogc", 2020,
                  "https://github.com/devkitPro/libogc/pull/105",
                  "Programs that compare with 1 took it for off."},
       .killers = {"kernel.options.tcp.nodelay"},
       .mutation = After<Call::kGetSockOpt>(
           [](auto& call, SysResult result, Syscalls&) {
             if (result.ok() && Sets(call, IPPROTO_TCP, TCP_NODELAY) &&
                 *call.len == sizeof(int)) {
               *static_cast<int*>(call.value) *= 0x40;
             }
             return result;
           })},
      {.name = "peek_takes_the_data",
       .family = "data lost",
       .mistake = "MSG_PEEK is not looked at, so that data is taken.",
       .report = {"Emscripten", 2026,
                  "https://github.com/emscripten-core/emscripten/pull/27278",
                  "After a peek, the real read failed with EAGAIN."},
       .killers = {"kernel.data.recv.peek"},
       .mutation = Before<Call::kRecv>(
           [](auto& call, Syscalls&) { call.flags &= ~MSG_PEEK; })},
      {.name = "peek_loops",
       .family = "spinning",
       .mistake = "recv(2) with MSG_PEEK never ends.",
       .report = {"lwIP", 2017,
                  "https://github.com/ourairquality/lwip/issues/2",
                  "A look at the header of a message did not come back."},
       .killers = {"kernel.data.recv.peek"},
       .mutation = Instead<Call::kRecv>([](auto& call, auto make, Syscalls&) {
         SysResult result = make();
         while ((call.flags & MSG_PEEK) != 0 && result.ok()) result = make();
         return result;
       })},
      {.name = "nothing_after_peek",
       .family = "data lost",
       .mistake = "The recv(2) after one with MSG_PEEK finds nothing.",
       .report = {"NuttX", 2020, "https://github.com/apache/nuttx/pull/1446",
                  "recv(2) failed because of an earlier peek."},
       .killers = {"kernel.data.recv.peek"},
       .mutation =
           Instead<Call::kRecv>([peeked = std::set<int>()](
                                    auto& call, auto make, Syscalls&) mutable {
             if (peeked.erase(call.fd) > 0) return SysResult::Error(EAGAIN);
             if ((call.flags & MSG_PEEK) != 0) peeked.insert(call.fd);
             return make();
           })},
      {.name = "dontwait_waits",
       .family = "blocking where it must not",
       .mistake = "The flags of recv(2) are not handed on, so that "
                  "MSG_DONTWAIT blocks.",
       .report = {"OpenPGM", 2011,
                  "https://github.com/steve-o/openpgm/issues/5",
                  "A receive that should have returned at once waited."},
       .killers = {"kernel.data.dont_wait"},
       .mutation = Before<Call::kRecv>(
           [](auto& call, Syscalls&) { call.flags &= ~MSG_DONTWAIT; })},
      {.name = "listener_is_never_readable",
       .family = "events lost",
       .mistake = "poll(2) does not report a connection that waits in the "
                  "queue.",
       .report = {"DragonOS", 2024,
                  "https://github.com/DragonOS-Community/DragonOS/issues/854",
                  "Servers that wait by poll did not notice clients."},
       .killers = {"kernel.poll.listening.queued"},
       .mutation = AfterPoll([](pollfd& entry, Syscalls& kernel) {
         if (TcpState(kernel, entry.fd) == TCP_LISTEN) {
           entry.revents = static_cast<int16_t>(entry.revents & ~POLLIN);
         }
       })},
      {.name = "fresh_socket_has_an_error",
       .family = "events wrong",
       .mistake = "poll(2) of a new socket reports POLLERR.",
       .report = {"NuttX", 2023, "https://github.com/apache/nuttx/pull/10324",
                  "A test of libuv with several handles failed."},
       .killers = {"kernel.poll.fresh"},
       .mutation = AfterPoll([](pollfd& entry, Syscalls& kernel) {
         if (TcpState(kernel, entry.fd) == TCP_CLOSE) {
           entry.revents = POLLERR | POLLHUP;
         }
       })},
      {.name = "hang_up_is_not_reported",
       .family = "events lost",
       .mistake = "poll(2) knows neither POLLHUP nor POLLRDHUP.",
       .report = {"Asterinas", 2024,
                  "https://github.com/asterinas/asterinas/pull/1493",
                  "Programs did not notice the end of a connection."},
       .killers = {"kernel.poll.ended.both", "kernel.poll.ended.peer"},
       .mutation = AfterPoll([](pollfd& entry, Syscalls&) {
         entry.revents =
             static_cast<int16_t>(entry.revents & ~(POLLHUP | POLLRDHUP));
       })},
  };
  for (Mutant& mutant : all) mutant.layer = Layer::kKernel;
  return all;
}

}  // namespace net::conformance
