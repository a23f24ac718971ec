#ifndef CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_
#define CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_

#include <memory>

#include "conformance/suite/environment.h"

namespace net::conformance {

struct FakeEnvironmentOptions {
  // A machine without IPv6.
  bool disable_ipv6 = false;
};

// The world of one case on a FakeKernel of its own, in virtual time. It lacks
// nothing. The calling thread takes part, until it destroys the environment.
//
// A task that is destroyed while it waits for something that will never come is
// told so, by EDEADLK, and ends.
std::unique_ptr<Environment> MakeFakeEnvironment(
    const FakeEnvironmentOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_
