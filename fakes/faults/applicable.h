#ifndef FAKES_FAULTS_APPLICABLE_H_
#define FAKES_FAULTS_APPLICABLE_H_

#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net {

// Returns whether the call moves bytes of a stream, and can therefore move
// fewer: the families send and recv.
bool MovesBytes(SyscallId call);

// Returns whether the action can apply to the call. A rule does not match calls
// that its action cannot apply to.
//
//   an errno, delay(D)       every call
//   ... partial(N), short(N) the families send and recv
//   fd0, reuse               socket, accept, accept4, dup, epoll_create1,
//                            eventfd and timerfd_create
//   truncated(N)             accept, accept4, getsockname and getpeername
//   consumed                 getsockopt, if it reads SO_ERROR
//   reset                    accept and accept4
bool IsApplicable(const FaultAction& action, SyscallId call);

// Returns the calls that the action applies to, for messages: "the families
// send and recv".
absl::string_view ApplicableTo(const FaultAction& action);

}  // namespace net

#endif  // FAKES_FAULTS_APPLICABLE_H_
