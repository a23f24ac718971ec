#ifndef FAKES_TRAP_LOCAL_EPOLL_H_
#define FAKES_TRAP_LOCAL_EPOLL_H_

#include <sys/epoll.h>

#include <cstdint>
#include <optional>

namespace net::trap {

// Makes epoll_ctl(2) in the target's place. An epoll identifies an entry by the
// open file and the number of its descriptor (epoll(7)), and the duplicate's
// number differs from that of the target's descriptor. The call is therefore
// made in a thread with a descriptor table of its own, in which the duplicate
// gets the target's number.
//
// `epoll` and `duplicate` are duplicates of the target's descriptors. `number`
// is the number that the second one has in the target.
//
// Returns the call's value or -errno; nullopt if the thread cannot have such a
// table, or if `number` is beyond RLIMIT_NOFILE of this process.
std::optional<int64_t> EpollCtlAs(int number, int epoll, int operation,
                                  int duplicate, epoll_event* event);

}  // namespace net::trap

#endif  // FAKES_TRAP_LOCAL_EPOLL_H_
