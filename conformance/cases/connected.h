#ifndef CONFORMANCE_CASES_CONNECTED_H_
#define CONFORMANCE_CASES_CONNECTED_H_

#include <cstddef>
#include <optional>
#include <string>

#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"

// For cases about a connection, however it came to be.

namespace net::conformance {

// A socket of the implementation, and the raw peer at the other end.
struct Connected {
  Sock sock;
  loopback::RawSocket peer;
};

// A connection that the implementation makes to a raw listener, and one that it
// accepts of a raw client. What the raw side cannot do is an Error, too.
Result<Connected> ConnectToPeer(Context& c, const ConnectOptions& options = {},
                                const loopback::ListenConfig& peer = {});
Result<Connected> AcceptPeer(Context& c, const AcceptOptions& options = {},
                             const loopback::ConnectConfig& peer = {});

// Gives a raw socket to the implementation: see Context::Adopt().
Result<Sock> AdoptRaw(Context& c, loopback::RawSocket socket);

// Gives a pipe to the implementation. An API may refuse it at once with
// ENOTSOCK: that names the variation, and nullopt is returned.
std::optional<Sock> AdoptPipe(Context& c);

// Gives a raw socket to the implementation and closes its descriptor behind the
// implementation's back. Close() of the result, too, fails with EBADF: call it,
// because the destructor of Sock takes that for a fault.
Result<Sock> AdoptClosed(Context& c, loopback::RawSocket socket);

// Waits until one of the poll(2) `events` is there, which the witness sees on
// the implementation's descriptor.
Result<Done> WaitFor(Context& c, const Sock& socket, short events);

// One Recv, with room for `room` bytes: what it brought, nothing at the end of
// the stream.
Result<std::string> RecvOnce(const Sock& socket, size_t room = 256);

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_CONNECTED_H_
