#ifndef FAKES_FAULTS_RECORDER_H_
#define FAKES_FAULTS_RECORDER_H_

#include <list>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/trace.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// A Syscalls in front of another that records its calls for a Replayer:
//
//   Recorder recorder(DefaultSyscalls());
//   Serve(recorder);                       // The code under test.
//   WriteFile("server.trace", recorder.recorded().ToString());
//
// The calls, their arguments and their results are not changed. A call is
// recorded when it has returned, so one that blocks appears after the calls
// that other threads make meanwhile. Recording a call costs less than 100 ns,
// plus the copy of its data. The text is made later.
//
// A pointer is not read if it is null, outside of user space, or if the call
// failed with EFAULT. Any other invalid pointer crashes the program.
//
// The target must outlive it. Thread-safety: see Syscalls.
class Recorder final : public InterceptingSyscalls {
 public:
  explicit Recorder(Syscalls& target) : InterceptingSyscalls(target) {}

  // Returns the calls that have returned, in the order in which they did.
  // Line numbers are those of the trace's text.
  Trace recorded() const;

  // Forgets all calls.
  void Clear();

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  mutable Mutex mutex_;
  // The calls in a compact form, one after the other. A call does not cross
  // blocks, and the earlier ones are never moved.
  std::list<std::string> blocks_ ABSL_GUARDED_BY(mutex_);
  // The messages of the calls that have one, in the same order.
  std::list<RecordedMessage> messages_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net

#endif  // FAKES_FAULTS_RECORDER_H_
