#ifndef SYSCALLS_SANDBOX_DELIVERY_H_
#define SYSCALLS_SANDBOX_DELIVERY_H_

#include <memory>
#include <thread>

namespace net::sandbox {

// Waits until what a thread has sent over the loopback interface has arrived.
//
// Linux delivers a segment in a soft interrupt: usually before the call returns
// that has sent it, but on a busy machine later, in a kernel thread. A test
// that inspects a socket without blocking would then judge the machine's load.
//
// It knows that all has arrived by a datagram that it sends to itself. Each
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
// Has a UDP socket in the network of the thread that makes it. Does nothing in
// other threads, and on a kernel without UDP over 127.0.0.1.
class Delivery {
 public:
  Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  ~Delivery();

  // Records that the thread may be sending. Call it before and after each call
  // that sends: the thread may have moved to another processor meanwhile.
  void Note();

  // Waits for what was sent between the calls of Note().
  void Await();

  // Waits for what any thread has sent, on whichever of the processors that
  // this thread may use. Visits each of them, so it takes longer.
  void AwaitAll();

  // Sets whether the loopback interface is up. Nothing is awaited while it is
  // down.
  void set_is_up(bool is_up) { is_up_ = is_up; }

 private:
  class Datagrams;
  class Processors;

  bool IsAtOnce();
  void AwaitNoted();

  const std::thread::id thread_ = std::this_thread::get_id();
  const std::unique_ptr<Datagrams> datagrams_;
  const std::unique_ptr<Processors> processors_;
  bool is_up_ = true;
};

// Keeps the calling thread, and the threads that it starts later, on one
// processor. Delivery then waits for what any of them has sent. Does nothing
// on a kernel that has no such call.
void StayOnThisProcessor();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_DELIVERY_H_
