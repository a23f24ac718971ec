#include <unistd.h>

#include "fakes/preload/world.h"
#include "fakes/threads/next.h"

// Pipes are the FakeKernel's in a program that is linked with the hooks. The
// pipes of a program that has loaded libnet_fake.so are Linux's, because its
// children inherit them.

NET_NEXT_FUNCTION(pipe)
NET_NEXT_FUNCTION(pipe2)

using net::preload::IsInCharge;
using net::preload::Returned;
using net::preload::Sys;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int pipe(int fds[2]) noexcept {
  if (!IsInCharge()) return next::pipe(fds);
  return Returned(Sys().Pipe2(fds, 0));
}

int pipe2(int fds[2], int flags) noexcept {
  if (!IsInCharge()) return next::pipe2(fds, flags);
  return Returned(Sys().Pipe2(fds, flags));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
