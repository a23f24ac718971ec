#include <memory>

#include "conformance/suite/factory.h"
#include "conformance/suite/implementation.h"
#include "conformance/targets/net_tcp.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

std::unique_ptr<Implementation> MakeImplementation(Syscalls& sys) {
  return MakeNetTcp(sys);
}

}  // namespace net::conformance
