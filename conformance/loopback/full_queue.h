#ifndef CONFORMANCE_LOOPBACK_FULL_QUEUE_H_
#define CONFORMANCE_LOOPBACK_FULL_QUEUE_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/loopback/connection.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::loopback {

// A listener whose accept queue is full. A further connect neither completes
// nor fails: the kernel drops its SYN, and the client goes on sending it, for
// about two minutes. That makes it the one way, without privileges, to a
// connect that blocks: for EINTR, EALREADY, EINPROGRESS and ETIMEDOUT.
//
// How many connections a queue takes is the kernel's affair (Linux: one more
// than the backlog): it is filled until it takes no more, and queued() is what
// that took.
//
// Room is made by Drain(): a connect that is waiting then goes on, as soon as
// its client sends its SYN again: Linux does after 1, 2, 3, 4, 5, 7... seconds
// (RFC 6298), so tests that wait for it are slow on a kernel whose time is
// real. A connect that starts afterwards succeeds at once.
//
// When it goes out of scope everything in the queue is reset.
//
// Thread-safety: as RawSocket; Drain() needs exclusive access.
class [[nodiscard]] FullQueue {
 public:
  // Listens on a port of the kernel's choice of the loopback address, with
  // `backlog`, and fills the queue. Does not block: a connect over the loopback
  // interface that has not completed when connect(2) returns was dropped.
  //
  // The errno of the call that failed, or ENOBUFS: the queue took more than
  // twice the backlog and 64 more, so that it seems to have no limit.
  //
  // The default is not 0, because Linux queues nothing at all for that where
  // net.ipv4.tcp_syncookies is off, and answers with cookies where it is on.
  static absl::StatusOr<FullQueue> Make(Syscalls& sys, int family,
                                        int backlog = 1);

  const ip::Endpoint& endpoint() const { return listener_.endpoint(); }
  // For accepting what comes after Drain(): before it, the connections that
  // fill the queue stand in front.
  const Listener& listener() const { return listener_; }

  // How many connections fill the queue; 0 after Drain().
  size_t queued() const { return fillers_.size(); }

  // Takes the oldest connection out of the queue and resets it: room for one.
  // Does not block. ENODATA: none is left.
  absl::Status DrainOne();
  // Takes out all that fill it; connections of others stay.
  absl::Status Drain();

 private:
  explicit FullQueue(Listener listener);
  absl::Status Fill(size_t limit);

  // The clients' ends, oldest first. Declared before the listener, so that the
  // listener is closed first, which resets what is queued: no TIME_WAIT stays.
  std::vector<RawSocket> fillers_;
  Listener listener_;
};

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_FULL_QUEUE_H_
