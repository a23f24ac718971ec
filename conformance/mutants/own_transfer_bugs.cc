// Bugs of our own, in the families of the real ones: errors and data.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/mutants/socket_mutations.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Returns a mutation that calls `change(byte)` for each byte that arrives.
template <typename F>
Mutation AfterReceivedByte(F change) {
  return After<Call::kRecv>([change](auto& call, SysResult result, Syscalls&) {
    auto* const bytes = static_cast<char*>(call.data);
    for (int64_t i = 0; result.ok() && i < result.value(); ++i) {
      change(bytes[i]);
    }
    return result;
  });
}

}  // namespace

std::vector<Mutant> OwnBugsOfErrors() {
  return {
      {.name = "no_access_is_not_permitted",
       .family = "errno translated",
       .mistake = "bind(2) to a privileged port fails with EPERM.",
       .killers = {"listen.privileged.refused"},
       .mutation = Translate<Call::kBind>(EACCES, EPERM)},
      {.name = "foreign_address_is_in_use",
       .family = "errno translated",
       .mistake = "bind(2) to an address that is not local fails with "
                  "EADDRINUSE.",
       .killers = {"listen.address_not_available.foreign"},
       .mutation = Translate<Call::kBind>(EADDRNOTAVAIL, EADDRINUSE)},
      {.name = "refused_is_timed_out",
       .family = "errno translated",
       .mistake = "A refused connect(2) fails with ETIMEDOUT.",
       .killers = {"connect.refused.nothing_listens"},
       .mutation = Translate<Call::kConnect>(ECONNREFUSED, ETIMEDOUT)},
      {.name = "host_is_network",
       .family = "errno translated",
       .mistake = "EHOSTUNREACH is reported as ENETUNREACH.",
       .killers = {"connect.unreachable.route"},
       .mutation = Translate<Call::kConnect>(EHOSTUNREACH, ENETUNREACH)},
      {.name = "process_limit_is_system_limit",
       .family = "errno translated",
       .mistake = "socket(2) without a free descriptor fails with ENFILE.",
       .killers = {"listen.too_many_files", "connect.too_many_files"},
       .mutation = Translate<Call::kSocket>(EMFILE, ENFILE)},
      {.name = "broken_pipe_is_reset",
       .family = "errno translated",
       .mistake = "EPIPE of send(2) is reported as ECONNRESET.",
       .killers = {"data.no_sigpipe"},
       .mutation = Translate<Call::kSend>(EPIPE, ECONNRESET)},
      {.name = "send_after_end_succeeds",
       .family = "errno swallowed",
       .mistake = "A send that fails with EPIPE is reported as done.",
       .killers = {"data.no_sigpipe"},
       .mutation =
           After<Call::kSend>([](auto& call, SysResult result, Syscalls&) {
             return result.error() == EPIPE
                        ? SysResult::Ok(static_cast<int64_t>(call.size))
                        : result;
           })},
      {.name = "shutdown_of_unconnected_succeeds",
       .family = "errno swallowed",
       .mistake = "shutdown(2) of a socket without a connection does not fail.",
       .killers = {"data.shutdown.unconnected"},
       .mutation = Translate<Call::kShutdown>(ENOTCONN, 0)},
      {.name = "option_errors_are_swallowed",
       .family = "errno swallowed",
       .mistake = "A failed setsockopt(2) is ignored.",
       .killers = {"faults.listen.setsockopt", "faults.connect.setsockopt"},
       .mutation = After<Call::kSetSockOpt>(
           [](auto&, SysResult, Syscalls&) { return SysResult::Ok(); })},
      {.name = "refused_connect_is_repeated",
       .family = "retry where forbidden",
       .mistake = "A connect(2) that failed with ETIMEDOUT or ENOBUFS is "
                  "repeated.",
       .killers = {"faults.connect.not_retried"},
       .mutation = Instead<Call::kConnect>([](auto&, auto make, Syscalls&) {
         const SysResult result = make();
         return result.ok() || result.error() == EINPROGRESS ||
                        result.error() == EINTR
                    ? result
                    : make();
       })},
      {.name = "interrupted_accept_is_reported",
       .family = "retry: none where required",
       .mistake = "accept(2) is not called again after EINTR.",
       .killers = {"accept.interrupted.goes_on"},
       .mutation = Translate<Call::kAccept4>(EINTR, EIO)},
      {.name = "accept_gives_up_after_three",
       .family = "retry: none where required",
       .mistake = "accept(2) is repeated three times at most.",
       .killers = {"faults.accept.without_bound"},
       .mutation = Instead<Call::kAccept4>([failures = 0](auto&, auto make,
                                                          Syscalls&) mutable {
         const SysResult accepted = make();
         if (accepted.error() != EINTR && accepted.error() != ECONNABORTED) {
           failures = 0;
           return accepted;
         }
         return ++failures > 3 ? SysResult::Error(EIO) : accepted;
       })},
      {.name = "pending_error_is_never_taken",
       .family = "stale answers",
       .mistake = "The result of a nonblocking connect is kept and reported "
                  "again.",
       .killers = {"connect.nonblock.refused.told_once"},
       .mutation = After<Call::kGetSockOpt>(
           [kept = std::map<int, int>()](auto& call, SysResult result,
                                         Syscalls&) mutable {
             if (!result.ok() || !Sets(call, SOL_SOCKET, SO_ERROR)) {
               return result;
             }
             int& error = *static_cast<int*>(call.value);
             if (error != 0) kept[call.fd] = error;
             error = kept[call.fd];
             return result;
           })},
  };
}

