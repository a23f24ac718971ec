#ifndef CONFORMANCE_KERNEL_CASES_SHARING_H_
#define CONFORMANCE_KERNEL_CASES_SHARING_H_

#include "absl/status/statusor.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

// For cases about sockets that share a port, or may not.

namespace net::conformance {

// What a socket says about sharing its port before it is bound.
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

// A socket of `family` that says so, and one that is bound to `local`, too.
absl::StatusOr<loopback::RawSocket> NewSharing(Context& c, int family,
                                               const Sharing& sharing);
absl::StatusOr<loopback::RawSocket> BoundSharing(Context& c,
                                                 const ip::Endpoint& local,
                                                 const Sharing& sharing);

// A socket is bound to `held`; expects `error` (0: success) when another wants
// the same port of `wanted`.
void ExpectBesideBound(Context& c, const ip::Addr& held, const Sharing& holder,
                       const ip::Addr& wanted, const Sharing& second,
                       int error);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_SHARING_H_
