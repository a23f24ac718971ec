#ifndef CONFORMANCE_CASES_HELPERS_H_
#define CONFORMANCE_CASES_HELPERS_H_

#include <cstdint>

#include "conformance/context.h"
#include "syscalls/endpoint.h"

// What several files of cases have in common.

namespace net::conformance {

// A port for cases that have to name one, which takes a network of its own. Not
// among the ports that the system picks from, unless a case moves that range.
inline constexpr uint16_t kPort = 4711;

// Expects that a connection to `at`, made by the reference peer, is one that
// `listener` accepts. A connection that another listener has got makes this
// wait, until the runner ends the case.
void ExpectTakes(Context& c, const Sock& listener, const ip::Endpoint& at);

// Expects that a connection to `at` is refused.
void ExpectRefused(Context& c, const ip::Endpoint& at);

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_HELPERS_H_
