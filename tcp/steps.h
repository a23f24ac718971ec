#ifndef TCP_STEPS_H_
#define TCP_STEPS_H_

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fakes/call.h"
#include "fakes/mock_syscalls.h"
#include "syscalls/net/endpoint.h"

// For tests: the system calls of Listen() and Connect() as expectations on a
// MockSyscalls, so that one test can be written for each step of an operation.

namespace net {

// The descriptor that the mocked kernel makes.
inline constexpr int kFd = 7;

// The port that the mocked kernel picks, and one that stands where none has
// been assigned.
inline constexpr uint16_t kPickedPort = 50123;
inline constexpr uint16_t kUntouchedPort = 4242;

// The endpoints that tests listen on and connect to. The IPv6 one has a scope,
// to be lost on the way.
std::vector<ip::Endpoint> TestedEndpoints();

// "V4" or "V6": how an endpoint's tests are named.
std::string FamilyName(const ip::Endpoint& endpoint);

// One system call of Listen() or Connect().
struct Step {
  Call call;
  int option = 0;  // Of setsockopt: SO_KEEPALIVE, SO_REUSEADDR, SO_REUSEPORT.
};

// "bind", "setsockopt_SO_KEEPALIVE".
std::string StepName(const Step& step);

// What the steps of one operation are given.
struct StepArguments {
  ip::Endpoint endpoint;  // Of bind or connect.
  int type = SOCK_STREAM | SOCK_CLOEXEC;
  int backlog = 10;
};

// Expects the call of `step`, once, with exactly these arguments. It answers
// the errno `error` or, if that is 0, succeeds: socket makes kFd, getsockname
// tells the endpoint's address with kPickedPort.
void ExpectStep(MockSyscalls& sys, const Step& step,
                const StepArguments& arguments, int error = 0);

}  // namespace net

#endif  // TCP_STEPS_H_
