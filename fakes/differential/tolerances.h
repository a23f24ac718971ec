#ifndef FAKES_DIFFERENTIAL_TOLERANCES_H_
#define FAKES_DIFFERENTIAL_TOLERANCES_H_

#include <netinet/tcp.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "fakes/differential/streams.h"
#include "syscalls/sys_result.h"

// All tolerated differences between two kernels. Nothing else may differ. Each
// function writes a result as text. Equal texts mean agreement. Values that are
// not compared are still checked as far as possible, and a violation appears in
// the text.
//
// There are two reasons for tolerances:
// - The number of bytes that fit into a connection's buffers depends on a
//   kernel's memory accounting, and changes while it runs. So does everything
//   that follows from that number (Direction::uncertain).
// - A kernel adapts the buffers and segments of a connection to the traffic
//   that it has seen.
//
// Six more differences are avoided by not provoking them:
// - Delayed acknowledgements: worlds acknowledge immediately.
// - Which of several listeners with one address gets a connection is decided by
//   a hash with a secret. Programs do not connect to such listeners.
// - A SYN reuses a four-tuple in TIME-WAIT only if its clock-based sequence
//   number is beyond that of the old connection. Otherwise the next SYN, some
//   milliseconds later, succeeds. Programs wait for that.
// - The four-tuple of a deferred connection (TCP_DEFER_ACCEPT) stays in use for
//   some time after its listener was closed. Programs do not connect with that
//   four-tuple.
// - Data held back by TCP_CORK and MSG_MORE is sent after 200 ms of Linux's
//   time. Programs that hold data back do not overfill buffers, where they
//   would wait for retransmissions.
// - With small buffers, it is uncertain whether close(2) found unread data and
//   was a reset, and whether a reset arrived. Programs make no further calls on
//   the other end that depend on this (Direction::torn). While this is
//   uncertain, or whether a FIN has arrived, programs do not bind or connect to
//   the connection's port either.

namespace net::differential {

// Returns whether `size` more bytes certainly fit. `small_buffers`: a socket of
// the program has set its buffer sizes.
bool SurelyFits(const Direction& direction, size_t size, bool small_buffers);

// Describes the result of send(2) for `size` bytes while `outstanding` were in
// flight. If it is uncertain whether they fit, a partial send and EAGAIN are
// equal. EAGAIN is still wrong while nothing is in flight, and the result must
// not exceed `size`. A kernel checks a null pointer only if there is space, so
// EFAULT is then equal to a partial send.
struct Given {
  bool sure = false;
  bool null = false;
};
std::string SendText(Given given, int64_t outstanding, size_t size,
                     SysResult result);

// Returns whether everything in flight must have arrived when recv(2) returns
// `last`: EAGAIN or the end of the stream. Returns false after a reset, and if
// this socket has caused the end of the stream itself (shutdown(2) for
// reading). The direction then stays uncertain.
bool IsLossless(const End& end, SysResult last);

// Describes a drained stream: what recv(2) returned until its last result
// `last`, for a direction that was uncertain. Everything sent must have arrived
// if IsLossless(). With small buffers, bytes or the FIN may still be missing
// because their retransmission is pending; but a FIN counts only after every
// byte.
std::string DrainedText(const End& end, SysResult last, bool small_buffers);

// Describes the events of poll(2). Not compared are:
// - POLLOUT and similar events while the outgoing direction is uncertain:
//   whether there is space.
// - POLLRDHUP and POLLHUP while the incoming direction is uncertain: whether
//   the FIN has arrived.
// - POLLIN while the incoming direction is uncertain, with small buffers or
//   with a low-water mark (SO_RCVLOWAT): data that did not fit is retransmitted
//   after growing delays.
// - POLLIN with small buffers and a low-water mark: a buffer that is full below
//   the mark is enough.
// - All events while it is uncertain whether there was a reset.
struct Marks {
  bool low_water = false;
  bool small_buffers = false;
};
std::string EventsText(const End& end, Marks marks, int16_t events);

// Describes FIONREAD. While the incoming direction is uncertain, any number up
// to the bytes in flight is accepted.
std::string InputSizeText(const End& end, int value);
// Describes SIOCOUTQ. While the outgoing direction is uncertain, any number up
// to the bytes in flight plus one (a FIN counts as one) is accepted. In the
// state CLOSED, the number depends on leftover sequence numbers, so any number
// is accepted. Any number is also accepted while it is uncertain whether the
// state is CLOSED.
std::string OutputSizeText(const End& end, int tcp_state, int value);

// Describes the state of a connection. It is not compared while a direction is
// uncertain, because it depends on whether a FIN has arrived. For a listener,
// also describes the length and the capacity of its queue.
std::string TcpInfoText(const End& end, const tcp_info& info);

// Describes SO_SNDBUF, SO_RCVBUF and TCP_MAXSEG. On a socket that is connected
// or has tried to connect, any size above zero is accepted.
std::string TunedSizeText(bool tuned, int value);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TOLERANCES_H_
