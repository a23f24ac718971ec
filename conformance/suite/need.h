#ifndef CONFORMANCE_SUITE_NEED_H_
#define CONFORMANCE_SUITE_NEED_H_

#include <cstdint>

namespace net::conformance {

// The conditions that a case may need beyond sockets on 127.0.0.1. If the
// environment cannot meet a need, the case does not run, and its outcome is
// `precondition`.
enum class Need : uint32_t {
  kNone = 0,
  // IPv6 on the loopback interface. Every case on v6 needs it.
  kIpv6 = 1U << 0,
  // A network of its own, for cases that use a fixed port, set a sysctl, take
  // the interface down or add a route.
  kOwnNetwork = 1U << 1,
  // A second effective user.
  kOtherUser = 1U << 2,
  // The case can execute another program.
  kExec = 1U << 3,
  // Task::Interrupt() reaches the implementation.
  kInterrupt = 1U << 4,
  // Calls of the implementation with an option list (option_lists.h). If the
  // implementation cannot make them, the outcome is `unsupported`.
  kOptionLists = 1U << 5,
  // Faults can be injected into the system calls of the implementation:
  // Context::InjectFaults(). Such a case sends no signal, because a signal can
  // end a trapped call that has not run (fakes/trap).
  kFaults = 1U << 6,
  // In addition to kFaults: faults can be injected into close(2), too.
  kFaultsOfClose = 1U << 7,
  // The case can fork: Environment::Fork().
  kFork = 1U << 8,
};
constexpr Need operator|(Need a, Need b) {
  return static_cast<Need>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}
constexpr bool Includes(Need needs, Need need) {
  return (static_cast<uint32_t>(needs) & static_cast<uint32_t>(need)) != 0;
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_NEED_H_
