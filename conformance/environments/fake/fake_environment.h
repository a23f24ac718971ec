#ifndef CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_
#define CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_

#include <memory>

#include "conformance/suite/environment.h"

namespace net::conformance {

struct FakeEnvironmentOptions {
  // Disables IPv6, as on a machine without it.
  bool disable_ipv6 = false;
};

// Makes the environment of one case on a FakeKernel of its own, with virtual
// time. It supports every need. The calling thread is a participant of the
// kernel until it destroys the environment.
//
// A task that is destroyed while it waits for an event that will never happen
// gets EDEADLK from the system call and ends.
std::unique_ptr<Environment> MakeFakeEnvironment(
    const FakeEnvironmentOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_
