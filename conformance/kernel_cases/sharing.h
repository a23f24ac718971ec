#ifndef CONFORMANCE_KERNEL_CASES_SHARING_H_
#define CONFORMANCE_KERNEL_CASES_SHARING_H_

#include "absl/status/statusor.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

// Helpers for cases about two sockets that bind the same port.

namespace net::conformance {

// The options that a socket has when it is bound.
struct Sharing {
  bool reuse_addr = false;
  bool reuse_port = false;
  bool v6_only = false;
};
inline constexpr Sharing kPlain;
inline constexpr Sharing kReuseAddr = {.reuse_addr = true};
inline constexpr Sharing kReusePort = {.reuse_port = true};
inline constexpr Sharing kBoth = {.reuse_addr = true, .reuse_port = true};
inline constexpr Sharing kV6Only = {.v6_only = true};

// Make a socket with the options of `sharing`: an unbound one of `family`, or
// one that is bound to `local`.
absl::StatusOr<loopback::RawSocket> NewSharing(Context& c, int family,
                                               const Sharing& sharing);
absl::StatusOr<loopback::RawSocket> BoundSharing(Context& c,
                                                 const ip::Endpoint& local,
                                                 const Sharing& sharing);

// Binds a socket with the options `holder` to `held`, and another one with the
// options `second` to the same port of `wanted`. Expects that the second
// bind(2) fails with `error`, or succeeds if `error` is 0.
void ExpectBesideBound(Context& c, const ip::Addr& held, const Sharing& holder,
                       const ip::Addr& wanted, const Sharing& second,
                       int error);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_SHARING_H_
