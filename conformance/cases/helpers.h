#ifndef CONFORMANCE_CASES_HELPERS_H_
#define CONFORMANCE_CASES_HELPERS_H_

#include <cstdint>
#include <vector>

#include "conformance/suite/context.h"
#include "conformance/suite/witness.h"
#include "syscalls/net/endpoint.h"

// What several files of cases have in common.

namespace net::conformance {

// A port for cases that have to name one, which takes a network of its own. Not
// among the ports that the system picks from, unless a case moves that range.
inline constexpr uint16_t kPort = 4711;

// The bits that Linux has no meaning for where socket(2) and accept4(2) take
// flags: those above the types of sockets (bits 0 to 3), without SOCK_NONBLOCK
// and SOCK_CLOEXEC, and without the sign of an int. A case about the check of
// flags tries all of them: a check may forget one.
std::vector<uint32_t> UnknownFlags();
// One of them, for cases about other things.
inline constexpr uint32_t kUnknownFlag = 1U << 30;

// Expects that a connection to `at`, made by the reference peer, is one that
// `listener` accepts. A connection that another listener has got makes this
// wait, until the runner ends the case.
void ExpectTakes(Context& c, const Sock& listener, const ip::Endpoint& at);

// Expects that a connection to `at` is refused.
void ExpectRefused(Context& c, const ip::Endpoint& at);

// Where an API may differ from the system calls below it and still be a good
// one: these name the variation.

// The descriptor is blocking; an API whose calls wait need not have it so
// ("nonblocking_descriptor").
void ExpectBlocking(Context& c, const Witness& witness);

// SO_KEEPALIVE is off, unless the API turns it on by itself
// ("keepalive_by_default").
void ExpectNoKeepAlive(Context& c, const Witness& witness);

// An API's answer is the v4-mapped endpoint that it really is, or the IPv4
// endpoint that this stands for ("as_ipv4").
void ExpectMapped(Context& c, const ip::Endpoint& told,
                  const ip::Endpoint& mapped);

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_HELPERS_H_
