#ifndef CONFORMANCE_EXPLAIN_SCRIPT_H_
#define CONFORMANCE_EXPLAIN_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/call_record.h"

namespace net::conformance {

// The actions of a trial, in their order: the system calls of the case and of
// the implementation, and the changes that the case made to its environment.
struct Script {
  struct Call {
    CallRecord record;
    // Whether the implementation made the call, and not the case.
    bool is_of_subject = false;
    // Whether the call was blocked: other calls began or ended before it
    // returned.
    bool is_blocked = false;
    // The pointers that the kernel could not use, by the place of the argument.
    // Known after EFAULT.
    std::vector<size_t> bad_pointers = {};
  };
  struct Step {
    enum class Kind {
      kBegin,      // `call` begins. Only for calls that are blocked.
      kEnd,        // `call` has returned.
      kInterrupt,  // A signal interrupts `call`, which is blocked.
      kBlocked,    // `call` is still blocked, after the steps since kBegin.
      kOperation,  // `operation` of the environment.
    };
    Kind kind = Kind::kEnd;
    size_t call = 0;
    // Words: "sysctl net.ipv4.tcp_syn_retries 1". See recording.cc.
    std::vector<std::string> operation = {};
  };
  std::vector<Call> calls;
  std::vector<Step> steps;
  bool reads_clock = false;
};

// The lines of a log, one for each event, in their order:
//
//   begin 7 1 case                 The call 7 of thread 1 begins.
//   unreadable 7 1                 Argument 1 of call 7 is a bad pointer.
//   length 7 2 16                  Argument 2 of call 7 points to that length.
//   end 7 accept4(3, NULL, NULL, SOCK_CLOEXEC) = 5
//   interrupt 1                    A signal interrupts thread 1.
//   blocked 1                      Thread 1 is blocked.
//   operation loopback down
//
// "case" is "subject" for a call of the implementation.
std::string BeginLine(int call, int thread, bool is_of_subject);
std::string UnreadableLine(int call, size_t argument);
// For a call that fails with EFAULT: its record has no length.
std::string LengthLine(int call, size_t argument, int64_t length);
std::string EndLine(int call, const CallRecord& record);
std::string InterruptLine(int thread);
std::string BlockedLine(int thread);
std::string OperationLine(absl::string_view operation);

// Parses a log of such lines. Omits calls that read the clock. Fails if a call
// has not returned, or if a line has another form.
absl::StatusOr<Script> ParseScript(absl::string_view log);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_SCRIPT_H_
