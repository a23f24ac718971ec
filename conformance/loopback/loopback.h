#ifndef CONFORMANCE_LOOPBACK_LOOPBACK_H_
#define CONFORMANCE_LOOPBACK_LOOPBACK_H_

// The loopback harness: the other end of the connection for tests of socket
// code, doing on purpose what other ends do by accident.
//
//   a connected pair        ConnectedPair()                       connection.h
//   a listener on port 0    ListenAnywhere(), Listener::Accept()  connection.h
//   a client                ConnectTo()                           connection.h
//   a refused port          RefusedPort::Reserve()           refused_port.h
//   a full accept queue     FullQueue::Make()                  full_queue.h
//   a peer that resets      RawSocket::Reset()                 raw_socket.h
//       by accident         CloseWithUnreadData()                   peers.h
//   a peer that stalls      do not read; small buffers make the other end
//                           feel it soon: {.receive_buffer = kSmallestBuffer}
//                           when listening, then SendUntilFull()  transfer.h
//   a peer that dribbles    Dribbler                              peers.h
//   a peer that half-closes RawSocket::HalfClose(), then
//                           RecvUntilEof()                        transfer.h
//
// fixture.h has a GoogleTest fixture for IPv4 and IPv6 over it.
//
// Everything goes through the Syscalls that is passed, so it runs on the kernel
// (DefaultSyscalls()) as on any kernel behind that interface. It starts no
// thread, reads no clock and never sleeps: the test drives each step. One
// thread is enough for most tests, because over the loopback interface a
// connect completes in the accept queue, before anybody accepts, and sent data
// lies in the peer's receive buffer when send(2) returns.
//
// The suite's reference peer, too: it shares no code with tcp/.

#include "conformance/loopback/connection.h"    // IWYU pragma: export
#include "conformance/loopback/full_queue.h"    // IWYU pragma: export
#include "conformance/loopback/peers.h"         // IWYU pragma: export
#include "conformance/loopback/raw_socket.h"    // IWYU pragma: export
#include "conformance/loopback/refused_port.h"  // IWYU pragma: export
#include "conformance/loopback/transfer.h"      // IWYU pragma: export

#endif  // CONFORMANCE_LOOPBACK_LOOPBACK_H_
