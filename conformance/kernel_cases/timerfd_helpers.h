#ifndef CONFORMANCE_KERNEL_CASES_TIMERFD_HELPERS_H_
#define CONFORMANCE_KERNEL_CASES_TIMERFD_HELPERS_H_

#include <sys/timerfd.h>

#include <cstdint>
#include <ctime>

#include "absl/status/statusor.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "syscalls/sys_result.h"

// Short forms of the calls of a timerfd.

namespace net::conformance {

absl::StatusOr<loopback::RawSocket> NewTimer(Context& c,
                                             int flags = TFD_NONBLOCK,
                                             clockid_t clock = CLOCK_REALTIME);

// Return settings for timerfd_settime(2).
itimerspec InSeconds(time_t seconds, time_t interval = 0);
itimerspec InMilliseconds(int milliseconds);

// Calls timerfd_settime(2).
SysResult SetTimer(const loopback::RawSocket& timer, const itimerspec& value,
                   int flags = 0);

// Sets a timer of CLOCK_REALTIME so that it expired `seconds` ago.
SysResult SetTimerBack(const loopback::RawSocket& timer, time_t seconds,
                       time_t interval = 0);

// Calls read(2). Returns the number of expirations.
absl::StatusOr<uint64_t> ReadTimer(const loopback::RawSocket& timer);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_TIMERFD_HELPERS_H_
