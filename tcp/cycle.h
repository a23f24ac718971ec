#ifndef TCP_CYCLE_H_
#define TCP_CYCLE_H_

#include <netinet/in.h>

#include "syscalls/net/endpoint.h"
#include "tcp/socket.h"

namespace net {

// Make and end one connection over the loopback interface, with libc and with
// net::tcp. Both functions make the same system calls (checked by
// cycle_calls_test), so the difference in time is the cost of net::tcp
// (measured by cycle_benchmark):
//
//   socket, connect, accept4, setsockopt, close, close
//
// The client resets the connection (SO_LINGER with 0 seconds), so that no
// TIME-WAIT entry is left after any number of cycles.
//
// `listener` is a blocking IPv4 listener with an empty accept queue. The second
// argument is its address. Return true if all calls succeeded.
bool RawCycle(int listener, const sockaddr_in& address);
bool NetTcpCycle(const Socket& listener, const ip::Endpoint& endpoint);

}  // namespace net

#endif  // TCP_CYCLE_H_
