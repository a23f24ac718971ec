#ifndef FAKES_EXPLORER_CALL_MONITOR_H_
#define FAKES_EXPLORER_CALL_MONITOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// A call that was made through a CallMonitor.
struct MonitoredCall {
  Call call = Call::kSocket;
  int fd = -1;  // The first argument, if it is a descriptor.
  // The position in the trace of a fault plan, from 1; 0 if the call has none,
  // because it is not about a TCP socket.
  int position = 0;
  // The nth call of this name, from 1. Counts as a plan does.
  int occurrence = 0;
  bool tries_bytes = false;  // Requests to move more than one byte.
  bool makes_descriptor = false;
  bool writes_address = false;
  bool reads_error = false;  // getsockopt(SO_ERROR).
  uint64_t digest = 0;       // Of the arguments, and of what they point to.
  // The number of the participant that made it (fakes/schedule/schedule.h); -1
  // if it is not known.
  int participant = -1;
  int end = 0;  // Its place in the order in which the calls returned, from 1.
  SysResult result;

  friend bool operator==(const MonitoredCall&, const MonitoredCall&) = default;
};

// A mistake of a program.
struct Violation {
  FindingKind kind = FindingKind::kLeak;
  // Indices in calls(): the call that is wrong (or -1: the end of the run), and
  // the call that made the descriptor (or -1).
  int call = -1;
  int maker = -1;
};

inline std::ostream& operator<<(std::ostream& os, const Violation& violation) {
  return os << violation.kind << " in call " << violation.call
            << ", of a descriptor of call " << violation.maker;
}

struct MonitorLimits {
  bool ignores_sigpipe = false;   // Sends may raise SIGPIPE.
  bool allows_inherited = false;  // Descriptors need not be close-on-exec.
  int max_calls = 10000;
  // The number of successive failing calls, with equal arguments and equal
  // errnos, that count as a retry storm. EINTR and ECONNABORTED do not count,
  // because an immediate retry is right for them.
  int storm = 12;
};

// Thrown by a CallMonitor, through the code under test, to end a program that
// has made twice max_calls calls.
struct EndlessProgram {};

// A Syscalls in front of another one that watches what a program does with it:
//
// - It records the calls.
// - It follows every descriptor, from the call that made it to close(2).
// - It fills the out-parameters of a call that failed (data, addresses, option
//   values) with 0xA5, so that a program that uses them fails visibly.
// - It looks for the Violations that FindingKind lists up to kSigpipe, except
//   kBroken and kCrash.
//
// After max_calls calls, every call but close(2) fails with EDEADLK.
//
// Thread-safety: any method may be called from any thread. No lock is held
// while a call is made.
class CallMonitor final : public InterceptingSyscalls {
 public:
  CallMonitor(Syscalls& target, const MonitorLimits& limits)
      : InterceptingSyscalls(target), limits_(limits) {
    calls_.reserve(64);
    descriptors_.reserve(16);
  }

  // Sets a function that returns the number of the calling participant. Call it
  // before the first call.
  void set_caller(std::function<int()> caller) { caller_ = std::move(caller); }

  // Ends the run: descriptors that are open now are leaks. No call may be in
  // progress.
  void Finish();

  // Reports that an out-parameter was changed by an operation that failed.
  void ReportOutParameter();

  // The results of the run. Call these after Finish().
  const std::vector<MonitoredCall>& calls() const { return calls_; }
  const std::vector<Violation>& violations() const { return violations_; }

  // The pattern that replaces out-parameters.
  static constexpr unsigned char kPoison = 0xa5;

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  // The state of a descriptor's number.
  struct Descriptor {
    bool open = false;
    bool is_socket = false;
    bool is_tcp = false;
    int maker = -1;       // The call that made it last; -1 if none did.
    int generations = 0;  // The number of descriptors that have had it.
  };

  // Records a call before it is made, and checks its arguments. Returns its
  // index in calls_, or -1 if the program is endless.
  int Enter(const Invocation& invocation);
  // Intercepts a call after max_calls others. `is_last_resort`: the program has
  // made twice max_calls calls.
  static SysResult InterceptLate(const Invocation& invocation,
                                 bool is_last_resort,
                                 absl::FunctionRef<SysResult()> make);
  void Leave(const Invocation& invocation, int index, SysResult result);

  void CheckDescriptors(const Invocation& invocation, int index)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckUse(int fd, int index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteClose(int fd, int index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckSigpipe(const Invocation& invocation, int index)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteMade(const Invocation& invocation, int index, SysResult result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteDescriptor(int fd, int index, bool is_socket, bool is_tcp)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteStorm(int index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Report(FindingKind kind, int call, int maker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether a fault plan counts the call.
  bool HasPosition(const Invocation& invocation) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const Descriptor* Find(int fd) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsTcp(int fd) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const MonitorLimits limits_;
  std::function<int()> caller_;
  Mutex mutex_;
  std::vector<MonitoredCall> calls_;
  std::vector<Violation> violations_;
  std::vector<Descriptor> descriptors_ ABSL_GUARDED_BY(mutex_);
  std::array<int, kCallCount> counts_ ABSL_GUARDED_BY(mutex_) = {};
  int ended_ ABSL_GUARDED_BY(mutex_) = 0;
  int position_ ABSL_GUARDED_BY(mutex_) = 0;
  int failures_in_a_row_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reported_storm_ ABSL_GUARDED_BY(mutex_) = false;
};

// Returns the call's name in texts: "accept4#2", or "accept4" if it is the only
// one of its name in `calls`.
std::string SiteText(const std::vector<MonitoredCall>& calls, int index);

}  // namespace net

#endif  // FAKES_EXPLORER_CALL_MONITOR_H_
