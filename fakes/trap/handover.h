#ifndef FAKES_TRAP_HANDOVER_H_
#define FAKES_TRAP_HANDOVER_H_

#include <linux/filter.h>

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/trap/owned_fd.h"

namespace net::trap {

// Passes a filter's listener from the child, which installs the filter, to its
// parent, which supervises. The two share a page of memory. They cannot send
// the descriptor in a message, because that would be a trapped call without a
// supervisor.
//
//   parent                                child
//   StatusOr<Handover> h = Create(...)
//   fork
//   Take(pidfd)   <- number --            InstallAndWait() installs the filter
//   pidfd_getfd   -- taken ->                 and waits,
//   supervises    <- canary --                then calls the canary
//                                         the program
class Handover {
 public:
  // The progress of the child.
  enum class Step : uint32_t {
    kStarted,
    kInstalled,     // Its filter is installed; `listener` has the number.
    kInstallError,  // The errno is in `error`.
    kTaken,         // The parent has the listener.
    kCanaryError,   // Nobody answered the canary: the program was not started.
    kRunning,       // The canary was answered, and the program began.
    kExecError,     // `error` says why the program could not be started.
  };

  static absl::StatusOr<Handover> Create(std::vector<sock_filter> program,
                                         bool wait_killable);
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  Handover(Handover&& other) noexcept;
  Handover& operator=(Handover&&) = delete;
  ~Handover();

  // Waits for the child's filter, and takes its listener. Called in the parent.
  // `pidfd` is that of the child. Fails with FAILED_PRECONDITION if the child
  // cannot install a filter.
  absl::StatusOr<OwnedFd> Take(int pidfd);

  // Installs the filter, waits until the parent has its listener, and calls the
  // canary. Called in the child. Returns whether the canary was answered.
  // Async-signal-safe.
  bool InstallAndWait();
  // Leaves a report for the parent. Called in the child. Async-signal-safe.
  void Leave(Step step, int error = 0);

  // Return the progress of the child, and its errno. Called in the parent, once
  // the child has ended.
  Step step() const;
  int error() const;

 private:
  // The page. Both sides wait with futex(2), which no filter of ours traps.
  struct Shared {
    std::atomic<uint32_t> step;
    std::atomic<int> listener;
    std::atomic<int> error;
  };

  Handover(std::vector<sock_filter> program, bool wait_killable, Shared* shared)
      : program_(std::move(program)),
        wait_killable_(wait_killable),
        shared_(shared) {}
  // Waits until the step is no longer `step`, or for 10 ms.
  void WaitWhile(Step step) const;

  const std::vector<sock_filter> program_;
  const bool wait_killable_;
  Shared* shared_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_HANDOVER_H_
