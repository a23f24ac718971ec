#ifndef FAKES_TRAP_TRAP_TEST_SOCKETS_H_
#define FAKES_TRAP_TRAP_TEST_SOCKETS_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

// Raw system calls on 127.0.0.1 for the bodies of tests: code that does not
// know class Syscalls.

namespace net::trap {

// Returns "OK" for a result >= 0, else the symbol of the errno: "EMFILE".
std::string Outcome(int64_t result);

int NewSocket(int flags = 0);
sockaddr_in Loopback(uint16_t port = 0);
int64_t Bind(int fd, uint16_t port = 0);
int64_t Connect(int fd, uint16_t port);
uint16_t PortOf(int fd);

// Each of these aborts if a call fails.
int NewListener(int flags = 0);
// Connects to a listener, and accepts the connection.
struct Pair {
  int client = -1;
  int server = -1;
};
Pair NewPair(int flags = 0);
// Waits until a thread of this process has set `thread` to its ID and then
// sleeps. If the thread makes a trapped call at once, it sleeps in that call.
void AwaitSleep(const std::atomic<pid_t>& thread);
// Writes to a descriptor, for example of a socket.
void WriteAll(int fd, absl::string_view text);

}  // namespace net::trap

#endif  // FAKES_TRAP_TRAP_TEST_SOCKETS_H_
