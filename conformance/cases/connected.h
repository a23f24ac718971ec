#ifndef CONFORMANCE_CASES_CONNECTED_H_
#define CONFORMANCE_CASES_CONNECTED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"

// Helpers for cases about a connection, whichever side made it.

namespace net::conformance {

// A socket of the implementation and its raw peer.
struct Connected {
  Sock sock;
  loopback::RawSocket peer;
};

// Connects the implementation to a raw listener, or a raw client to the
// implementation. Returns an Error also if the raw side fails.
Result<Connected> ConnectToPeer(Context& c, const ConnectOptions& options = {},
                                const loopback::ListenConfig& peer = {});
Result<Connected> AcceptPeer(Context& c, const AcceptOptions& options = {},
                             const loopback::ConnectConfig& peer = {});

// Passes a raw socket to the implementation: see Context::Adopt().
Result<Sock> AdoptRaw(Context& c, loopback::RawSocket socket);

// Passes the read end of a pipe to the implementation. An API may refuse it at
// once with ENOTSOCK: then sets the variation "refused_when_adopted" and
// returns nullopt.
std::optional<Sock> AdoptPipe(Context& c);

// Passes a raw socket to the implementation and closes its descriptor without
// the implementation's knowledge. Close() of the result also fails with EBADF:
// call it, because the destructor of Sock would fail the case.
Result<Sock> AdoptClosed(Context& c, loopback::RawSocket socket);

// Waits until poll(2) reports one of `events` on the implementation's
// descriptor.
Result<Done> WaitFor(Context& c, const Sock& socket, int16_t events);

// Calls Recv once, with room for `room` bytes. Returns the data, which is empty
// at the end of the stream.
Result<std::string> RecvOnce(const Sock& socket, size_t room = 256);

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_CONNECTED_H_
