#ifndef CONFORMANCE_SUITE_FAULT_CARRIER_H_
#define CONFORMANCE_SUITE_FAULT_CARRIER_H_

#include <memory>

#include "fakes/faults/faults.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// The faults of an implementation that uses class Syscalls.
struct FaultCarrier {
  std::unique_ptr<Faults> faults;
  // The Syscalls to use; owned by `faults`.
  Syscalls* syscalls = nullptr;
};

// Returns a FaultInjector in front of `target`, which must outlive it.
FaultCarrier MakeFaultCarrier(Syscalls& target);

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_FAULT_CARRIER_H_
