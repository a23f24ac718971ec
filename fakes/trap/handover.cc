#include "fakes/trap/handover.h"

#include <linux/filter.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fakes/trap/seccomp.h"
#include "syscalls/errors/error.h"

namespace net::trap {
namespace {

absl::Status CannotInstall(int error) {
  const absl::Status cause = ErrnoError(error, "seccomp");
  return absl::FailedPreconditionError(absl::StrCat(
      cause.message(), error == EBUSY
                           ? " (this process has a filter with a listener "
                             "already, and a process can have only one)"
                           : " (a sandbox forbids filters with a listener)"));
}

bool HasEnded(int pidfd) {
  pollfd event = {.fd = pidfd, .events = POLLIN, .revents = 0};
  return poll(&event, 1, /*timeout=*/0) > 0;
}

}  // namespace

absl::StatusOr<Handover> Handover::Create(std::vector<sock_filter> program,
                                          bool wait_killable) {
  void* const page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return ErrnoError(errno, "mmap");
  return Handover(std::move(program), wait_killable, new (page) Shared());
}

Handover::Handover(Handover&& other) noexcept
    : program_(other.program_),
      wait_killable_(other.wait_killable_),
      shared_(std::exchange(other.shared_, nullptr)) {}

Handover::~Handover() {
  if (shared_ != nullptr) munmap(shared_, sizeof(Shared));
}

absl::StatusOr<OwnedFd> Handover::Take(int pidfd) {
  while (step() == Step::kStarted) {
    // The child may die before it reports.
    if (HasEnded(pidfd)) break;
    WaitWhile(Step::kStarted);
  }
  if (step() == Step::kInstallError) return CannotInstall(error());
  if (step() != Step::kInstalled) {
    return absl::AbortedError("the child ended before it had a filter");
  }
  OwnedFd listener(static_cast<int>(
      syscall(SYS_pidfd_getfd, pidfd, shared_->listener.load(), /*flags=*/0)));
  if (!listener.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        ErrnoError(errno, "pidfd_getfd").message(),
        " (a sandbox forbids looking into another process: ptrace(2), \"Ptrace "
        "access mode checking\")"));
  }
  Leave(Step::kTaken);
  return listener;
}

bool Handover::InstallAndWait() {
  const int listener = InstallFilter(program_, wait_killable_);
  if (listener < 0) {
    Leave(Step::kInstallError, -listener);
    return false;
  }
  shared_->listener = listener;
  Leave(Step::kInstalled);
  // If the parent dies, this process is killed (PR_SET_PDEATHSIG).
  while (step() == Step::kInstalled) WaitWhile(Step::kInstalled);
  // The parent's copy is to be the only one: when it is closed, trapped calls
  // fail instead of waiting for a reply. close(2) may be trapped.
  syscall(SYS_close_range, listener, listener, 0);
  if (syscall(kCanaryNumber) != kCanaryAnswer) {
    Leave(Step::kCanaryError);
    return false;
  }
  Leave(Step::kRunning);
  return true;
}

void Handover::Leave(Step step, int error) {
  shared_->error = error;
  shared_->step = static_cast<uint32_t>(step);
  syscall(SYS_futex, &shared_->step, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

Handover::Step Handover::step() const {
  return static_cast<Step>(shared_->step.load());
}

int Handover::error() const { return shared_->error; }

void Handover::WaitWhile(Step step) const {
  const timespec timeout = {.tv_sec = 0, .tv_nsec = 10'000'000};
  // EAGAIN, EINTR and ETIMEDOUT: the caller looks again.
  syscall(SYS_futex, &shared_->step, FUTEX_WAIT, static_cast<uint32_t>(step),
          &timeout, nullptr, 0);
}

}  // namespace net::trap
