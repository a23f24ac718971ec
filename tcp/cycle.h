#ifndef TCP_CYCLE_H_
#define TCP_CYCLE_H_

#include <netinet/in.h>

#include "syscalls/net/endpoint.h"
#include "tcp/socket.h"

namespace net {

// The life of one connection over the loopback interface, written twice: over
// libc, and over net::tcp. Both make the same system calls, which
// cycle_calls_test shows; what they differ in is what net::tcp costs, which
// cycle_benchmark measures.
//
//   socket, connect, accept4, setsockopt, close, close
//
// The client ends the connection by a reset (SO_LINGER of 0 seconds), so that
// nothing is left in TIME_WAIT, however often it is done.
//
// `listener` is a blocking IPv4 listener with nothing in its queue, and the
// other argument its address. True if all went well.
bool RawCycle(int listener, const sockaddr_in& address);
bool NetTcpCycle(const Socket& listener, const ip::Endpoint& endpoint);

}  // namespace net

#endif  // TCP_CYCLE_H_
