#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_DELIVERY_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_DELIVERY_H_

#include <memory>

#include "conformance/suite/environment.h"

namespace net::conformance {

// Returns `environment`, in which a call sees everything that was sent over the
// loopback interface before it.
//
// Linux delivers a segment in a soft interrupt: usually before the call returns
// that has sent it, but on a busy machine later, in a kernel thread. A case
// that inspects a socket without blocking would then judge the machine's load.
// Here, each call of the case's first thread, and each look at a task, waits
// for the segments that this thread has sent.
//
// It knows that they have arrived by a datagram that it sends to itself. Each
// processor has one queue of received packets for all loopback interfaces,
// first in, first out (enqueue_to_backlog() in net/core/dev.c). A datagram from
// the same processor is therefore delivered after every segment that was sent
// before it. A segment may provoke another one, which is queued behind the
// datagram. So several datagrams are sent, each after the one before it has
// arrived. (A transfer of more data than that takes is not waited for.)
//
// Usually the processor that sends also delivers, before the send returns: then
// it empties its queue, with what the segments provoke (process_backlog() in
// the same file). So fewer datagrams are sent, and a call takes little longer.
//
// Nothing is awaited while the loopback interface is down, and on a kernel
// without UDP over 127.0.0.1.
//
// Call it in the thread that runs the case.
std::unique_ptr<Environment> AwaitDelivery(
    std::unique_ptr<Environment> environment);

// Keeps the calling thread, and the threads that it starts later, on one
// processor. AwaitDelivery() then waits for what any of them has sent. Does
// nothing on a kernel that has no such call.
void StayOnThisProcessor();

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_DELIVERY_H_
