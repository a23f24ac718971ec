#include "fakes/preload/world.h"

#include <cstdio>
#include <cstdlib>

namespace net::preload {

void RefuseForeign(const char* call, int fd) {
  constexpr int kRefused = 2;
  std::fprintf(
      stderr,
      "libnet_fake.so: %s on descriptor %d, which was made before "
      "fork(2): it belongs to the FakeKernel of the parent, which had several "
      "threads. on_fake_kernel --shared runs all processes on one "
      "FakeKernel.\n",
      call, fd);
  std::_Exit(kRefused);
}

}  // namespace net::preload
