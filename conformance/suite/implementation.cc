#include "conformance/suite/implementation.h"

#include "conformance/suite/call_options.h"
#include "conformance/suite/result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

Result<Handle> Implementation::AdoptThenClose(int fd, Syscalls& sys) {
  Result<Handle> adopted = Adopt(fd);
  if (adopted.ok()) static_cast<void>(sys.Close(fd));
  return adopted;
}

}  // namespace net::conformance
