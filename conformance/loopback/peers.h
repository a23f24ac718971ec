#ifndef CONFORMANCE_LOOPBACK_PEERS_H_
#define CONFORMANCE_LOOPBACK_PEERS_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/raw_socket.h"

namespace net::loopback {

// Sends a payload one byte at a time, each in a segment of its own
// (TCP_NODELAY), when the test says so: a peer that dribbles.
//
//   Dribbler dribbler(pair->server, "HTTP/1.1 200 OK\r\n");
//   while (!dribbler.done()) {
//     ASSERT_THAT(dribbler.Step(), IsOk());
//     parser.ReadSome();  // sees one byte more
//   }
//
// The socket must outlive it.
class Dribbler {
 public:
  Dribbler(const RawSocket& socket, absl::string_view payload);

  // Sends the next byte; over EINTR. Does nothing when done. Blocks only if the
  // peer's receive buffer and this send buffer are full. An error, with the
  // errno of setsockopt(2) or send(2), leaves the byte for the next Step().
  absl::Status Step();

  bool done() const { return sent_ == payload_.size(); }
  size_t sent() const { return sent_; }

 private:
  const RawSocket& socket_;
  const std::string payload_;
  size_t sent_ = 0;
};

// Closes `peer` while data that was sent to it lies unread, which makes Linux
// reset the connection (RFC 2525, section 2.17) instead of ending it by a FIN:
// the accident by which real servers reset.
//
// Blocks until something to read is there, over EINTR. ENODATA: the stream
// ended without any, so nothing was done and `peer` stays open. Else the errno
// of poll(2), recv(2) or close(2).
absl::Status CloseWithUnreadData(RawSocket& peer);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_PEERS_H_
