// Real bugs of epoll: edges that come again or never, events that are lost,
// entries that outlive their descriptor.

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Returns a mutation that calls `change(events, operation)` before an entry is
// added or modified.
template <typename F>
Mutation BeforeEntry(F change) {
  return Instead<Call::kEpollCtl>([change](auto& call, auto make, Syscalls&) {
    if (call.event == nullptr) return make();
    epoll_event event = *call.event;
    uint32_t events = event.events;
    change(events, call.operation);
    event.events = events;
    call.event = &event;
    return make();
  });
}

// Returns a mutation that calls `change(events)` for each event that
// epoll_wait(2) returns.
template <typename F>
Mutation AfterWait(F change) {
  return After<Call::kEpollWait>(
      [change](auto& call, SysResult result, Syscalls&) {
        for (int i = 0; result.ok() && i < result.value(); ++i) {
          uint32_t events = call.events[i].events;
          change(events);
          call.events[i].events = events;
        }
        return result;
      });
}

// An entry: an epoll and a descriptor.
using Entry = std::pair<int, int>;

}  // namespace

std::vector<Mutant> BugsOfEpoll() {
  std::vector<Mutant> all = {
      {.name = "level_is_reported_once",
       .family = "edge-triggered epoll: never again",
       .mistake = "A level-triggered event is reported once only.",
       .report = {"mTCP", 2020, "https://github.com/mtcp-stack/mtcp/issues/297",
                  "A program had to register a writable socket again before "
                  "each wait."},
       .killers = {"kernel.epoll.level.until_read"},
       .mutation =
           BeforeEntry([](uint32_t& events, int) { events |= EPOLLET; })},
      {.name = "edge_is_ignored",
       .family = "edge-triggered epoll: fires again",
       .mistake = "EPOLLET is accepted and ignored.",
       .report = {"F-Stack", 2017,
                  "https://github.com/F-Stack/f-stack/issues/115",
                  "A writable socket woke the program again and again."},
       .killers = {"kernel.epoll.edge.once"},
       .mutation = BeforeEntry(
           [](uint32_t& events, int) { events &= ~uint32_t{EPOLLET}; })},
      {.name = "edge_is_lost_by_modification",
       .family = "edge-triggered epoll: fires again",
       .mistake = "EPOLL_CTL_MOD drops EPOLLET.",
       .report = {"libevent", 2018,
                  "https://github.com/libevent/libevent/issues/636",
                  "When one of two events of a descriptor was deleted, the "
                  "other became level-triggered."},
       .killers = {"kernel.epoll.edge.modified"},
       .mutation = BeforeEntry([](uint32_t& events, int operation) {
         if (operation == EPOLL_CTL_MOD) events &= ~uint32_t{EPOLLET};
       })},
      {.name = "edge_toggles",
       .family = "edge-triggered epoll: fires again",
       .mistake = "Every other epoll_wait(2) reports an edge that has been "
                  "reported.",
       .report = {"Nanos", 2021, "https://github.com/nanovms/nanos/pull/1560",
                  "EPOLLOUT came again although nothing had changed."},
       .killers = {"kernel.epoll.edge.once"},
       .mutation = [entries = std::map<Entry, epoll_event>(), waits = 0](
                       Invocation& call, auto make,
                       Syscalls& kernel) mutable -> SysResult {
         if (const auto* ctl = call.As<Call::kEpollCtl>();
             ctl != nullptr && ctl->event != nullptr &&
             (ctl->event->events & EPOLLET) != 0) {
           entries[{ctl->epoll_fd, ctl->fd}] = *ctl->event;
         }
         if (call.As<Call::kEpollWait>() != nullptr && ++waits % 2 == 0) {
           for (auto& [entry, event] : entries) {
             static_cast<void>(kernel.EpollCtl(entry.first, EPOLL_CTL_MOD,
                                               entry.second, &event));
           }
         }
         return make();
       }},
      {.name = "oneshot_is_ignored",
       .family = "edge-triggered epoll: fires again",
       .mistake = "EPOLLONESHOT does not disable the entry.",
       .report = {"Shadow", 2017, "https://github.com/shadow/shadow/issues/349",
                  "One event was reported several times."},
       .killers = {"kernel.epoll.oneshot"},
       .mutation = BeforeEntry(
           [](uint32_t& events, int) { events &= ~uint32_t{EPOLLONESHOT}; })},
      {.name = "oneshot_is_not_armed_again",
       .family = "edge-triggered epoll: never again",
       .mistake = "EPOLL_CTL_MOD does not arm a one-shot entry again.",
       .report = {"Shadow", 2017, "https://github.com/shadow/shadow/issues/349",
                  "After the first event no other came."},
       .killers = {"kernel.epoll.oneshot"},
       .mutation =
           Instead<Call::kEpollCtl>([](auto& call, auto make, Syscalls&) {
             return call.operation == EPOLL_CTL_MOD && call.event != nullptr &&
                            (call.event->events & EPOLLONESHOT) != 0
                        ? SysResult::Ok()
                        : make();
           })},
      {.name = "modified_edge_is_not_reported",
       .family = "edge-triggered epoll: never again",
       .mistake = "EPOLL_CTL_MOD does not report an event that is there "
                  "already.",
       .report = {"Shadow", 2017, "https://github.com/shadow/shadow/issues/343",
                  "A server that asked for EPOLLOUT after its answer never got "
                  "it."},
       .killers = {"kernel.epoll.edge.modified"},
       .mutation = After<Call::kEpollCtl>([](auto& call, SysResult result,
                                             Syscalls& kernel) {
         if (result.ok() && call.operation == EPOLL_CTL_MOD &&
             (call.event->events & EPOLLET) != 0) {
           epoll_event reported;
           static_cast<void>(kernel.EpollWait(call.epoll_fd, &reported, 1, 0));
         }
         return result;
       })},
      {.name = "entry_outlives_its_descriptor",
       .family = "stale answers",
       .mistake = "A closed descriptor stays registered, so that its number "
                  "cannot be added again.",
       .report = {"Nanos", 2020, "https://github.com/nanovms/nanos/pull/1178",
                  "Adding a new connection failed with EEXIST."},
       .killers = {"kernel.epoll.ctl.number_of_closed"},
       .mutation = Instead<Call::kEpollCtl>(
           [entries = std::set<Entry>()](auto& call, auto make,
                                         Syscalls&) mutable {
             const Entry entry(call.epoll_fd, call.fd);
             if (call.operation == EPOLL_CTL_ADD && entries.contains(entry)) {
               return SysResult::Error(EEXIST);
             }
             const SysResult result = make();
             if (!result.ok()) return result;
             if (call.operation == EPOLL_CTL_ADD) entries.insert(entry);
             if (call.operation == EPOLL_CTL_DEL) entries.erase(entry);
             return result;
           })},
      {.name = "deleted_entry_cannot_be_added",
       .family = "works the first time only",
       .mistake = "After EPOLL_CTL_DEL, EPOLL_CTL_ADD fails with EEXIST.",
       .report = {"wepoll", 2020,
                  "https://github.com/piscisaureus/wepoll/issues/16",
                  "A socket could not be taken out for a while."},
       .killers = {"kernel.epoll.ctl.deleted_then_added"},
       .mutation = Instead<Call::kEpollCtl>(
           [deleted = std::set<Entry>()](auto& call, auto make,
                                         Syscalls&) mutable {
             const Entry entry(call.epoll_fd, call.fd);
             if (call.operation == EPOLL_CTL_ADD && deleted.contains(entry)) {
               return SysResult::Error(EEXIST);
             }
             const SysResult result = make();
             if (result.ok() && call.operation == EPOLL_CTL_DEL) {
               deleted.insert(entry);
             }
             return result;
           })},
      {.name = "data_of_entry_is_kept",
       .family = "stale answers",
       .mistake = "The data of an entry that is added again, or modified, is "
                  "that of the first time.",
       .report = {"Nanos", 2021, "https://github.com/nanovms/nanos/pull/1464",
                  "Events had the mask and the data of an earlier file."},
       .killers = {"kernel.epoll.edge.modified"},
       .mutation = Instead<Call::kEpollCtl>(
           [first = std::map<Entry, epoll_data_t>()](auto& call, auto make,
                                                     Syscalls&) mutable {
             if (call.event == nullptr) return make();
             epoll_event event = *call.event;
             const Entry entry(call.epoll_fd, call.fd);
             // The fields of an epoll_event cannot be bound: it is packed.
             const epoll_data_t data = event.data;
             event.data = first.emplace(entry, data).first->second;
             call.event = &event;
             return make();
           })},
      {.name = "second_write_to_eventfd_is_no_edge",
       .family = "edge-triggered epoll: never again",
       .mistake =
           "A write to an eventfd that was not read since its last event "
           "is not reported.",
       .report = {"WSL", 2017, "https://github.com/microsoft/WSL/issues/2462",
                  "A loop that is woken by an eventfd stood still."},
       .killers = {"kernel.epoll.eventfd.edge"},
       .mutation = [entries = std::map<std::pair<int, uint64_t>, int>(),
                    eventfds = std::set<int>(), reported = std::set<int>()](
                       Invocation& call, auto make,
                       Syscalls&) mutable -> SysResult {
         SysResult result = make();
         if (!result.ok()) return result;
         if (call.As<Call::kEventFd>() != nullptr) eventfds.insert(result.fd());
         if (const auto* ctl = call.As<Call::kEpollCtl>();
             ctl != nullptr && ctl->event != nullptr) {
           const uint64_t data = ctl->event->data.u64;
           entries[{ctl->epoll_fd, data}] = ctl->fd;
         }
         if (const auto* read = call.As<Call::kRead>())
           reported.erase(read->fd);
         if (const auto* wait = call.As<Call::kEpollWait>()) {
           int kept = 0;
           for (int i = 0; i < result.value(); ++i) {
             const epoll_event event = wait->events[i];
             const uint64_t data = event.data.u64;
             const int fd = entries[{wait->epoll_fd, data}];
             if (eventfds.contains(fd) && !reported.insert(fd).second) continue;
             wait->events[kept++] = event;
           }
           result = SysResult::Ok(kept);
         }
         return result;
       }},
      {.name = "half_close_hangs_up",
       .family = "events wrong",
       .mistake = "EPOLLRDHUP is reported as EPOLLHUP.",
       .report = {"mio", 2019, "https://github.com/tokio-rs/mio/pull/933",
                  "A connection that could still be written to was taken for "
                  "closed, and a processor was busy."},
       .killers = {"kernel.epoll.socket.end_of_stream"},
       .mutation = AfterWait([](uint32_t& events) {
         if ((events & EPOLLRDHUP) != 0) events |= EPOLLHUP;
       })},
      {.name = "hang_up_is_an_error",
       .family = "events wrong",
       .mistake = "EPOLLHUP and EPOLLERR are always reported together.",
       .report = {"Gramine", 2022,
                  "https://github.com/gramineproject/gramine/pull/1073",
                  "The end of a connection was handled as an error."},
       .killers = {"kernel.epoll.socket.not_connected"},
       .mutation = AfterWait([](uint32_t& events) {
         if ((events & EPOLLHUP) != 0) events |= EPOLLERR;
       })},
  };
  for (Mutant& mutant : all) mutant.layer = Layer::kKernel;
  return all;
}

}  // namespace net::conformance
