#ifndef FAKES_FAULTS_FAULT_PLAN_H_
#define FAKES_FAULTS_FAULT_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "syscalls/net/ip_addr.h"

namespace net {

// A fault plan: the system calls that fail, their errnos and their effects. A
// plan is a value with a text form. FaultInjector carries it out in this
// process, SyscallTrap in another one.
//
//   accept4#2=EMFILE; send=short(1); connect(*:80)=EINTR*3; close=EIO after
//
// Calls that count:
// - Calls on TCP sockets (SOCK_STREAM of AF_INET and AF_INET6), socket(2) that
//   makes one, and calls of the family poll that wait for one.
// - Calls that take no descriptor (epoll_create1, pipe2, eventfd,
//   timerfd_create, clock_gettime, nanosleep), but only for rules that name
//   them: they are in no "*" and have no position.
// - No other: getaddrinfo(3) makes sockets of other kinds.
// Counts start when the plan is armed.
//
//   plan      = [ rule (";" rule)* ]
//   rule      = calls [ "(" filter ("," filter)* ")" ] [occurrence] [every]
//               [position] [chance] "=" action
//   calls     = the name of a system call ("accept4"), a family, or "*"
//               A family is all calls that do the same:
//                 accept  accept, accept4
//                 send    send, sendto, sendmsg, sendmmsg, write, writev,
//                         sendfile
//                 recv    recv, recvfrom, recvmsg, recvmmsg, read, readv
//                 poll    poll, ppoll, select, pselect6, epoll_wait,
//                         epoll_pwait, epoll_pwait2
//                 dup     dup, dup3
//               "recv!" is recv(2) only.
//   filter    = endpoint          the remote address; for bind the local one.
//                                 For connect it is the argument.
//             | "local=" endpoint
//             | "remote=" endpoint
//             | "listener"        after listen(2)
//             | "connection"      after connect(2), or made by accept
//             | "socket " N       the Nth TCP socket since the plan was armed
//             | option            of setsockopt and getsockopt: "SO_REUSEADDR";
//                                 of fcntl the command: "F_SETFL"
//             | "from=" text      a part of the call site's name, where known;
//                                 in quotes if it has spaces, ',' or ')'
//   endpoint  = (address | "*") ":" (port | "*")    IPv6 addresses in brackets.
//               An IPv4 address also matches its v4-mapped form.
//   occurrence= "#" N             the Nth matching call, counted from 1
//             | "#" N ".." [M]    the Nth to the Mth, or all from the Nth
//   every     = " every " N       the Nth of them, the 2Nth, ...
//   position  = "@" N [".." [M]]  the Nth call of the whole trace
//   chance    = " p=" P " seed=" S    0 < P <= 1; equal seeds, equal choices
//   action    = errno ["*" N] [effect]
//             | "short(" N ")" | "delay(" duration ")"
//             | "fd0" | "reuse" | "truncated(" N ")" | "consumed" | "reset"
//             (each with ["*" N])
//   effect    = "before" | "after" | "partial(" N ")"
//
// "*N" limits a rule to N calls. A rule without an occurrence applies to every
// matching call. A rule does not match calls that its action cannot apply to
// (fakes/faults/applicable.h): "*#3=short(1)" is the third call of the families
// send and recv. Space between words is ignored.

// The effect of a failing call.
enum class Effect : uint8_t {
  // The effect that this errno of this call has on Linux: see DefaultEffect().
  kDefault,
  kBefore,   // The call is not made.
  kAfter,    // The call is made, and its result is replaced by the errno.
  kPartial,  // Some bytes are moved, and then the call fails.
};

enum class ActionKind : uint8_t {
  kError,              // EMFILE: the call fails with `error`.
  kShort,              // short(n): moves at most n bytes.
  kDelay,              // delay(5ms): the call is made after this time.
  kDescriptorZero,     // fd0: the new descriptor has the number 0.
  kReuseNumber,        // reuse: the new descriptor has the number of the
                       // descriptor that was closed last.
  kTruncatedAddress,   // truncated(n): only n bytes of the address are written.
  kErrorConsumed,      // consumed: SO_ERROR reads 0, the error is lost.
  kResetBeforeAccept,  // reset: the connection is reset before accept(2)
                       // returns it.
};

struct FaultAction {
  ActionKind kind = ActionKind::kError;
  int error = 0;                     // For kError; > 0.
  Effect effect = Effect::kDefault;  // For kError.
  size_t bytes = 0;  // For kShort, kTruncatedAddress and Effect::kPartial.
  absl::Duration delay = absl::ZeroDuration();  // For kDelay.

