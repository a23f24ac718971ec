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
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// Whether the failing call reaches the target.
enum class When {
  // The call is not made, as if the kernel had rejected it.
  kBefore,
  // The call is made and its result is discarded, as if the kernel had done the
  // work and then failed.
  // - If the call succeeded and returned descriptors, the injector closes them
  //   on the target, because Linux leaves no descriptor behind when a call
  //   fails. A connection that accept4 returned is lost.
  // - Out-parameters keep what the call wrote.
  // - If the call failed, its errno is replaced.
  kAfter,
};

// A call that is to fail: the `nth` call of that name, counted from 1.
struct Fault {
  Call call = Call::kSocket;
  int nth = 1;
  int error = 0;  // The errno, > 0.
  When when = When::kBefore;

  // Returns the fault as text, for example "accept4#2=EMFILE" or "close#1=EIO
  // after".
  std::string ToString() const;

  friend bool operator==(const Fault&, const Fault&) = default;
};

std::ostream& operator<<(std::ostream& os, const Fault& fault);

// A Syscalls in front of another one (the target). It makes chosen calls fail
// and passes all others on unchanged. Over LinuxSyscalls it shows what a mock
// cannot: the state of the real kernel after the failure of a call that does
// not fail on demand.
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
// It also records the descriptors that calls through it have created and not
// yet closed, so that a test can distinguish "closed exactly once" from a leak
// and from a second close.
//
// For close(2), use When::kAfter: Linux frees the descriptor even if close(2)
// fails. With When::kBefore the descriptor stays open in the kernel;
// OpenDescriptors() nevertheless omits it, because the caller has closed it.
//
// Limits:
// - When::kAfter does not restore the descriptor that a dup3 replaced.
// - Descriptors received in messages (SCM_RIGHTS) are not recorded.
//
// Thread-safety: any method may be called from any thread. No lock is held
// while a call is made. Of concurrent calls of one name, exactly one is the
// nth; which one depends on the threads.
class FaultInjector final : public InterceptingSyscalls {
 public:
  // `target` must outlive the injector.
  explicit FaultInjector(Syscalls& target) : InterceptingSyscalls(target) {}

  // Makes the `nth` call of that name, counted from 1 since construction, fail
  // with the errno `error` (> 0). If a call has two faults, the one planned
  // first applies, and the other stays unfired.
  void Fail(Call call, int nth, int error, When when = When::kBefore);

  // Returns the number of calls of that name so far, including those that a
  // fault made fail.
  int count(Call call) const;

  // Returns the faults that have not been injected yet, in the order planned.
  // If a test ends with some, it has not tested what it planned.
  std::vector<Fault> Unfired() const;

  // Returns the descriptors that calls through the injector have created and
  // not yet closed, in ascending order.
  std::vector<int> OpenDescriptors() const;

  // Returns the number of close calls for a descriptor (>= 0) that was not in
  // OpenDescriptors(): it was closed twice or not created through the injector.
  int StrayCloses() const;

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  // Counts a call. Returns the fault to inject, or one with error 0.
  Fault Enter(const Invocation& invocation);
  // Records the descriptors that a successful call created.
  void NoteMade(const Invocation& invocation, SysResult result);
  // Closes the descriptors that a successful call created.
  void Undo(const Invocation& invocation, SysResult result);

  mutable Mutex mutex_;
  std::array<int, kCallCount> counts_ ABSL_GUARDED_BY(mutex_) = {};
  std::vector<Fault> unfired_ ABSL_GUARDED_BY(mutex_);
  std::set<int> open_ ABSL_GUARDED_BY(mutex_);
  int stray_closes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace net

#endif  // FAKES_FAULT_INJECTOR_H_
