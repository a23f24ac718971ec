#ifndef CONFORMANCE_KERNEL_CASES_FAST_OPEN_HELPERS_H_
#define CONFORMANCE_KERNEL_CASES_FAST_OPEN_HELPERS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

// Helpers for cases about TCP Fast Open.

namespace net::conformance {

inline constexpr absl::string_view kFastOpenSysctl = "net.ipv4.tcp_fastopen";

// Calls sendmsg(2) with MSG_FASTOPEN and a name.
SysResult SendFastOpen(const loopback::RawSocket& socket,
                       const ip::Endpoint& remote, std::string data);

// Makes a listener with a queue for Fast Open. The sysctl enables clients and
// servers.
absl::StatusOr<loopback::Listener> NewFastListener(
    Context& c, const loopback::ListenConfig& config = {});

// Connects once, which brings the server's cookie.
void GetFastOpenCookie(Context& c, const loopback::Listener& listener);

// Expects that a connection is queued whose data is `data`, or that none is.
void ExpectAccepted(const loopback::Listener& listener, absl::string_view data);
void ExpectNothingQueued(const loopback::Listener& listener);

// Makes a client with TCP_FASTOPEN_CONNECT.
absl::StatusOr<loopback::RawSocket> NewDeferring(Context& c,
                                                 int type_flags = 0);

// Returns an address at which no socket listens while `holder` lives.
absl::StatusOr<ip::Endpoint> RefusedEndpoint(Context& c,
                                             loopback::RawSocket& holder);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_FAST_OPEN_HELPERS_H_
