#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <ctime>

#include "fakes/preload/descriptors.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"

// Eventfds and timerfds: files that are no sockets, with a number to be read.

NET_NEXT_FUNCTION(eventfd)
NET_NEXT_FUNCTION(timerfd_create)
NET_NEXT_FUNCTION(timerfd_settime)
NET_NEXT_FUNCTION(timerfd_gettime)

using net::preload::IsFake;
using net::preload::IsInCharge;
using net::preload::Returned;
using net::preload::Sys;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int eventfd(unsigned initial, int flags) noexcept {
  if (!IsInCharge()) return next::eventfd(initial, flags);
  return Returned(Sys().EventFd(initial, flags));
}

int timerfd_create(int clock, int flags) noexcept {
  if (!IsInCharge()) return next::timerfd_create(clock, flags);
  return Returned(Sys().TimerFdCreate(clock, flags));
}

int timerfd_settime(int fd, int flags, const itimerspec* value,
                    itimerspec* old_value) noexcept {
  if (!IsFake(fd, "timerfd_settime")) {
    return next::timerfd_settime(fd, flags, value, old_value);
  }
  return Returned(Sys().TimerFdSetTime(fd, flags, value, old_value));
}

int timerfd_gettime(int fd, itimerspec* value) noexcept {
  if (!IsFake(fd, "timerfd_gettime")) return next::timerfd_gettime(fd, value);
  return Returned(Sys().TimerFdGetTime(fd, value));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
