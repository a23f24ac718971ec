#ifndef FAKES_EXPLORER_SCENARIO_KIT_H_
#define FAKES_EXPLORER_SCENARIO_KIT_H_

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// Steps of scenarios for the tests of the explorer, in plain system calls, as
// in programs that do not use net::tcp.

namespace net::kit {

// Returns the error of a step, or OK.
absl::Status ToStatus(SysResult result, absl::string_view operation);

// Returns the first status that is an error, or OK.
absl::Status FirstError(const absl::Status& first, const absl::Status& second);

// Makes a close-on-exec TCP socket.
SysResult NewSocket(Syscalls& sys);

// Call bind(2) and connect(2) with 127.0.0.1 and the port, listen(2), and
// setsockopt(2) with the value 1.
SysResult BindTo(Syscalls& sys, int fd, uint16_t port);
SysResult ConnectTo(Syscalls& sys, int fd, uint16_t port);
SysResult StartListening(Syscalls& sys, int fd);
SysResult TurnOn(Syscalls& sys, int fd, int option);

// Calls getsockname(2) and sets `port`, if it succeeds.
SysResult ReadPort(Syscalls& sys, int fd, uint16_t* port);

SysResult AcceptFrom(Syscalls& sys, int fd);
SysResult SendOnce(Syscalls& sys, int fd, absl::string_view data);
SysResult RecvOnce(Syscalls& sys, int fd, char* data, size_t size);
SysResult AwaitWritable(Syscalls& sys, int fd);

absl::Status CloseIt(Syscalls& sys, int fd);
// Closes in an error path, where the first error counts.
void Discard(Syscalls& sys, int fd);

// A connected pair, made without a mistake: EINTR is retried, and a failure
// closes everything.
struct Pair {
  int client = -1;
  int server = -1;
};
absl::Status MakePair(Syscalls& sys, Pair* pair);
// Closes both. Returns the first error.
absl::Status ClosePair(Syscalls& sys, const Pair& pair);

// Makes a pair, calls `body` with it, and closes the pair. Returns the first
// error.
absl::Status WithPair(Syscalls& sys,
                      absl::FunctionRef<absl::Status(const Pair&)> body);

// Send and receive all of the data, with as many calls as needed. A stream that
// ends early is an error.
absl::Status SendAll(Syscalls& sys, int fd, absl::string_view data);
absl::Status RecvAll(Syscalls& sys, int fd, char* data, size_t size);

// Makes a listener on a free port, without a mistake: see Pair.
absl::Status MakeListener(Syscalls& sys, int* fd, uint16_t* port);

// Makes a listener on `port` and a socket that is not yet connected, calls
// `body` with them, and closes the socket and the listener. Returns the first
// error.
absl::Status WithListener(
    Syscalls& sys,
    absl::FunctionRef<absl::Status(int listener, uint16_t port, int client)>
        body);

// Makes a call until it does not fail with EINTR.
template <typename Function>
SysResult RetryOnEintr(Function call) {
  SysResult result;
  do {
    result = call();
  } while (result.error() == EINTR);
  return result;
}

// Connects. If a signal interrupts the call, waits for the outcome.
SysResult ConnectPatiently(Syscalls& sys, int fd, uint16_t port);

}  // namespace net::kit

#endif  // FAKES_EXPLORER_SCENARIO_KIT_H_