  friend bool operator==(const FaultAction&, const FaultAction&) = default;
};

// A pattern for endpoints. A part that is nullopt matches everything.
struct EndpointPattern {
  std::optional<ip::Addr> addr;
  std::optional<uint16_t> port;

  friend bool operator==(const EndpointPattern&,
                         const EndpointPattern&) = default;
};

enum class SocketRole : uint8_t { kAny, kListener, kConnection };

// An inclusive range of numbers that count from 1.
struct CountRange {
  int first = 1;
  int last = std::numeric_limits<int>::max();

  friend bool operator==(const CountRange&, const CountRange&) = default;
};

// A selection of calls. The rule counts the calls that match everything but
// `occurrence`, `every` and `probability`.
struct FaultSelector {
  // The calls, as in the text of a plan: "accept4", "recv", "recv!", "*".
  std::string calls;
  SocketRole role = SocketRole::kAny;
  // The nth TCP socket that was made since the plan was armed, counted from 1.
  std::optional<int> nth_socket;
  std::optional<EndpointPattern> local;
  std::optional<EndpointPattern> remote;
  // "SO_REUSEADDR", or "F_SETFL" for fcntl(2); "" matches every call.
  std::string option;
  std::string call_site;  // A part of its name; "" matches every call.
  std::optional<CountRange> position;  // In the whole trace.
  CountRange occurrence;
  int every = 1;  // Every nth call of `occurrence`; >= 1.
  std::optional<double> probability;
  uint64_t seed = 0;

  friend bool operator==(const FaultSelector&, const FaultSelector&) = default;
};

struct FaultRule {
  FaultSelector selector;
  FaultAction action;
  // The number of calls that the rule applies to.
  int times = std::numeric_limits<int>::max();

  // Returns the text, without loss: ParseFaultPlan() returns an equal rule if
  // it accepts such a rule at all.
  std::string ToString() const;

  friend bool operator==(const FaultRule&, const FaultRule&) = default;
};

// A list of rules. If several rules match a call, the first one applies. The
// others count the call, too.
struct FaultPlan {
  std::vector<FaultRule> rules;

  std::string ToString() const;

  friend bool operator==(const FaultPlan&, const FaultPlan&) = default;
};

// Print values in messages of tests. An enum is printed as its number.
std::ostream& operator<<(std::ostream& os, Effect effect);
std::ostream& operator<<(std::ostream& os, ActionKind kind);
std::ostream& operator<<(std::ostream& os, SocketRole role);
std::ostream& operator<<(std::ostream& os, const FaultAction& action);
std::ostream& operator<<(std::ostream& os, const EndpointPattern& pattern);
std::ostream& operator<<(std::ostream& os, const CountRange& range);
std::ostream& operator<<(std::ostream& os, const FaultRule& rule);
std::ostream& operator<<(std::ostream& os, const FaultPlan& plan);

// Parses a plan. Fails with INVALID_ARGUMENT; the message names the column,
// counted from 1, what is expected there, and the nearest names:
//
//   column 1: expected the name of a system call, a family or '*', not
//   'acept4'; did you mean 'accept4'?
//
// A rule that can match no call, for example listen(SO_ERROR) or listen=reset,
// is a mistake, too.
absl::StatusOr<FaultPlan> ParseFaultPlan(absl::string_view text);

}  // namespace net

#endif  // FAKES_FAULTS_FAULT_PLAN_H_
