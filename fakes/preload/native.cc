#include "fakes/preload/native.h"

#include <poll.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"

NET_NEXT_FUNCTION(wait)
NET_NEXT_FUNCTION(waitpid)
NET_NEXT_FUNCTION(waitid)
NET_NEXT_FUNCTION(wait4)
NET_NEXT_FUNCTION(system)
NET_NEXT_FUNCTION(pause)
NET_NEXT_FUNCTION(sigsuspend)
NET_NEXT_FUNCTION(sigwait)
NET_NEXT_FUNCTION(sigwaitinfo)
NET_NEXT_FUNCTION(sigtimedwait)

namespace net::preload {

bool IsReady(int fd, int16_t events) {
  if (fd < 0) return false;
  const int error = errno;
  const fake::KernelSection section;  // The hook of poll(2) passes it on.
  pollfd one = {.fd = fd, .events = events, .revents = 0};
  const bool ready = poll(&one, 1, 0) != 0;
  errno = error;
  return ready;
}

}  // namespace net::preload

using net::preload::RunNative;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

pid_t wait(int* status) {
  return RunNative([&] { return next::wait(status); });
}

pid_t waitpid(pid_t pid, int* status, int options) {
  if ((options & WNOHANG) != 0) return next::waitpid(pid, status, options);
  return RunNative([&] { return next::waitpid(pid, status, options); });
}

int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  if ((options & WNOHANG) != 0) return next::waitid(type, id, info, options);
  return RunNative([&] { return next::waitid(type, id, info, options); });
}

pid_t wait4(pid_t pid, int* status, int options, rusage* usage) noexcept {
  if ((options & WNOHANG) != 0) return next::wait4(pid, status, options, usage);
  return RunNative([&] { return next::wait4(pid, status, options, usage); });
}

int system(const char* command) {
  return RunNative([&] { return next::system(command); });
}

int pause() {
  return RunNative([] { return next::pause(); });
}

int sigsuspend(const sigset_t* mask) {
  return RunNative([&] { return next::sigsuspend(mask); });
}

int sigwait(const sigset_t* set, int* signal) {
  return RunNative([&] { return next::sigwait(set, signal); });
}

int sigwaitinfo(const sigset_t* set, siginfo_t* info) {
  return RunNative([&] { return next::sigwaitinfo(set, info); });
}

int sigtimedwait(const sigset_t* set, siginfo_t* info,
                 const timespec* timeout) {
  return RunNative([&] { return next::sigtimedwait(set, info, timeout); });
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
