#ifndef SYSCALLS_SANDBOX_ROUTES_H_
#define SYSCALLS_SANDBOX_ROUTES_H_

#include "absl/status/status.h"
#include "syscalls/net/ip_addr.h"

// Routes of the process's network namespace (rtnetlink(7)). The process should
// have a network namespace of its own: see EnterOwnNetwork().

namespace net::sandbox {

// Adds a route that makes connect(2) to `addr` fail with `error`: EHOSTUNREACH
// (RTN_UNREACHABLE), EACCES (RTN_PROHIBIT) or EINVAL (RTN_BLACKHOLE).
absl::Status AddFailingRoute(const ip::Addr& addr, int error);

// Makes loopback connections acknowledge immediately: gives the routes to
// 127.0.0.0/8 and ::1 the metric "quickack" (RTAX_QUICKACK). Acknowledgements
// are then not delayed, and small segments do not wait for them (Nagle's
// algorithm). No other delay on loopback depends on a timer.
absl::Status SetQuickAckOnLoopback();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_ROUTES_H_
