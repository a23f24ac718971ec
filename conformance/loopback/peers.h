#ifndef CONFORMANCE_LOOPBACK_PEERS_H_
#define CONFORMANCE_LOOPBACK_PEERS_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/raw_socket.h"

namespace net::loopback {

// A peer that dribbles: sends a payload one byte at a time, each byte in a
// segment of its own (TCP_NODELAY), on each call of Step().
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

  // Sends the next byte; does nothing when done. Retries on EINTR. Blocks only
  // while the peer's receive buffer and this send buffer are full. Fails with
  // the errno of setsockopt(2) or send(2); the next Step() then sends the same
  // byte.
  absl::Status Step();

  bool done() const { return sent_ == payload_.size(); }
  size_t sent() const { return sent_; }

 private:
  const RawSocket& socket_;
  const std::string payload_;
  size_t sent_ = 0;
};

// Closes `peer` while it has unread data. Linux then resets the connection
// instead of sending a FIN (RFC 2525, section 2.17). This is how real servers
// reset connections by accident.
//
// Blocks until there is data to read; EINTR does not end it. Fails with ENODATA
// if the stream ended without data; `peer` then stays open. Otherwise fails
// with the errno of poll(2), recv(2) or close(2).
absl::Status CloseWithUnreadData(RawSocket& peer);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_PEERS_H_
