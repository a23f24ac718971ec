#ifndef FAKES_FAULT_INJECTOR_H_
#define FAKES_FAULT_INJECTOR_H_

#include <array>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "fakes/call.h"
#include "fakes/intercepting_syscalls.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// Whether the call that a fault hits reaches the kernel.
enum class When {
  // It is not made: the kernel refused it.
  kBefore,
  // It is made, and its answer is thrown away: the kernel did the work, and
  // then failed. The kernel leaves no descriptor behind when it reports an
  // error, so one that the call made is closed again, on the target, unseen by
  // the caller; of an accept4 the connection is lost. Out-parameters are as the
  // call left them. Where the call fails by itself, its errno is replaced.
  kAfter,
};

// One call that is to fail: the `nth` call of that name, counted from 1.
struct Fault {
  Call call = Call::kSocket;
  int nth = 1;
  int error = 0;  // An errno.
  When when = When::kBefore;

  // "accept4#2=EMFILE", "close#1=EIO after".
  std::string ToString() const;

  friend bool operator==(const Fault&, const Fault&) = default;
};

std::ostream& operator<<(std::ostream& os, const Fault& fault);

// A Syscalls in front of another that makes chosen calls fail and passes on
// all others unchanged. Over LinuxSyscalls it shows what a mock cannot: what
// the real kernel has left after a call has failed that never fails on demand.
//
//   LinuxSyscalls kernel;
//   FaultInjector injector(kernel);
//   injector.Fail(Call::kListen, 1, EADDRINUSE, When::kAfter);
//   EXPECT_THAT(tcp::Listen(ip::kLocalV4, port, {}, injector),
//               IsErrno(EADDRINUSE));
//   EXPECT_THAT(injector.Unfired(), IsEmpty());
//   EXPECT_THAT(injector.OpenDescriptors(), IsEmpty());
//   // ... and with `kernel` itself: nothing listens on `port`.
//
// It also keeps a ledger of descriptors: those that were made by calls through
// it and not yet closed through it, so that a test can tell "closed exactly
// once" from a leak and from a second close.
//
// Linux frees a descriptor whatever close(2) answers: for a close that fails
// like the kernel's, say When::kAfter. With kBefore the descriptor does stay
// open in the kernel, though not in the ledger: the caller did its part.
//
// Limits: dup3 undone by kAfter does not bring back the descriptor that it
// replaced. Descriptors received in messages (SCM_RIGHTS) are not in the
// ledger.
//
// Thread-safe, and holds no lock while a call is made. Which of two concurrent
// calls is the nth is up to the threads; it is always exactly one.
class FaultInjector final : public InterceptingSyscalls {
 public:
  // `target` must outlive it.
  explicit FaultInjector(Syscalls& target) : InterceptingSyscalls(target) {}

  // Plans that the `nth` call of that name, counted from 1 from the injector's
  // construction on, answers the errno `error` (> 0). If two faults are
  // planned for one call, it is the one planned first.
  void Fail(Call call, int nth, int error, When when = When::kBefore);

  // How many calls of that name came in so far, those that failed by a fault
  // included.
  int count(Call call) const;

  // The faults that have not hit a call yet, in the order planned. Where a test
  // ends with some, it has not tested what it says.
  std::vector<Fault> Unfired() const;

  // The descriptors that calls through the injector made and that no call
  // closed, in ascending order.
  std::vector<int> OpenDescriptors() const;

  // How many times a close came for a descriptor (>= 0) that was not among
  // OpenDescriptors(): closed twice, or not made here.
  int StrayCloses() const;

 protected:
  SysResult Intercept(const Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  // Notes that a call comes in; what to answer instead, error 0 if nothing.
  Fault Enter(const Invocation& invocation);
  // Notes the descriptors that a successful call made.
  void NoteMade(const Invocation& invocation, SysResult result);
  // Closes the descriptors that a successful call made.
  void Undo(const Invocation& invocation, SysResult result);

  mutable Mutex mutex_;
  std::array<int, kCallCount> counts_ ABSL_GUARDED_BY(mutex_) = {};
  std::vector<Fault> unfired_ ABSL_GUARDED_BY(mutex_);
  std::set<int> open_ ABSL_GUARDED_BY(mutex_);
  int stray_closes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace net

#endif  // FAKES_FAULT_INJECTOR_H_
