#ifndef CONFORMANCE_CASES_FAULT_HELPERS_H_
#define CONFORMANCE_CASES_FAULT_HELPERS_H_

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/syscall_id.h"
#include "syscalls/net/endpoint.h"

// Helpers for cases that let system calls fail (Need::kFaults).
//
// No case knows which calls an implementation makes: plans name families
// ("accept", "send", "recv", "poll"), and a case whose plan applies to no call
// claims `unsupported` with NoteNoSuchCall().

namespace net::conformance {

// Puts faults in charge of the implementation (Context::InjectFaults()). Checks
// that with a canary: a Connect whose socket(2) fails must fail. Returns an
// Error if it does not.
Result<Faults*> TakeCharge(Context& c);

// Arms a plan while it exists.
class Armed {
 public:
  // Fails the case if `plan` is not a plan's text.
  Armed(Faults& faults, absl::string_view plan);
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed() { faults_.Arm({}); }

  // Returns whether every rule has applied to a call.
  bool applied() const { return faults_.Unmatched().empty(); }

 private:
  Faults& faults_;
};

// Returns a rule: "connect=ECONNREFUSED". `suffix` is an effect or a number of
// times: " after", "*3".
std::string Rule(absl::string_view calls, int error,
                 absl::string_view suffix = "");

// Returns the errnos that a call can have on a TCP socket: those of the table
// (syscalls/testdata/errno_table.tsv), without the ones in `but`.
std::vector<int> ErrnosBut(SyscallId call, std::initializer_list<int> but);

// Claims that the implementation makes no such call: "Listen makes no
// getsockname(2)". The case then is `unsupported`, and should return.
void NoteNoSuchCall(Context& c, absl::string_view claim);

// Expects that a failed operation has left no descriptor open that it made.
// With `closes`, also that it closed none twice, which needs
// Need::kFaultsOfClose.
void ExpectNothingLeft(const Faults& faults);
void ExpectClosedOnce(const Faults& faults);

// Returns the options of Listen and Connect that the implementation supports,
// among keep-alive, reuseaddr, reuseport and backlog. Does not go through the
// Context, so a claim of Unsupported does not count.
ListenOptions SupportedListenOptions(Context& c);
ConnectOptions SupportedConnectOptions(Context& c);

// Return a rule for each option that is set: "setsockopt(SO_KEEPALIVE)".
std::vector<std::string> CallsOfOptions(const ListenOptions& options);
std::vector<std::string> CallsOfOptions(const ConnectOptions& options);

// Returns an endpoint on which nothing listens: its port was picked by the
// system and is free again.
Result<ip::Endpoint> FreeEndpoint(Context& c);

// Lets each call that `operation` makes fail once: one call in each run, with
// an errno that the call can have, except EINTR and EAGAIN. Calls of the family
// poll do not fail. `operation` returns whether it succeeded; afterwards
// `check` is called with that.
//
// The calls are those of a run without faults. A rule that then applies to no
// call is no failure: an event loop does not make the same calls each time.
void FailEachCall(Faults& faults, absl::FunctionRef<bool()> operation,
                  absl::FunctionRef<void(bool succeeded)> check);

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_FAULT_HELPERS_H_
