#ifndef FAKES_FAULTS_TRACE_H_
#define FAKES_FAULTS_TRACE_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/call_record.h"

// The text of a trace: the system calls that a program made, with everything
// that the kernel returned. Recorder and `trap --record=FILE` write it, and
// Replayer plays it.
//
//   trace 1
//   # A comment. Empty lines are ignored, too.
//   socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3
//   connect(3, {AF_INET, 127.0.0.1:80}, 16) = -1 EINPROGRESS
//   poll([{3, POLLOUT}], 1, -1) = 1 [{3, POLLOUT}]
//   getsockopt(3, SOL_SOCKET, SO_ERROR, ECONNREFUSED, [4]) = 0
//   [2] recv(5, "GET / HTTP/1.1\r\n", 4096, 0) = 16
//
// - The first line has the version of the format.
// - Each other line is a call, in the order in which the calls returned. Names
//   and arguments are those of the man pages, in the manner of strace(1). A
//   call of another thread than the first begins with its number: "[2] ".
// - Numbers are symbols ("SOCK_STREAM|SOCK_CLOEXEC"), decimal numbers, or both
//   joined by "|".
// - A null pointer is "NULL". A pointer is "?" if its target is not known, or
//   if the call did not fill it in.
// - Data is quoted as in C, with octal escapes, and complete.
// - An address is "{AF_INET, 127.0.0.1:80}". An address with other parts is
//   written as its bytes, quoted. So is an option's value whose size is not
//   that of the option.
// - The length that accept4(2) and its like change is "[before => after]", or
//   "[after]" if it did not change.
// - An event of epoll(7) is "{EPOLLIN, 7}", where 7 is its data as a u64.
// - A result that is not known is "?": SyscallTrap does not see those of some
//   calls that it lets pass, such as close(2).
// - A text in parentheses after the result is ignored: "(INJECTED)".

namespace net {

struct Trace {
  struct Line {
    int number = 0;  // In the text, counted from 1.
    CallRecord call;
  };
  std::vector<Line> lines;

  // Returns the text. Comments are lost.
  std::string ToString() const;
};

std::ostream& operator<<(std::ostream& os, const Trace& trace);

// The first line of a trace, with its newline.
inline constexpr absl::string_view kTraceHeader = "trace 1\n";

// Parses a trace. Fails with INVALID_ARGUMENT; the message names the line and
// the column, both counted from 1, and what is expected there.
absl::StatusOr<Trace> ParseTrace(absl::string_view text);

// Parses one call, a line without the newline. `number` is for messages.
absl::StatusOr<CallRecord> ParseCallRecord(absl::string_view line,
                                           int number = 1);

}  // namespace net

#endif  // FAKES_FAULTS_TRACE_H_
