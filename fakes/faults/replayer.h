#ifndef FAKES_FAULTS_REPLAYER_H_
#define FAKES_FAULTS_REPLAYER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/trace.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"

namespace net {

// A Syscalls that plays the kernel's side of a trace: results, errnos,
// out-parameters and data. It has no other effect, and no call blocks.
//
//   const absl::StatusOr<Trace> trace = ParseTrace(text);
//   ASSERT_THAT(trace, IsOk());
//   Replayer kernel(*trace);
//   Serve(kernel);                          // The code under test.
//   EXPECT_THAT(kernel.Finish(), IsOk());
//
// The calls must be those of the trace, in its order, with the same arguments:
// descriptors, flags, addresses, options, sent data. These may differ:
// - Calls that do the same serve each other: recv, recvfrom, recvmsg, read and
//   readv; send, sendto, sendmsg, write and writev; accept and accept4 with the
//   flags 0; poll and ppoll; select and pselect6; epoll_wait, epoll_pwait and
//   epoll_pwait2. A trace of a program in any language can therefore be played
//   to one in C++. (sendmmsg, recvmmsg, sendfile and splice serve only
//   themselves.)
// - Timeouts, durations, timers and signal masks.
// - MSG_NOSIGNAL.
// - The sizes of buffers, and the number of messages of recvmmsg(2), if what
//   was recorded fits.
// - The data of epoll_event: an event has the data of the caller's epoll_ctl(2)
//   in place of the recorded data.
//
// A call whose result was not recorded ("?") succeeds, unless it makes a
// descriptor.
//
// At the first call that differs, the program departs from the trace. From then
// on every call fails with ENOSYS and writes nothing.
//
// Threads: each thread plays one thread of the trace. A new thread takes the
// first one that has not begun and whose first call matches. The order between
// threads is not enforced.
//
// Thread-safety: see Syscalls.
class Replayer final : public InterceptingSyscalls {
 public:
  explicit Replayer(Trace trace);

  // Returns OK, or FAILED_PRECONDITION if the program has departed from the
  // trace. The message has the line, what was recorded and what was called:
  //
  //   line 5: recorded shutdown(3, SHUT_WR) = 0, called close(3)
  absl::Status Departure() const;

  // Returns Departure() or, if that is OK, an error if a call of the trace was
  // not made: "line 9: recorded close(3) = 0, never called".
  absl::Status Finish() const;

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  // A thread of the trace.
  struct Thread {
    int number = 0;
    std::vector<size_t> lines;  // Indices into trace_.lines.
    size_t played = 0;
    std::optional<int> player;  // Its ThreadNumber().
  };

  // Returns the recorded thread that the calling one plays; null if there is
  // none.
  Thread* ThreadFor(const Invocation& invocation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Depart(const Trace::Line* line, const Invocation& invocation,
              absl::string_view difference)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Note the data that the caller gives to an event, and replace the recorded
  // data of events by it.
  void NoteEvent(const CallRecord& recorded, const Invocation& invocation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TranslateEvents(const CallRecord& recorded, const Invocation& invocation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Trace trace_;
  mutable Mutex mutex_;
  std::vector<Thread> threads_ ABSL_GUARDED_BY(mutex_);
  absl::Status departure_ ABSL_GUARDED_BY(mutex_);
  // The caller's data of an event, by the epoll's descriptor and the recorded
  // data.
  std::map<std::pair<int64_t, uint64_t>, uint64_t> event_data_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace net

#endif  // FAKES_FAULTS_REPLAYER_H_
