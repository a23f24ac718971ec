#ifndef FAKES_FAULTS_CALL_FACTS_H_
#define FAKES_FAULTS_CALL_FACTS_H_

#include <optional>

#include "fakes/faults/plan_state.h"
#include "fakes/invocation.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

// Collects the facts by which rules select calls, for FaultInjector.

namespace net {

// Returns the facts that a call's arguments show: all but its sockets.
CallFacts FactsOf(const Invocation& invocation);

// Returns an option of SOL_SOCKET. If getsockopt(2) fails, returns nullopt and
// sets `error` to the errno.
std::optional<int> IntOption(Syscalls& sys, int fd, int name, int& error);

// Return the names of a socket. Return nullopt if it has none, or is not bound.
std::optional<ip::Endpoint> LocalName(Syscalls& sys, int fd);
std::optional<ip::Endpoint> RemoteName(Syscalls& sys, int fd);

}  // namespace net

#endif  // FAKES_FAULTS_CALL_FACTS_H_
