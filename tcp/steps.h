#ifndef TCP_STEPS_H_
#define TCP_STEPS_H_

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fakes/call.h"
#include "fakes/mock_syscalls.h"
#include "syscalls/net/endpoint.h"

// Expectations on a MockSyscalls for the system calls of Listen() and
// Connect(). With these, one parametrised test covers every step.

namespace net {

// The descriptor that the mock's socket(2) returns.
inline constexpr int kFd = 7;

// The port that the mock's getsockname(2) returns, and a value for a port
// variable that must stay unchanged.
inline constexpr uint16_t kPickedPort = 50123;
inline constexpr uint16_t kUntouchedPort = 4242;

// Returns the endpoints that tests listen on and connect to, one of each
// family. The IPv6 endpoint has a scope ID, so that a test notices if it is
// lost.
std::vector<ip::Endpoint> TestedEndpoints();

// Returns "V4" or "V6", for the names of parametrised tests.
std::string FamilyName(const ip::Endpoint& endpoint);

// One system call of Listen() or Connect().
struct Step {
  Call call;
  int option = 0;  // For setsockopt: SO_KEEPALIVE, SO_REUSEADDR or
                   // SO_REUSEPORT.
};

// Returns the step's name, for example "bind" or "setsockopt_SO_KEEPALIVE".
std::string StepName(const Step& step);

// The arguments that an operation's system calls are expected to have.
struct StepArguments {
  ip::Endpoint endpoint;  // For bind and connect.
  int type = SOCK_STREAM | SOCK_CLOEXEC;
  int backlog = 10;
};

// Expects one call of `step` with exactly these arguments. The call fails with
// `error` or, if `error` is 0, succeeds: socket returns kFd, and getsockname
// returns the endpoint's address with kPickedPort.
void ExpectStep(MockSyscalls& sys, const Step& step,
                const StepArguments& arguments, int error = 0);

}  // namespace net

#endif  // TCP_STEPS_H_
