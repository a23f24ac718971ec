#ifndef CONFORMANCE_CASES_CONNECT_SCENE_H_
#define CONFORMANCE_CASES_CONNECT_SCENE_H_

#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"
#include "fakes/faults/faults.h"

// A peer for cases of a Connect whose system calls fail.

namespace net::conformance {

struct ConnectScene {
  loopback::Listener listener;
  Faults* faults;
  ConnectOptions options;  // Those that the implementation supports.
};

// Makes a listener on a free port, and takes charge of the faults
// (TakeCharge()).
Result<ConnectScene> MakeConnectScene(Context& c);

// Expects that the connection that the kernel had made is ended. If a
// descriptor is still open, that has been reported, and the peer would block:
// then returns at once.
void ExpectPeerSeesTheEnd(const ConnectScene& scene);

// Expects that the connection carries data.
void ExpectEcho(const ConnectScene& scene, const Sock& client);

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_CONNECT_SCENE_H_
