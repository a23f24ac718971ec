#include "conformance/suite/fault_carrier.h"

#include <memory>
#include <utility>

#include "fakes/faults/fault_injector.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

FaultCarrier MakeFaultCarrier(Syscalls& target) {
  auto injector = std::make_unique<FaultInjector>(target);
  Syscalls* const syscalls = injector.get();
  return {.faults = std::move(injector), .syscalls = syscalls};
}

}  // namespace net::conformance
