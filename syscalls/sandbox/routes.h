#ifndef SYSCALLS_SANDBOX_ROUTES_H_
#define SYSCALLS_SANDBOX_ROUTES_H_

#include "absl/status/status.h"
#include "syscalls/net/ip_addr.h"

// Routes of the process's network namespace (rtnetlink(7)), which should be one
// of its own: see EnterOwnNetwork().

namespace net::sandbox {

// Adds a route to a single address, with which connect(2) fails with `error`:
// EHOSTUNREACH (RTN_UNREACHABLE), EACCES (RTN_PROHIBIT) or EINVAL
// (RTN_BLACKHOLE).
absl::Status AddFailingRoute(const ip::Addr& addr, int error);

// Makes loopback connections acknowledge immediately: gives the routes to
// 127.0.0.0/8 and ::1 the metric "quickack" (RTAX_QUICKACK). It ends the delay
// of acknowledgements and, with it, the delay of small segments that wait for
// them (Nagle). Both depend on timers, and nothing else on loopback does.
absl::Status SetQuickAckOnLoopback();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_ROUTES_H_
