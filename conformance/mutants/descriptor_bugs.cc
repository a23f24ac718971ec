// Real bugs: descriptors that leak on one path, are closed twice or too early,
// or break something when their number is high.

#include <netinet/tcp.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
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

// Returns a mutation by which a descriptor whose call kCall failed is not
// closed.
template <Call kCall>
Mutation LeaksAfterFailed() {
  return [failed = std::set<int>()](Invocation& call, auto make,
                                    Syscalls&) mutable -> SysResult {
    if (const auto* close = call.As<Call::kClose>();
        close != nullptr && failed.erase(close->fd) > 0) {
      return SysResult::Ok();
    }
    const SysResult result = make();
    if (const auto* one = call.As<kCall>(); one != nullptr && !result.ok() &&
                                            result.error() != EINTR &&
                                            result.error() != EINPROGRESS) {
      failed.insert(one->fd);
    }
    return result;
  };
}

// Returns a mutation by which a descriptor whose call kCall failed is closed
// twice.
template <Call kCall>
Mutation ClosesTwiceAfterFailed() {
  return [failed = std::set<int>()](Invocation& call, auto make,
                                    Syscalls& kernel) mutable -> SysResult {
    const SysResult result = make();
    if (const auto* close = call.As<Call::kClose>();
        close != nullptr && failed.erase(close->fd) > 0) {
      static_cast<void>(kernel.Close(close->fd));
    }
    if (const auto* one = call.As<kCall>(); one != nullptr && !result.ok()) {
      failed.insert(one->fd);
    }
    return result;
  };
}

}  // namespace

std::vector<Mutant> BugsOfDescriptors() {
  return {
      {.name = "leak_after_failed_bind",
       .family = "leaks on one path",
       .mistake = "The socket stays open if bind(2) fails.",
       .report = {"netdata", 2023,
                  "https://github.com/netdata/netdata/pull/15826",
                  "A static analysis found the leak in a retry loop."},
       .killers = {"listen.failure.keeps_no_descriptor", "faults.listen.bind"},
       .mutation = LeaksAfterFailed<Call::kBind>()},
      {.name = "leak_after_failed_connect",
       .family = "leaks on one path",
       .mistake = "The socket stays open if connect(2) fails.",
       .report = {"stud", 2014, "https://github.com/bumptech/stud/pull/143",
                  "A proxy that had used up its ports used up its "
                  "descriptors, too."},
       .killers = {"connect.failure.closes_its_descriptor"},
       .mutation = LeaksAfterFailed<Call::kConnect>()},
      {.name = "leak_after_failed_option",
       .family = "leaks on one path",
       .mistake =
           "The socket stays open if setsockopt(2) fails; other failures "
           "close it.",
       .report = {"Chibi-Scheme", 2019,
                  "https://github.com/ashinn/chibi-scheme/pull/575",
                  "Found by reading: the other error paths closed the socket."},
       .killers = {"faults.listen.setsockopt"},
       .mutation = LeaksAfterFailed<Call::kSetSockOpt>()},
      {.name = "close_twice",
       .family = "double close",
       .mistake = "Each socket is closed a second time.",
       .report = {"QuickFIX", 2026,
                  "https://github.com/quickfix/quickfix/issues/747",
                  "Sockets of other threads were closed."},
       .killers = {"faults.close.not_retried", "faults.connect.closed_once"},
       .mutation = After<Call::kClose>(
           [](auto& call, SysResult result, Syscalls& kernel) {
             static_cast<void>(kernel.Close(call.fd));
             return result;
           })},
      {.name = "close_twice_after_failed_connect",
       .family = "double close",
       .mistake = "The path for a failed connect(2) closes the socket twice.",
       .report = {"proxychains-ng", 2023,
                  "https://github.com/rofl0r/proxychains-ng/pull/542",
                  "New sockets of a program with threads were closed now and "
                  "then."},
       .killers = {"faults.connect.closed_once"},
       .mutation = ClosesTwiceAfterFailed<Call::kConnect>()},
      {.name = "close_is_repeated_after_eintr",
       .family = "retry where forbidden",
       .mistake = "close(2) is called again while it fails with EINTR.",
       .report = {"Boost.Beast", 2019,
                  "https://github.com/boostorg/beast/issues/1445",
                  "On Linux the descriptor is gone, and the second call may "
                  "close another thread's."},
       .killers = {"faults.close.not_retried"},
       .mutation = Instead<Call::kClose>([](auto&, auto make, Syscalls&) {
         SysResult closed = make();
         while (closed.error() == EINTR) closed = make();
         return closed;
       })},
      {.name = "shutdown_both_closes",
       .family = "double close",
       .mistake = "shutdown(2) of both directions closes the descriptor.",
       .report = {"APExp", 2026,
                  "https://github.com/staalmannen/APExp/pull/457",
                  "Every caller closed a descriptor that was not its own any "
                  "more."},
       .killers = {"data.shutdown.both"},
       .mutation = After<Call::kShutdown>(
           [](auto& call, SysResult result, Syscalls& kernel) {
             if (result.ok() && call.how == SHUT_RDWR) {
               static_cast<void>(kernel.Close(call.fd));
             }
             return result;
           })},
      {.name = "shutdown_gives_up_the_socket",
       .family = "double close",
       .mistake = "After a shutdown of one direction the socket cannot be used "
                  "any more.",
       .report = {"sockpp", 2023,
                  "https://github.com/fpagliughi/sockpp/issues/82",
                  "A client that had ended its request could not read the "
                  "answer."},
       .killers = {"data.half_close.own"},
       .mutation = [gone = std::set<int>()](Invocation& call, auto make,
                                            Syscalls&) mutable -> SysResult {
         if (const auto* recv = call.As<Call::kRecv>();
             recv != nullptr && gone.contains(recv->fd)) {
           return SysResult::Error(EBADF);
         }
         const SysResult result = make();
         if (const auto* shutdown = call.As<Call::kShutdown>();
             shutdown != nullptr && result.ok()) {
           gone.insert(shutdown->fd);
         }
         if (const auto* close = call.As<Call::kClose>()) gone.erase(close->fd);
         return result;
       }},
      {.name = "high_descriptor_aborts",
       .family = "breaks at 1,024 descriptors",
       .mistake = "Waiting for a descriptor of FD_SETSIZE or above aborts.",
       .report = {"AMQP-CPP", 2020,
                  "https://github.com/CopernicaMarketingSoftware/AMQP-CPP/pull/"
                  "378",
                  "select(2) overwrote the stack of a program with many open "
                  "files."},
       .killers = {"connect.interrupted.high_descriptor"},
       .mutation = Before<Call::kPoll>([](auto& call, Syscalls&) {
         if (call.fds->fd >= FD_SETSIZE) std::abort();
       })},
  };
}

}  // namespace net::conformance
