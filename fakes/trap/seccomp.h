#ifndef FAKES_TRAP_SECCOMP_H_
#define FAKES_TRAP_SECCOMP_H_

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "fakes/trap/owned_fd.h"

// Seccomp user notification (seccomp_unotify(2)) with raw BPF and raw ioctls.
// Not libseccomp: 2.5.4 knows neither WAIT_KILLABLE_RECV nor ADDFD, and maps
// all errors to ECANCELED.

namespace net::trap {

// The number of the canary, which no system call of Linux has. A filter always
// traps it, and the supervisor makes it return kCanaryAnswer. Without a
// supervisor it fails with ENOSYS.
inline constexpr int kCanaryNumber = 1'000'000;
inline constexpr int kCanaryAnswer = 4711;

// The architecture whose calls this room knows (AUDIT_ARCH_X86_64 of
// seccomp_data). Only a 64-bit program has it.
#if defined(__x86_64__)
inline constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
inline constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "fakes/trap knows the system calls of x86-64 and arm64 only."
#endif

// Returns the program of a filter that notifies the listener of
//
// - the system calls with these numbers. Of socket(2), only those that ask for
//   SOCK_STREAM of AF_INET or AF_INET6.
// - the canary.
// - every call of a program for another architecture, such as 32-bit x86, whose
//   calls have other numbers.
//
// io_uring_setup(2) fails with ENOSYS, because calls through a ring bypass
// every filter. All other calls pass. Their check costs one bit of a bitmap,
// because the kernel detects that the filter allows them for all arguments
// (seccomp_cache_prepare() in kernel/seccomp.c, Linux 5.11).
std::vector<sock_filter> BuildFilter(absl::Span<const int> numbers);

// Installs a filter in the calling thread for good; sets no_new_privs. Returns
// its listener, which has FD_CLOEXEC, or -errno. Async-signal-safe.
//
// `wait_killable`: a call that the supervisor has received is interrupted by
// fatal signals only (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19).
int InstallFilter(absl::Span<const sock_filter> program, bool wait_killable);

// A listener's descriptor and its ioctls, which return 0 or an errno. ENOENT is
// not a failure: the notification no longer exists, because a signal has ended
// the call or the thread.
class Listener {
 public:
  explicit Listener(OwnedFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  // Lets the two sides run on one CPU from now on, if that is faster
  // (SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6). Without it, a wake-up can
  // take 70 us.
  void UseSyncWakeUp() const;

  // Waits for a notification.
  int Receive(seccomp_notif& notification) const;
  // Lets the call return `value`, or fail with `error` if that is > 0.
  int Reply(uint64_t id, int64_t value, int error) const;
  // Lets the kernel make the call.
  int Continue(uint64_t id) const;
  // Returns whether the call still waits for its reply. If so, everything that
  // was read from the target's memory before belongs to this call.
  bool IsValid(uint64_t id) const;

  // Installs a copy of `fd` in the target, with the flags 0 or O_CLOEXEC, and
  // lets the call return its number. Sets `number`.
  int ReplyWithDescriptor(uint64_t id, int fd, uint32_t flags,
                          int& number) const;
  // Does the same at the number `number`, which is closed first if it is open.
  int ReplyWithDescriptorAt(uint64_t id, int fd, uint32_t flags,
                            int number) const;
  // Replaces the descriptor `number` of the target. The call goes on waiting.
  int ReplaceDescriptor(uint64_t id, int fd, uint32_t flags, int number) const;

 private:
  OwnedFd fd_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_SECCOMP_H_
