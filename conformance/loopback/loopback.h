#ifndef CONFORMANCE_LOOPBACK_LOOPBACK_H_
#define CONFORMANCE_LOOPBACK_LOOPBACK_H_

// The loopback harness: the peer in tests of socket code. It does on purpose
// what peers do by accident.
//
//   a connected pair        ConnectedPair()                       connection.h
//   a listener on port 0    ListenAnywhere(), Listener::Accept()  connection.h
//   a client                ConnectTo()                           connection.h
//   a refused port          RefusedPort::Reserve()           refused_port.h
//   a full accept queue     FullQueue::Make()                  full_queue.h
//   a peer that resets      RawSocket::Reset()                 raw_socket.h
//       by accident         CloseWithUnreadData()                   peers.h
//   a peer that stalls      do not read. Small buffers fill soon:
//                           {.receive_buffer = kSmallestBuffer} when
//                           listening, then SendUntilFull()       transfer.h
//   a peer that dribbles    Dribbler                              peers.h
//   a peer that half-closes RawSocket::HalfClose(), then
//                           RecvUntilEof()                        transfer.h
//
// fixture.h has a GoogleTest fixture that runs tests over IPv4 and IPv6.
//
// Every system call goes through the Syscalls that the caller passes, so the
// harness runs on Linux (DefaultSyscalls()) and on any kernel behind that
// interface. It starts no thread, reads no clock and never sleeps: the test
// controls each step.
//
// One thread is enough for most tests. Over the loopback interface a connection
// is established in the accept queue before it is accepted, and data is in the
// peer's receive buffer when send(2) returns.
//
// The harness is also the suite's reference peer. It shares no code with tcp/.

#include "conformance/loopback/connection.h"    // IWYU pragma: export
#include "conformance/loopback/full_queue.h"    // IWYU pragma: export
#include "conformance/loopback/peers.h"         // IWYU pragma: export
#include "conformance/loopback/raw_socket.h"    // IWYU pragma: export
#include "conformance/loopback/refused_port.h"  // IWYU pragma: export
#include "conformance/loopback/transfer.h"      // IWYU pragma: export

#endif  // CONFORMANCE_LOOPBACK_LOOPBACK_H_
