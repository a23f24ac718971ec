#ifndef CONFORMANCE_CASES_HELPERS_H_
#define CONFORMANCE_CASES_HELPERS_H_

#include <cstdint>
#include <vector>

#include "conformance/suite/context.h"
#include "conformance/suite/witness.h"
#include "syscalls/net/endpoint.h"

// Helpers for several files of cases.

namespace net::conformance {

// A port for cases that need a fixed port, and therefore a network of their
// own. It is outside of the range from which the system picks ports, unless a
// case changes that range.
inline constexpr uint16_t kPort = 4711;

// Returns the flags that Linux does not know in socket(2) and accept4(2): the
// bits above the socket types (bits 0 to 3), except SOCK_NONBLOCK, SOCK_CLOEXEC
// and the sign bit of an int. Cases about the check of flags try all of them,
// because a check may miss one.
std::vector<uint32_t> UnknownFlags();
// One of them, for cases about other subjects.
inline constexpr uint32_t kUnknownFlag = 1U << 30;

// Expects that `listener` accepts a connection of the reference peer to `at`.
// If another listener gets the connection, blocks until the runner ends the
// case.
void ExpectTakes(Context& c, const Sock& listener, const ip::Endpoint& at);

// Expects that a connection to `at` is refused.
void ExpectRefused(Context& c, const ip::Endpoint& at);

// The following set a variation where a good API may differ from the system
// calls that it makes.

// Expects a blocking descriptor. Variation "nonblocking_descriptor": an API may
// block without it.
void ExpectBlocking(Context& c, const Witness& witness);

// Expects that SO_KEEPALIVE is off. Variation "keepalive_by_default": an API
// may turn it on by itself.
void ExpectNoKeepAlive(Context& c, const Witness& witness);

// Expects that an API has returned the v4-mapped endpoint. Variation "as_ipv4":
// an API may return the IPv4 endpoint that it is mapped from.
void ExpectMapped(Context& c, const ip::Endpoint& told,
                  const ip::Endpoint& mapped);

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_HELPERS_H_
