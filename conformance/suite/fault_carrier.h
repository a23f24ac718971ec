#ifndef CONFORMANCE_SUITE_FAULT_CARRIER_H_
#define CONFORMANCE_SUITE_FAULT_CARRIER_H_

#include <memory>

#include "syscalls/syscalls_fwd.h"

namespace net {
class Faults;  // fakes/faults/faults.h
}

namespace net::conformance {

// The faults of an implementation that uses class Syscalls.
struct FaultCarrier {
  // Has one owner. A std::unique_ptr would need the definition of Faults here,
  // which few cases use.
  std::shared_ptr<Faults> faults;
  // The Syscalls to use; owned by `faults`.
  Syscalls* syscalls = nullptr;
};

// Returns a FaultInjector in front of `target`, which must outlive it.
FaultCarrier MakeFaultCarrier(Syscalls& target);

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_FAULT_CARRIER_H_
