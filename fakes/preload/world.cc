#include "fakes/preload/world.h"

#include <cstdio>
#include <cstdlib>

#include "absl/functional/function_ref.h"
#include "fakes/fake_kernel.h"

namespace net::preload {

void Outside(absl::FunctionRef<void()> body) { Kernel().Outside(body); }

void RefuseForeign(const char* call, int fd) {
  constexpr int kRefused = 2;
  std::fprintf(stderr,
               "libnet_fake.so: %s on descriptor %d, which was made before "
               "fork(2): it belongs to the FakeKernel of the parent. Only "
               "programs that use each socket in one process are supported.\n",
               call, fd);
  std::_Exit(kRefused);
}

}  // namespace net::preload