std::vector<Mutant> OwnBugsOfData() {
  return {
      {.name = "last_byte_is_cut",
       .family = "data cut",
       .mistake = "The last byte of a long send is not sent.",
       .killers = {"data.large.sent"},
       .mutation = Instead<Call::kSend>([](auto& call, auto make, Syscalls&) {
         if (call.size < 4096) return make();
         --call.size;
         const SysResult result = make();
         return result.ok() ? SysResult::Ok(result.value() + 1) : result;
       })},
      {.name = "bytes_have_seven_bits",
       .family = "data flipped",
       .mistake = "The highest bit of each byte is lost.",
       .killers = {"data.every_byte_value"},
       .mutation = AfterReceivedByte(
           [](char& byte) { byte = static_cast<char>(byte & 0x7f); })},
      {.name = "carriage_return_is_newline",
       .family = "data flipped",
       .mistake = "A carriage return arrives as a newline.",
       .killers = {"data.every_byte_value"},
       .mutation = AfterReceivedByte([](char& byte) {
         if (byte == '\r') byte = '\n';
       })},
      {.name = "data_ends_at_zero",
       .family = "data cut",
       .mistake = "What follows a zero byte is not sent.",
       .killers = {"data.every_byte_value"},
       .mutation = Instead<Call::kSend>([](auto& call, auto make, Syscalls&) {
         const size_t whole = call.size;
         call.size = strnlen(static_cast<const char*>(call.data), whole);
         if (call.size == whole) return make();
         const SysResult result = make();
         return result.ok() ? SysResult::Ok(static_cast<int64_t>(whole))
                            : result;
       })},
      {.name = "rest_of_received_is_dropped",
       .family = "data cut",
       .mistake = "What does not fit into the buffer of a recv(2) is dropped, "
                  "as for datagrams.",
       .killers = {"data.recv.part"},
       .mutation = After<Call::kRecv>([](auto& call, SysResult result,
                                         Syscalls& kernel) {
         if (!result.ok() || result.value() < static_cast<int64_t>(call.size)) {
           return result;
         }
         std::array<char, 4096> rest;
         static_cast<void>(
             kernel.Recv(call.fd, rest.data(), rest.size(), MSG_DONTWAIT));
         return result;
       })},
      {.name = "two_halves_are_swapped",
       .family = "data reordered",
       .mistake = "The second half of a long message arrives first.",
       .killers = {"data.large.received"},
       .mutation = After<Call::kRecv>([](auto& call, SysResult result,
                                         Syscalls&) {
         if (!result.ok() || result.value() < 1024) return result;
         auto* const bytes = static_cast<char*>(call.data);
         std::rotate(bytes, bytes + result.value() / 2, bytes + result.value());
         return result;
       })},
      {.name = "recv_waits_for_a_full_buffer",
       .family = "blocking where it must not",
       .mistake = "recv(2) waits until the buffer is full.",
       .killers = {"data.recv.what_is_there"},
       .mutation = Before<Call::kRecv>(
           [](auto& call, Syscalls&) { call.flags |= MSG_WAITALL; })},
      {.name = "recv_never_waits",
       .family = "blocking where it must not, and not where it must",
       .mistake = "recv(2) on a blocking socket does not wait.",
       .killers = {"data.recv.waits_for_data"},
       .mutation = Before<Call::kRecv>(
           [](auto& call, Syscalls&) { call.flags |= MSG_DONTWAIT; })},
      {.name = "send_never_waits",
       .family = "blocking where it must not, and not where it must",
       .mistake = "send(2) on a blocking socket does not wait for room.",
       .killers = {"data.send.waits_for_room"},
       .mutation = Before<Call::kSend>(
           [](auto& call, Syscalls&) { call.flags |= MSG_DONTWAIT; })},
      {.name = "nonblocking_send_waits",
       .family = "blocking where it must not",
       .mistake = "send(2) on a nonblocking socket waits for room.",
       .killers = {"data.send.would_block"},
       .mutation =
           Instead<Call::kSend>([](auto& call, auto make, Syscalls& kernel) {
             SysResult result = make();
             while (result.error() == EAGAIN) {
               pollfd writable = {.fd = call.fd, .events = POLLOUT};
               const SysResult polled = kernel.Poll(&writable, 1, -1);
               if (!polled.ok()) return polled;
               result = make();
             }
             return result;
           })},
      {.name = "end_is_reported_once",
       .family = "works the first time only",
       .mistake = "The end of the stream is reported once; after that, nothing "
                  "is there.",
       .killers = {"data.end.stays"},
       .mutation = After<Call::kRecv>(
           [ended = std::set<int>()](auto& call, SysResult result,
                                     Syscalls&) mutable {
             if (!result.ok() || result.value() > 0 || call.size == 0) {
               return result;
             }
             return ended.insert(call.fd).second ? result
                                                 : SysResult::Error(EAGAIN);
           })},
      {.name = "close_resets",
       .family = "reset for EOF",
       .mistake = "Each close resets the connection.",
       .killers = {"close.gives_peer_the_end", "close.delivers_what_was_sent"},
       .mutation = Before<Call::kClose>([](auto& call, Syscalls& kernel) {
         const linger reset = {.l_onoff = 1, .l_linger = 0};
         static_cast<void>(kernel.SetSockOpt(call.fd, SOL_SOCKET, SO_LINGER,
                                             &reset, sizeof(reset)));
       })},
      {.name = "recv_works_once",
       .family = "works the first time only",
       .mistake = "The second recv(2) of a socket finds nothing.",
       .killers = {"data.echo"},
       .mutation = Instead<Call::kRecv>(
           [first = true](auto&, auto make, Syscalls&) mutable {
             const SysResult result = first ? make() : SysResult::Ok(0);
             if (result.ok()) first = false;
             return result;
           })},
      {.name = "one_connection_at_a_time",
       .family = "state shared between sockets",
       .mistake = "recv(2) reads from the socket that was connected last.",
       .killers = {"data.connections_apart"},
       .mutation = [current = -1](Invocation& call, auto make,
                                  Syscalls&) mutable -> SysResult {
         auto* const recv = call.As<Call::kRecv>();
         if (recv != nullptr && current >= 0) recv->fd = current;
         const SysResult result = make();
         if (const auto* connect = call.As<Call::kConnect>();
             connect != nullptr && result.ok()) {
           current = connect->fd;
         }
         if (const auto* close = call.As<Call::kClose>();
             close != nullptr && close->fd == current) {
           current = -1;
         }
         return result;
       }},
  };
}

}  // namespace net::conformance
