#ifndef CONFORMANCE_LOOPBACK_FULL_QUEUE_H_
#define CONFORMANCE_LOOPBACK_FULL_QUEUE_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/loopback/connection.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls_fwd.h"

namespace net::loopback {

// A listener whose accept queue is full.
//
// A further connect(2) neither succeeds nor fails: the kernel drops its SYN,
// and the client retransmits it for about two minutes. Without privileges this
// is the only way to make connect(2) block, which tests of EINTR, EALREADY,
// EINPROGRESS and ETIMEDOUT need.
//
// The size of the queue depends on the kernel; on Linux it is one more than the
// backlog. Make() therefore connects until the queue is full, and queued()
// returns how many connections that took.
//
// Drain() makes room. An attempt that is in progress then succeeds when its SYN
// is retransmitted: Linux does that 1, 2, 3, 4, 5, 7... seconds (RFC 6298)
// after the first SYN, so such tests are slow on a kernel with real time. A
// connect(2) that starts after Drain() succeeds at once.
//
// The destructor resets every connection in the queue.
//
// Thread-safety: as RawSocket. DrainOne() and Drain() need exclusive access.
class [[nodiscard]] FullQueue {
 public:
  // Listens with `backlog` on the loopback address, on a port that the kernel
  // picks, and fills the queue. Does not block: a connection over the loopback
  // interface that is not established when connect(2) returns was dropped.
  //
  // Fails with the errno of the system call that failed, or with ENOBUFS if the
  // queue takes more than 2 * `backlog` + 64 connections and so seems to have
  // no limit.
  //
  // The default backlog is not 0: for a backlog of 0 Linux queues no connection
  // if net.ipv4.tcp_syncookies is off, and replies with SYN cookies if it is
  // on.
  static absl::StatusOr<FullQueue> Make(Syscalls& sys, int family,
                                        int backlog = 1);

  const ip::Endpoint& endpoint() const { return listener_.endpoint(); }
  // Returns the listener, to accept connections after Drain(). Before Drain(),
  // it accepts the connections that fill the queue first.
  const Listener& listener() const { return listener_; }

  // The number of connections that fill the queue; 0 after Drain().
  size_t queued() const { return fillers_.size(); }

  // Removes the oldest connection from the queue and resets it, which makes
  // room for one. Does not block. Fails with ENODATA if the queue is empty.
  absl::Status DrainOne();
  // Removes all connections with which Make() filled the queue. Connections of
  // other clients stay queued.
  absl::Status Drain();

 private:
  explicit FullQueue(Listener listener);
  absl::Status Fill(size_t limit);

  // The clients' ends, oldest first. Declared before the listener, so that the
  // listener is closed first. That resets the queued connections and leaves
  // none in TIME-WAIT.
  std::vector<RawSocket> fillers_;
  Listener listener_;
};

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_FULL_QUEUE_H_
