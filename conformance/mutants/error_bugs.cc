// Real bugs: errnos that are translated, swallowed or taken from the clean-up;
// calls that are repeated where that is wrong, and not where it is right.

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/mutants/socket_mutations.h"
#include "fakes/call.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Returns the errno of closing a duplicate of `fd`; that of `failure` if there
// is none. This is what a program finds in errno after it has cleaned up.
SysResult AfterCleanUp(SysResult failure, int fd, Syscalls& kernel) {
  if (failure.ok()) return failure;
  const SysResult duplicate = kernel.Fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (!duplicate.ok()) return failure;
  const SysResult closed = kernel.Close(duplicate.fd());
  return closed.ok() ? failure : closed;
}

}  // namespace

std::vector<Mutant> BugsOfErrors() {
  return {
      {.name = "bind_errno_of_clean_up",
       .family = "errno taken from the clean-up",
       .mistake = "After a failed bind(2) the errno of close(2) is reported.",
       .report = {"uSockets", 2026,
                  "https://github.com/uNetworking/uSockets/pull/254",
                  "The reason why a server could not listen was overwritten."},
       .killers = {"faults.listen.first_errno_wins"},
       .mutation = After<Call::kBind>(
           [](auto& call, SysResult result, Syscalls& kernel) {
             return AfterCleanUp(result, call.fd, kernel);
           })},
      {.name = "connect_errno_of_clean_up",
       .family = "errno taken from the clean-up",
       .mistake = "After a failed connect(2) errno is read when the socket has "
                  "been closed.",
       .report = {"Bun", 2026, "https://github.com/oven-sh/bun/pull/39579",
                  "Failed connections were reported with the wrong code."},
       .killers = {"faults.connect.first_errno_wins"},
       .mutation = After<Call::kConnect>(
           [](auto& call, SysResult result, Syscalls& kernel) {
             return AfterCleanUp(result, call.fd, kernel);
           })},
      {.name = "address_in_use_is_bad_descriptor",
       .family = "errno translated",
       .mistake = "bind(2) on a port in use is reported as EBADF.",
       .report = {"pyftpdlib", 2013,
                  "https://github.com/giampaolo/pyftpdlib/issues/243",
                  "Starting a second server failed with an error that nobody "
                  "understood."},
       .killers = {"listen.in_use.same_address"},
       .mutation = Translate<Call::kBind>(EADDRINUSE, EBADF)},
      {.name = "timeout_is_unknown",
       .family = "errno translated",
       .mistake = "ETIMEDOUT is missing in the table of errnos.",
       .report = {"libuv", 2011, "https://github.com/joyent/libuv/issues/250",
                  "Node.js printed \"Unknown system errno 110\"."},
       .killers = {"connect.timed_out"},
       .mutation = Translate<Call::kConnect>(ETIMEDOUT, EIO)},
      {.name = "ports_used_up_is_no_buffers",
       .family = "errno translated",
       .mistake = "A connect(2) for which no port is free fails with ENOBUFS.",
       .report = {"libuv", 2013, "https://github.com/joyent/libuv/pull/823",
                  "Users looked for a lack of memory."},
       .killers = {"connect.ports_used_up"},
       .mutation = Translate<Call::kConnect>(EADDRNOTAVAIL, ENOBUFS)},
      {.name = "listen_is_not_checked",
       .family = "errno swallowed",
       .mistake = "The result of listen(2) is not looked at.",
       .report = {"libwebsockets", 2017,
                  "https://github.com/warmcat/libwebsockets/pull/735",
                  "accept(2) failed with EINVAL in an endless loop."},
       .killers = {"faults.listen.listen"},
       .mutation = After<Call::kListen>(
           [](auto&, SysResult, Syscalls&) { return SysResult::Ok(); })},
      {.name = "socket_error_is_not_supported",
       .family = "errno translated",
       .mistake = "getsockopt(2) with SO_ERROR fails with ENOPROTOOPT.",
       .report = {"KallistiOS", 2023,
                  "https://github.com/KallistiOS/KallistiOS/pull/361",
                  "Programs gave up connections that had been established."},
       .killers = {"connect.nonblock.then_ready"},
       .mutation =
           Instead<Call::kGetSockOpt>([](auto& call, auto make, Syscalls&) {
             return Sets(call, SOL_SOCKET, SO_ERROR)
                        ? SysResult::Error(ENOPROTOOPT)
                        : make();
           })},
      {.name = "writable_means_connected",
       .family = "errno swallowed",
       .mistake = "A nonblocking connect has succeeded when the socket is "
                  "writable; SO_ERROR is not read.",
       .report = {".NET", 2021, "https://github.com/dotnet/runtime/pull/57756",
                  "A socket that had been refused was reported as connected."},
       .killers = {"connect.nonblock.refused",
                   "connect.nonblock.full_queue.then_refused"},
       .mutation = After<Call::kGetSockOpt>(
           [](auto& call, SysResult result, Syscalls&) {
             if (result.ok() && Sets(call, SOL_SOCKET, SO_ERROR)) {
               *static_cast<int*>(call.value) = 0;
             }
             return result;
           })},
      {.name = "connected_is_an_error",
       .family = "errno translated",
       .mistake = "SO_ERROR is EISCONN when a nonblocking connect has "
                  "succeeded.",
       .report = {"Watt-32", 2023, "https://github.com/gvanem/Watt-32/pull/79",
                  "An HTTP client of Asio failed although it was connected."},
       .killers = {"connect.nonblock.then_ready"},
       .mutation = After<Call::kGetSockOpt>(
           [](auto& call, SysResult result, Syscalls& kernel) {
             if (!Sets(call, SOL_SOCKET, SO_ERROR)) return result;
             if (TcpState(kernel, call.fd) == TCP_ESTABLISHED) {
               *static_cast<int*>(call.value) = EISCONN;
             }
             return result;
           })},
      {.name = "attempt_under_way_is_a_failure",
       .family = "errno translated",
       .mistake = "EINPROGRESS counts as a failure of connect(2).",
       .report = {"Mynewt", 2018,
                  "https://github.com/apache/mynewt-core/pull/938",
                  "Nonblocking connects failed unless they were done at once."},
       .killers = {"connect.nonblock.then_ready"},
       .mutation = Translate<Call::kConnect>(EINPROGRESS, EIO)},
      {.name = "interrupted_connect_fails",
       .family = "retry: none where required",
       .mistake = "A connect(2) that a signal interrupted counts as failed.",
       .report = {"ZeroMQ", 2012, "https://github.com/zeromq/zeromq3-x/pull/20",
                  "The attempt went on, and nobody waited for it."},
       .killers = {"connect.interrupted.then_established"},
       .mutation = Translate<Call::kConnect>(EINTR, ECONNABORTED)},
      {.name = "interrupted_connect_is_repeated",
       .family = "retry where forbidden",
       .mistake = "connect(2) is called again when it was interrupted.",
       .report = {"Rust", 2023, "https://github.com/rust-lang/rust/pull/116132",
                  "The second call failed with EISCONN on a connection that "
                  "was fine."},
       .killers = {"faults.connect.interrupted.connects_once"},
       .mutation = Instead<Call::kConnect>([](auto&, auto make, Syscalls&) {
         SysResult result = make();
         while (result.error() == EINTR) result = make();
         return result;
       })},
      {.name = "interruption_is_remembered",
       .family = "errno swallowed",
       .mistake = "After an interrupted call that was repeated, EINTR is still "
                  "reported although the second one succeeded.",
       .report = {"curl", 2026, "https://github.com/curl/curl/pull/20809",
                  "A signal made the set-up of a connection fail."},
       .killers = {"faults.connect.interrupted.in_poll"},
       .mutation = [interrupted = false](Invocation& call, auto make,
                                         Syscalls&) mutable -> SysResult {
         const SysResult result = make();
         if (call.As<Call::kPoll>() != nullptr && result.error() == EINTR) {
           interrupted = true;
         }
         return interrupted && call.As<Call::kGetSockOpt>() != nullptr
                    ? SysResult::Error(EINTR)
                    : result;
       }},
      {.name = "blocking_connect_does_not_wait",
       .family = "blocking where it must not, and not where it must",
       .mistake = "A blocking connect returns before the connection is there.",
       .report = {"OpenPerf", 2019,
                  "https://github.com/Spirent/openperf/pull/64",
                  "Programs sent on a socket that was not connected."},
       .killers = {"connect.blocking.waits_for_room"},
       .mutation = Instead<Call::kConnect>([](auto& call, auto make,
                                              Syscalls& kernel) {
         if (IsNonblocking(kernel, call.fd)) return make();
         static_cast<void>(kernel.Fcntl(call.fd, F_SETFL, O_RDWR | O_NONBLOCK));
         const SysResult result = make();
         static_cast<void>(kernel.Fcntl(call.fd, F_SETFL, O_RDWR));
         return result.error() == EINPROGRESS || result.error() == ECONNREFUSED
                    ? SysResult::Ok()
                    : result;
       })},
      {.name = "aborted_connection_ends_accept",
       .family = "retry: none where required",
       .mistake = "accept(2) is not called again after ECONNABORTED.",
       .report = {"gRPC", 2022, "https://github.com/grpc/grpc/pull/29318",
                  "A client that went away early stopped the server from "
                  "accepting."},
       .killers = {"faults.accept.aborted"},
       .mutation = Translate<Call::kAccept4>(ECONNABORTED, ECONNRESET)},
      {.name = "accept_spins_when_nobody_is_there",
       .family = "spinning",
       .mistake = "accept(2) is called again and again after EAGAIN.",
       .report = {"Pony", 2015, "https://github.com/ponylang/ponyc/pull/269",
                  "The runtime was busy with an endless loop."},
       .killers = {"accept.would_block"},
       .mutation = Instead<Call::kAccept4>([](auto&, auto make, Syscalls&) {
         SysResult accepted = make();
         while (accepted.error() == EAGAIN) accepted = make();
         return accepted;
       })},
      {.name = "accept_spins_without_descriptors",
       .family = "spinning",
       .mistake = "accept(2) is called again at once after EMFILE.",
       .report = {"nanomsg", 2013,
                  "https://github.com/nanomsg/nanomsg/issues/152",
                  "The process used a whole processor while it was out of "
                  "descriptors."},
       .killers = {"accept.too_many_files"},
       .mutation = Instead<Call::kAccept4>([](auto&, auto make, Syscalls&) {
         SysResult accepted = make();
         while (accepted.error() == EMFILE) accepted = make();
         return accepted;
       })},
      {.name = "interrupted_recv_is_a_lost_connection",
       .family = "errno translated",
       .mistake = "EINTR of recv(2) is reported as an error of the connection.",
       .report = {"F Prime", 2026, "https://github.com/nasa/fprime/issues/5337",
                  "A signal could end a connection."},
       .killers = {"data.recv.interrupted"},
       .mutation = Translate<Call::kRecv>(EINTR, EIO)},
      {.name = "null_address_of_accept_is_refused",
       .family = "errno translated",
       .mistake =
           "accept4(2) fails with EFAULT if the caller does not want the "
           "peer's address.",
       .report = {"Cosmopolitan", 2023,
                  "https://github.com/jart/cosmopolitan/issues/734",
                  "Programs that pass NULL could accept nothing."},
       .killers = {"accept.in_order"},
       .mutation =
           Instead<Call::kAccept4>([](auto& call, auto make, Syscalls&) {
             return call.addr == nullptr ? SysResult::Error(EFAULT) : make();
           })},
      {.name = "close_of_nothing_succeeds",
       .family = "errno swallowed",
       .mistake = "close(2) of a descriptor that is not open does not fail.",
       .report = {"Onload", 2023,
                  "https://github.com/Xilinx-CNS/onload/issues/125",
                  "errno was 0 after a failed close(2)."},
       .killers = {"data.closed_descriptor"},
       .mutation = Translate<Call::kClose>(EBADF, 0)},
  };
}

}  // namespace net::conformance
