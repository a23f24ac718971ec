#include <memory>

#include "conformance/factory.h"
#include "conformance/implementation.h"
#include "conformance/implementations/net_tcp.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

std::unique_ptr<Implementation> MakeImplementation(Syscalls& sys) {
  return MakeNetTcp(sys);
}

}  // namespace net::conformance
