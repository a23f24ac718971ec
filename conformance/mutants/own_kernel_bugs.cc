// Bugs of our own, in the families of the real ones: kernels.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
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
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

std::vector<Mutant> OwnBugsOfKernels() {
  std::vector<Mutant> all = {
      {.name = "poll_without_time_waits",
       .family = "blocking where it must not",
       .mistake = "poll(2) with a time of 0 waits.",
       .killers = {"kernel.poll.listening.idle"},
       .mutation = Before<Call::kPoll>([](auto& call, Syscalls&) {
         if (call.timeout_ms == 0) call.timeout_ms = -1;
       })},
      {.name = "poll_gives_up",
       .family = "blocking where it must not, and not where it must",
       .mistake = "poll(2) without a limit ends after a second.",
       .killers = {"kernel.poll.connecting.timed_out"},
       .mutation = Before<Call::kPoll>([](auto& call, Syscalls&) {
         if (call.timeout_ms < 0) call.timeout_ms = 1000;
       })},
      {.name = "ignored_entry_is_invalid",
       .family = "events wrong",
       .mistake = "poll(2) reports POLLNVAL for a negative descriptor.",
       .killers = {"kernel.poll.entry.negative"},
       .mutation =
           After<Call::kPoll>([](auto& call, SysResult result, Syscalls&) {
             int64_t more = 0;
             for (nfds_t i = 0; result.ok() && i < call.count; ++i) {
               if (call.fds[i].fd >= 0) continue;
               call.fds[i].revents = POLLNVAL;
               ++more;
             }
             return result.ok() ? SysResult::Ok(result.value() + more) : result;
           })},
      {.name = "error_is_asked_for_only",
       .family = "events lost",
       .mistake = "POLLERR and POLLHUP are reported only if they are asked "
                  "for.",
       .killers = {"kernel.poll.reset"},
       .mutation =
           After<Call::kPoll>([](auto& call, SysResult result, Syscalls&) {
             if (!result.ok()) return result;
             int64_t ready = 0;
             for (nfds_t i = 0; i < call.count; ++i) {
               pollfd& entry = call.fds[i];
               entry.revents = static_cast<int16_t>(entry.revents &
                                                    (entry.events | POLLNVAL));
               if (entry.revents != 0) ++ready;
             }
             return SysResult::Ok(ready);
           })},
      {.name = "duplicate_has_its_own_flags",
       .family = "state shared between sockets",
       .mistake = "O_NONBLOCK of a duplicate cannot be changed.",
       .killers = {"kernel.descriptors.dup.shared_flags"},
       .mutation = [duplicates = std::set<int>()](
                       Invocation& call, auto make,
                       Syscalls&) mutable -> SysResult {
         if (const auto* set = call.As<Call::kFcntl>();
             set != nullptr && set->command == F_SETFL &&
             duplicates.contains(set->fd)) {
           return SysResult::Ok();
         }
         const SysResult result = make();
         if (call.As<Call::kDup>() != nullptr && result.ok()) {
           duplicates.insert(result.fd());
         }
         return result;
       }},
      {.name = "numbers_are_not_used_again",
       .family = "descriptors",
       .mistake = "A new socket gets a number that no socket had before.",
       .killers = {"kernel.descriptors.number.lowest_free"},
       .mutation = After<Call::kSocket>([next = 0](auto& call, SysResult made,
                                                   Syscalls& kernel) mutable {
         if (!made.ok()) return made;
         const int command =
             (call.type & SOCK_CLOEXEC) != 0 ? F_DUPFD_CLOEXEC : F_DUPFD;
         const SysResult moved =
             kernel.Fcntl(made.fd(), command, std::max(made.fd() + 1, next));
         if (!moved.ok()) return made;
         static_cast<void>(kernel.Close(made.fd()));
         next = moved.fd() + 1;
         return moved;
       })},
      {.name = "accepted_inherits_cloexec",
       .family = "flags lost on one path",
       .mistake = "accept4(2) without SOCK_CLOEXEC sets it.",
       .killers = {"kernel.accept.flags.not_inherited"},
       .mutation = Before<Call::kAccept4>(
           [](auto& call, Syscalls&) { call.flags |= SOCK_CLOEXEC; })},
      {.name = "cut_name_reports_room",
       .family = "address wrong",
       .mistake =
           "The length that getsockname(2) returns is that of what fitted "
           "into the buffer.",
       .killers = {"kernel.arguments.name.cut"},
       .mutation =
           Instead<Call::kGetSockName>([](auto& call, auto make, Syscalls&) {
             if (call.len == nullptr) return make();
             const socklen_t room = *call.len;
             const SysResult result = make();
             if (result.ok()) *call.len = std::min(room, *call.len);
             return result;
           })},
      {.name = "error_option_is_kept",
       .family = "stale answers",
       .mistake = "Reading SO_ERROR does not clear it.",
       .killers = {"kernel.options.error.taken_once"},
       .mutation = After<Call::kGetSockOpt>(
           [kept = std::map<int, int>()](auto& call, SysResult result,
                                         Syscalls&) mutable {
             if (!result.ok() || !Sets(call, SOL_SOCKET, SO_ERROR) ||
                 *call.len != sizeof(int)) {
               return result;
             }
             int& error = *static_cast<int*>(call.value);
             if (error != 0) kept[call.fd] = error;
             error = kept[call.fd];
             return result;
           })},
      {.name = "buffer_size_is_not_doubled",
       .family = "options defaulted wrong",
       .mistake = "SO_RCVBUF reads as it was set.",
       .killers = {"kernel.options.buffer.doubled"},
       .mutation = After<Call::kGetSockOpt>(
           [](auto& call, SysResult result, Syscalls&) {
             if (result.ok() && Sets(call, SOL_SOCKET, SO_RCVBUF) &&
                 *call.len == sizeof(int)) {
               *static_cast<int*>(call.value) /= 2;
             }
             return result;
           })},
      {.name = "wait_all_is_ignored",
       .family = "partial read taken for whole",
       .mistake = "MSG_WAITALL is not looked at.",
       .killers = {"kernel.data.recv.wait_all"},
       .mutation = Before<Call::kRecv>(
           [](auto& call, Syscalls&) { call.flags &= ~MSG_WAITALL; })},
      {.name = "discarded_data_is_copied_away",
       .family = "data lost",
       .mistake = "Every recv(2) takes a byte more than it returns.",
       .killers = {"kernel.data.stream"},
       .mutation = After<Call::kRecv>(
           [](auto& call, SysResult result, Syscalls& kernel) {
             char lost = 0;
             if (result.ok() && result.value() > 0) {
               static_cast<void>(kernel.Recv(call.fd, &lost, 1, MSG_DONTWAIT));
             }
             return result;
           })},
      {.name = "linger_is_ignored",
       .family = "options ignored",
       .mistake = "SO_LINGER is accepted and ignored.",
       .killers = {"kernel.ending.linger.zero"},
       .mutation = Ignores(SOL_SOCKET, SO_LINGER)},
      {.name = "cork_is_ignored",
       .family = "options ignored",
       .mistake = "TCP_CORK is accepted and ignored.",
       .killers = {"kernel.options.tcp.cork.whole_segments"},
       .mutation = Ignores(IPPROTO_TCP, TCP_CORK)},
      {.name = "receive_timeout_is_ignored",
       .family = "options ignored",
       .mistake = "SO_RCVTIMEO is accepted and ignored.",
       .killers = {"kernel.data.timeout.receive"},
       .mutation = Ignores(SOL_SOCKET, SO_RCVTIMEO)},
      {.name = "low_water_is_ignored",
       .family = "options ignored",
       .mistake = "SO_RCVLOWAT is accepted and ignored.",
       .killers = {"kernel.options.rcvlowat.poll"},
       .mutation = Ignores(SOL_SOCKET, SO_RCVLOWAT)},
      {.name = "user_timeout_is_ignored",
       .family = "options ignored",
       .mistake = "TCP_USER_TIMEOUT is accepted and ignored.",
       .killers = {"kernel.segments.user_timeout.1000ms"},
       .mutation = Ignores(IPPROTO_TCP, TCP_USER_TIMEOUT)},
      {.name = "disconnect_does_nothing",
       .family = "errno swallowed",
       .mistake = "connect(2) to AF_UNSPEC succeeds and does nothing.",
       .killers = {"kernel.connect.unspec.resets"},
       .mutation =
           Instead<Call::kConnect>([](auto& call, auto make, Syscalls&) {
             return call.addr != nullptr && call.len >= sizeof(sa_family_t) &&
                            call.addr->sa_family == AF_UNSPEC
                        ? SysResult::Ok()
                        : make();
           })},
      {.name = "bind_twice",
       .family = "errno swallowed",
       .mistake = "A second bind(2) of a socket succeeds and does nothing.",
       .killers = {"kernel.bind.twice"},
       .mutation = Instead<Call::kBind>(
           [bound = std::set<int>()](auto& call, auto make, Syscalls&) mutable {
             if (bound.contains(call.fd)) return SysResult::Ok();
             const SysResult result = make();
             if (result.ok()) bound.insert(call.fd);
             return result;
           })},
      {.name = "epoll_reports_one_event",
       .family = "events lost",
       .mistake = "epoll_wait(2) returns one event at most.",
       .killers = {"kernel.epoll.order.of_events"},
       .mutation = Before<Call::kEpollWait>([](auto& call, Syscalls&) {
         call.max_events = std::min(call.max_events, 1);
       })},
      {.name = "epoll_forgets_data",
       .family = "address wrong",
       .mistake = "The data of an event is the descriptor's number.",
       .killers = {"kernel.epoll.edge.modified"},
       .mutation =
           Instead<Call::kEpollCtl>([](auto& call, auto make, Syscalls&) {
             if (call.event == nullptr) return make();
             epoll_event event = *call.event;
             event.data.u64 = static_cast<uint64_t>(call.fd);
             call.event = &event;
             return make();
           })},
      {.name = "epoll_adds_twice",
       .family = "errno swallowed",
       .mistake = "EPOLL_CTL_ADD of an entry that is there succeeds.",
       .killers = {"kernel.epoll.ctl.twice"},
       .mutation = Translate<Call::kEpollCtl>(EEXIST, 0)},
      {.name = "exclusive_is_ignored",
       .family = "breaks under concurrency",
       .mistake = "EPOLLEXCLUSIVE is accepted and ignored.",
       .killers = {"kernel.epoll.several.exclusive"},
       .mutation =
           Instead<Call::kEpollCtl>([](auto& call, auto make, Syscalls&) {
             if (call.event == nullptr) return make();
             epoll_event event = *call.event;
             event.events &= ~uint32_t{EPOLLEXCLUSIVE};
             call.event = &event;
             return make();
           })},
      {.name = "epoll_wait_is_short",
       .family = "blocking where it must not, and not where it must",
       .mistake = "epoll_wait(2) takes its time for a tenth of what it is.",
       .killers = {"kernel.epoll.blocked.times_out"},
       .mutation = Before<Call::kEpollWait>([](auto& call, Syscalls&) {
         if (call.timeout_ms > 0) call.timeout_ms /= 10;
       })},
  };
  for (Mutant& mutant : all) mutant.layer = Layer::kKernel;
  return all;
}

}  // namespace net::conformance
