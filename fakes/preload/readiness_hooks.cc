#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/mixed_wait.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/sys_result.h"

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming):
// glibc's names, of
// _FORTIFY_SOURCE.
int __poll_chk(pollfd* fds, nfds_t count, int timeout_ms, size_t space);
int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout,
                const sigset_t* mask, size_t space);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

NET_NEXT_FUNCTION(poll)
NET_NEXT_FUNCTION(ppoll)
NET_NEXT_FUNCTION(select)
NET_NEXT_FUNCTION(pselect)

namespace net::preload {
namespace {

absl::Duration TimeoutOf(const timespec* timeout) {
  return timeout == nullptr ? absl::InfiniteDuration()
                            : absl::DurationFromTimespec(*timeout);
}

// Copies the results of some entries into the set that they come from.
void CopyResults(absl::Span<const pollfd> some, absl::Span<const size_t> places,
                 pollfd* fds) {
  for (size_t i = 0; i < some.size(); ++i) {
    fds[places[i]].revents = some[i].revents;
  }
}

// poll(2) for a set with native descriptors and descriptors of the FakeKernel.
SysResult PollBoth(pollfd* fds, nfds_t count, absl::Duration timeout) {
  struct Half {
    std::vector<pollfd> fds;
    std::vector<size_t> places;
  };
  Half fake;
  Half native;
  for (size_t i = 0; i < count; ++i) {
    fds[i].revents = 0;
    const bool ignored = fds[i].fd < 0;
    Half& half = ignored || IsFake(fds[i].fd, "poll") ? fake : native;
    half.fds.push_back(fds[i]);
    half.places.push_back(i);
  }
  const auto poll_fake = [&](absl::Duration time) {
    const timespec spec = absl::ToTimespec(time);
    const SysResult result = Sys().PPoll(
        fake.fds.data(), fake.fds.size(),
        time == absl::InfiniteDuration() ? nullptr : &spec, nullptr);
    CopyResults(fake.fds, fake.places, fds);
    return result;
  };
  const auto poll_native = [&](absl::Duration time) {
    const timespec spec = absl::ToTimespec(time);
    const int ready = threads::next::ppoll(native.fds.data(), native.fds.size(),
                                           &spec, nullptr);
    CopyResults(native.fds, native.places, fds);
    return ready < 0 ? SysResult::Error(errno) : SysResult::Ok(ready);
  };
  return Await({.fake = poll_fake,
                .native = poll_native,
                .has_native = !native.fds.empty()},
               timeout);
}

// A set of select(2) and the events of poll(2) that it stands for
// (fs/select.c of Linux: POLLIN_SET, POLLOUT_SET, POLLEX_SET).
struct SelectSet {
  fd_set* set;
  int16_t wanted;
  int16_t events;
};

// select(2) by poll(2).
SysResult SelectBoth(int count, absl::Span<const SelectSet> sets,
                     absl::Duration timeout) {
  std::vector<pollfd> fds;
  for (int fd = 0; fd < count; ++fd) {
    int16_t wanted = 0;
    for (const SelectSet& one : sets) {
      if (one.set != nullptr && FD_ISSET(fd, one.set)) {
        wanted = static_cast<int16_t>(wanted | one.wanted);
      }
    }
    if (wanted != 0) fds.push_back({.fd = fd, .events = wanted, .revents = 0});
  }
  const SysResult polled = PollBoth(fds.data(), fds.size(), timeout);
  if (!polled.ok()) return polled;
  for (const pollfd& one : fds) {
    if ((one.revents & POLLNVAL) != 0) return SysResult::Error(EBADF);
  }
  int ready = 0;
  for (const pollfd& one : fds) {
    for (const SelectSet& set : sets) {
      if (set.set == nullptr || !FD_ISSET(one.fd, set.set)) continue;
      if ((one.revents & set.events) != 0) {
        ++ready;
      } else {
        FD_CLR(one.fd, set.set);
      }
    }
  }
  return SysResult::Ok(ready);
}

SysResult SelectSets(int count, fd_set* readable, fd_set* writable,
                     fd_set* exceptional, absl::Duration timeout) {
  if (count < 0 || timeout < absl::ZeroDuration()) {
    return SysResult::Error(EINVAL);
  }
  const SelectSet sets[] = {
      {readable, POLLIN, POLLIN | POLLHUP | POLLERR},
      {writable, POLLOUT, POLLOUT | POLLERR},
      {exceptional, POLLPRI, POLLPRI},
  };
  return SelectBoth(count, sets, timeout);
}

}  // namespace
}  // namespace net::preload

using net::preload::IsInCharge;
using net::preload::Returned;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,
// readability-identifier-naming, bugprone-reserved-identifier): glibc's names.
extern "C" {

int poll(pollfd* fds, nfds_t count, int timeout_ms) {
  if (!IsInCharge()) return next::poll(fds, count, timeout_ms);
  return Returned(net::preload::PollBoth(fds, count,
                                         timeout_ms < 0
                                             ? absl::InfiniteDuration()
                                             : absl::Milliseconds(timeout_ms)));
}

int ppoll(pollfd* fds, nfds_t count, const timespec* timeout,
          const sigset_t* mask) {
  if (!IsInCharge()) return next::ppoll(fds, count, timeout, mask);
  const net::preload::SignalMask masked(mask);
  return Returned(
      net::preload::PollBoth(fds, count, net::preload::TimeoutOf(timeout)));
}

int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional,
           timeval* timeout) {
  if (!IsInCharge()) {
    return next::select(count, readable, writable, exceptional, timeout);
  }
  return Returned(net::preload::SelectSets(
      count, readable, writable, exceptional,
      timeout == nullptr ? absl::InfiniteDuration()
                         : absl::DurationFromTimeval(*timeout)));
}

int pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional,
            const timespec* timeout, const sigset_t* mask) {
  if (!IsInCharge()) {
    return next::pselect(count, readable, writable, exceptional, timeout, mask);
  }
  const net::preload::SignalMask masked(mask);
  return Returned(net::preload::SelectSets(count, readable, writable,
                                           exceptional,
                                           net::preload::TimeoutOf(timeout)));
}

int __poll_chk(pollfd* fds, nfds_t count, int timeout_ms, size_t space) {
  if (space / sizeof(pollfd) < count) std::abort();
  return poll(fds, count, timeout_ms);
}

int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout,
                const sigset_t* mask, size_t space) {
  if (space / sizeof(pollfd) < count) std::abort();
  return ppoll(fds, count, timeout, mask);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name,
// readability-identifier-naming, bugprone-reserved-identifier)
