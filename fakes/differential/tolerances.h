#ifndef FAKES_DIFFERENTIAL_TOLERANCES_H_
#define FAKES_DIFFERENTIAL_TOLERANCES_H_

#include <netinet/tcp.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "fakes/differential/streams.h"
#include "syscalls/sys_result.h"

// All that two kernels may do differently, and nothing else may. Each function
// writes down an answer so that equal texts mean agreement; what is not
// compared, it checks as far as it goes, and what it finds wrong is in the
// text.
//
// There are two reasons. How many bytes fit into the buffers of a connection is
// a matter of how a kernel accounts for memory, and changes while it runs; so
// is all that follows from it: Direction::uncertain. And a kernel sizes the
// buffers and segments of a connection by what it has seen of the traffic.
//
// Six more are kept away instead. What a delayed acknowledgement changes: the
// world acknowledges at once. Which of several listeners that share one name
// gets a connection, a hash with a secret: programs do not connect to them.
// Whether a SYN gets past what is left of a connection of the same names, which
// takes a sequence number, a clock's, beyond what that one has sent: if it does
// not, the next one does, some milliseconds later, and programs wait for that.
// How long the names of a connection that its listener still defers
// (TCP_DEFER_ACCEPT) are taken after that listener has gone: nobody connects by
// these names. What TCP_CORK and MSG_MORE hold back goes out after a fifth of a
// second of Linux's time: programs that hold something back do not overfill,
// where one waits for what was dropped. And whether close(2) found something
// unread, and so was a reset, and whether a reset came through, when small
// buffers have left open what had come: the other end is not asked any more
// (Direction::torn). Where that, or how far the end of a stream has come, is
// uncertain, nobody asks for the port of the connection either.

namespace net::differential {

// Whether `size` more bytes surely fit. `small_buffers`: some socket of the
// program was given buffers of another size than the usual.
bool SurelyFits(const Direction& direction, size_t size, bool small_buffers);

// What send(2) answered, for `size` bytes, when `outstanding` were on the way.
// If it was not sure that they fit: some and EAGAIN are alike, but nothing may
// be taken while nothing is on the way, and never more than was given. A null
// pointer is looked at where there is room: EFAULT is then what some would be.
struct Given {
  bool sure = false;
  bool null = false;
};
std::string SendText(Given given, int64_t outstanding, size_t size,
                     SysResult result);

// Whether all that is under way must have come when recv(2) says `last`: not
// after a reset, and not before an end that is this socket's own doing. What
// was uncertain then stays so.
bool IsLossless(const End& end, SysResult last);

// How much recv(2) brought until `last`, its last answer, and that, when the
// way in was uncertain: all that was sent, if that must be. With small buffers
// what finds no room is dropped, and comes again at times that grow longer:
// then what has come need not be all, and the end need not have come; but
// before the end, all must.
std::string DrainedText(const End& end, SysResult last, bool small_buffers);

// The events of poll(2). While the way out is uncertain, whether there is room:
// POLLOUT and its like. While the way in is, whether the end of the stream has
// come through: POLLRDHUP, POLLHUP. Where a socket of the program was given a
// low-water mark (SO_RCVLOWAT), then POLLIN, too, and with small buffers
// always: short of the mark, a full buffer is enough. With small buffers alone,
// POLLIN while the way in is uncertain: what found no room comes again at times
// that grow longer. Where nobody knows whether there was a reset: nothing.
struct Marks {
  bool low_water = false;
  bool small_buffers = false;
};
std::string EventsText(const End& end, Marks marks, int16_t events);

// FIONREAD: while the way in is uncertain, anything that is not more than what
// is on the way.
std::string InputSizeText(const End& end, int value);
// SIOCOUTQ: the same for the way out; a FIN counts as one. In the state CLOSED
// the number is what sequence numbers were left over, so anything; and so it is
// while nobody knows whether that is the state.
std::string OutputSizeText(const End& end, int tcp_state, int value);

// The state of a connection, while one of its ways is uncertain: whether a FIN
// has come through. So nothing then. For a listener also the connections in
// its queue, and how many it takes.
std::string TcpInfoText(const End& end, const tcp_info& info);

// SO_SNDBUF, SO_RCVBUF and TCP_MAXSEG of a socket that is connected or has
// tried to connect: any size above zero.
std::string TunedSizeText(bool tuned, int value);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TOLERANCES_H_
