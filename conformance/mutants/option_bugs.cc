// Real bugs: options and flags that are ignored, swapped, lost on one path or
// wrong by default; backlogs that are stored and not used.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/mutants/socket_mutations.h"
#include "fakes/call.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

std::vector<Mutant> BugsOfOptions() {
  return {
      {.name = "accepted_without_cloexec",
       .family = "flags lost on one path",
       .mistake = "Accepted sockets are not close-on-exec.",
       .report = {"libzmq", 2014, "https://github.com/zeromq/libzmq/issues/956",
                  "Programs that were started later kept connections open."},
       .killers = {"accept.flags.close_on_exec_by_default",
                   "descriptors.exec.accepted_closed"},
       .mutation = Before<Call::kAccept4>(
           [](auto& call, Syscalls&) { call.flags &= ~SOCK_CLOEXEC; })},
      {.name = "listener_without_cloexec",
       .family = "flags lost on one path",
       .mistake = "Listeners are not close-on-exec; other sockets are.",
       .report = {"libmodbus", 2018,
                  "https://github.com/stephane/libmodbus/pull/434",
                  "A program that was started later held the port."},
       .killers = {"listen.defaults.cloexec",
                   "descriptors.exec.listener_closed"},
       .mutation = Before<Call::kListen>([](auto& call, Syscalls& kernel) {
         static_cast<void>(kernel.Fcntl(call.fd, F_SETFD, 0));
       })},
      {.name = "nothing_is_cloexec",
       .family = "flags lost on one path",
       .mistake = "socket(2) is called without SOCK_CLOEXEC.",
       .report = {"mojito-sys", 2026,
                  "https://github.com/mojito-async/mojito-sys/issues/181",
                  "Every socket was open in every child, although the epoll "
                  "descriptors were not."},
       .killers = {"connect.flags.close_on_exec_by_default",
                   "descriptors.exec.connected_closed"},
       .mutation = Before<Call::kSocket>(
           [](auto& call, Syscalls&) { call.type &= ~SOCK_CLOEXEC; })},
      {.name = "accept4_drops_nonblock",
       .family = "flags lost on one path",
       .mistake = "accept4(2) obeys SOCK_CLOEXEC and forgets SOCK_NONBLOCK.",
       .report = {"LibreSSL portable", 2026,
                  "https://github.com/libressl/portable/pull/1323",
                  "nc's loop, which waits in poll(2), blocked in a read."},
       .killers = {"accept.flags.nonblock", "accept.flags.both"},
       .mutation = Before<Call::kAccept4>(
           [](auto& call, Syscalls&) { call.flags &= ~SOCK_NONBLOCK; })},
      {.name = "accepted_inherits_nonblock",
       .family = "flags lost on one path",
       .mistake = "An accepted socket inherits O_NONBLOCK from its listener.",
       .report = {"clib4", 2026, "https://github.com/AmigaLabs/clib4/pull/455",
                  "The first read of each accepted connection failed with "
                  "EAGAIN in OpenJDK."},
       .killers = {"accept.inherits.not_nonblock",
                   "accept.inherits.not_nonblock.waits"},
       .mutation = Before<Call::kAccept4>([](auto& call, Syscalls& kernel) {
         if (IsNonblocking(kernel, call.fd)) call.flags |= SOCK_NONBLOCK;
       })},
      {.name = "reuseaddr_forgotten",
       .family = "options ignored",
       .mistake = "SO_REUSEADDR is not set.",
       .report = {"wasmtime", 2023,
                  "https://github.com/bytecodealliance/wasmtime/pull/7690",
                  "After a helper function was replaced, a server could not be "
                  "restarted while old connections were in TIME-WAIT."},
       .killers = {"listen.option.reuseaddr",
                   "listen.time_wait.with_reuseaddr"},
       .mutation = Ignores(SOL_SOCKET, SO_REUSEADDR)},
      {.name = "reuseport_forgotten",
       .family = "options ignored",
       .mistake = "Setting SO_REUSEPORT succeeds and does nothing.",
       .report = {"Nanos", 2022, "https://github.com/nanovms/nanos/pull/1652",
                  "The option read as off, whatever a program had set."},
       .killers = {"listen.option.reuseport", "listen.reuseport.two_listeners"},
       .mutation = Ignores(SOL_SOCKET, SO_REUSEPORT)},
      {.name = "reuseaddr_sets_reuseport_too",
       .family = "options swapped",
       .mistake = "The option for SO_REUSEADDR also sets SO_REUSEPORT.",
       .report = {"cpp-httplib", 2020,
                  "https://github.com/yhirose/cpp-httplib/issues/506",
                  "Two servers listened on one port, and neither reported it."},
       .killers = {"listen.option.reuseaddr"},
       .mutation = Before<Call::kSetSockOpt>([](auto& call, Syscalls& kernel) {
         if (Sets(call, SOL_SOCKET, SO_REUSEADDR)) {
           SetOption(kernel, call.fd, SOL_SOCKET, SO_REUSEPORT);
         }
       })},
      {.name = "reuseport_always",
       .family = "options defaulted wrong",
       .mistake = "Each listener has SO_REUSEPORT, wanted or not.",
       .report = {"cpp-httplib", 2026,
                  "https://github.com/yhirose/cpp-httplib/pull/2409",
                  "Two instances of llama.cpp shared a port without an error."},
       .killers = {"listen.defaults.reuse", "listen.in_use.two_of_its_own"},
       .mutation = SetsOnEachSocket(SOL_SOCKET, SO_REUSEPORT)},
      {.name = "port_in_use_is_not_noticed",
       .family = "options defaulted wrong",
       .mistake = "bind(2) and listen(2) succeed on a port in use.",
       .report = {"WSL", 2018, "https://github.com/microsoft/WSL/issues/2915",
                  "A second server on the port started, and got no "
                  "connections."},
       .killers = {"listen.in_use.two_of_its_own",
                   "listen.in_use.holder_goes_on"},
       .mutation = Before<Call::kBind>([](auto& call, Syscalls& kernel) {
         SetOption(kernel, call.fd, SOL_SOCKET, SO_REUSEPORT);
       })},
      {.name = "time_wait_is_not_respected",
       .family = "options defaulted wrong",
       .mistake =
           "bind(2) succeeds in spite of a TIME-WAIT connection, without "
           "SO_REUSEADDR.",
       .report = {"WSL", 2019, "https://github.com/microsoft/WSL/issues/3909",
                  "A port was chosen by bind(2), and connect(2) then failed "
                  "with EADDRINUSE."},
       .killers = {"listen.time_wait.without_reuseaddr"},
       .mutation = Before<Call::kBind>([](auto& call, Syscalls& kernel) {
         SetOption(kernel, call.fd, SOL_SOCKET, SO_REUSEADDR);
       })},
      {.name = "first_socket_without_keepalive",
       .family = "options set too late",
       .mistake = "SO_KEEPALIVE goes to the descriptor of another turn of the "
                  "loop, so that the first socket does not get it.",
       .report = {"pmacct", 2019, "https://github.com/pmacct/pmacct/pull/352",
                  "The first peer that connected was never probed."},
       .killers = {"listen.option.keepalive", "connect.keepalive.on"},
       .mutation = Instead<Call::kSetSockOpt>(
           [seen = false](auto& call, auto make, Syscalls&) mutable {
             const bool is_first =
                 Sets(call, SOL_SOCKET, SO_KEEPALIVE) && !seen;
             seen = seen || is_first;
             return is_first ? SysResult::Ok() : make();
           })},
      {.name = "keepalive_never_set",
       .family = "options ignored",
       .mistake = "The keepalive option sets the times of probes, not "
                  "SO_KEEPALIVE.",
       .report = {"opensomeip", 2026,
                  "https://github.com/vtz/opensomeip/issues/76",
                  "Dead peers were not noticed although keepalive was "
                  "configured."},
       .killers = {"connect.keepalive.on", "listen.option.keepalive"},
       .mutation = Instead<Call::kSetSockOpt>(
           [](auto& call, auto make, Syscalls& kernel) {
             if (!Sets(call, SOL_SOCKET, SO_KEEPALIVE)) return make();
             SetOption(kernel, call.fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
             return SysResult::Ok();
           })},
      {.name = "backlog_is_100",
       .family = "backlog stored and not used",
       .mistake = "listen(2) is called with 100, whatever the backlog is.",
       .report = {"Seastar", 2015,
                  "https://github.com/scylladb/seastar/issues/14",
                  "The queue of a busy server overflowed and could not be "
                  "made longer."},
       .killers = {"listen.backlog.given", "listen.backlog.default"},
       .mutation = Before<Call::kListen>(
           [](auto& call, Syscalls&) { call.backlog = 100; })},
      {.name = "backlog_is_1",
       .family = "backlog stored and not used",
       .mistake = "listen(2) is called with 1.",
       .report = {"kecho", 2020, "https://github.com/sysprog21/kecho/pull/4",
                  "Many clients that connected at once ran into a timeout."},
       .killers = {"listen.backlog.given", "listen.backlog.default"},
       .mutation = Before<Call::kListen>(
           [](auto& call, Syscalls&) { call.backlog = 1; })},
      {.name = "backlog_is_cut_to_16_bits",
       .family = "backlog stored and not used",
       .mistake = "Only 16 bits of the backlog are used, so that 65536 is 0.",
       .report = {"Linux, found by brpc", 2018,
                  "https://github.com/apache/brpc/pull/466",
                  "Servers that asked for the longest queue had none."},
       .killers = {"listen.backlog.beyond_16_bits"},
       .mutation = Before<Call::kListen>(
           [](auto& call, Syscalls&) { call.backlog &= 0xffff; })},
      {.name = "dual_stack_in_spite_of_bindv6only",
       .family = "options defaulted wrong",
       .mistake = "IPV6_V6ONLY is turned off on every IPv6 listener.",
       .report = {"Go", 2015, "https://github.com/golang/go/issues/12579",
                  "A server for IPv6 also served IPv4, which its administrator "
                  "had excluded by net.ipv6.bindv6only."},
       .killers = {"listen.dual_stack.bindv6only_refuses_ipv4"},
       .mutation = Before<Call::kBind>([](auto& call, Syscalls& kernel) {
         SetOption(kernel, call.fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
       })},
      {.name = "accept_blocks_on_nonblocking_listener",
       .family = "blocking where it must not",
       .mistake = "accept(2) on a nonblocking listener waits for a connection.",
       .report = {"Zephyr", 2018,
                  "https://github.com/zephyrproject-rtos/zephyr/issues/6446",
                  "A server that tried to accept without poll(2) stood still."},
       .killers = {"accept.would_block"},
       .mutation =
           Instead<Call::kAccept4>([](auto& call, auto make, Syscalls& kernel) {
             SysResult accepted = make();
             if (accepted.error() != EAGAIN) return accepted;
             pollfd readable = {.fd = call.fd, .events = POLLIN};
             const SysResult polled = kernel.Poll(&readable, 1, -1);
             return polled.ok() ? make() : polled;
           })},
      {.name = "connected_socket_is_blocking",
       .family = "flags lost on one path",
       .mistake =
           "The socket of a nonblocking connect is made nonblocking only "
           "after the attempt has begun, and the attempt blocks.",
       .report = {"rspamd", 2018, "https://github.com/rspamd/rspamd/pull/2524",
                  "The refusal was missed, and another error reported."},
       .killers = {"connect.flags.nonblock",
                   "connect.nonblock.full_queue.under_way"},
       .mutation = Before<Call::kConnect>([](auto& call, Syscalls& kernel) {
         static_cast<void>(kernel.Fcntl(call.fd, F_SETFL, O_RDWR));
       })},
  };
}

}  // namespace net::conformance
