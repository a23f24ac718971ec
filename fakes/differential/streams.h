#ifndef FAKES_DIFFERENTIAL_STREAMS_H_
#define FAKES_DIFFERENTIAL_STREAMS_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "syscalls/net/endpoint.h"

namespace net::differential {

// Records the data that a program has sent and received over each connection.
// With it every byte can be checked, and it is known when a result depends on
// the size of a kernel's buffers.

// One direction of a connection. Its bytes are identified by their position.
struct Direction {
  uint64_t seed = 0;
  int64_t sent = 0;      // Bytes that send(2) took.
  int64_t received = 0;  // Bytes that recv(2) returned.
  // More was sent than certainly fits. The amount in flight, and with it the
  // results of calls, then depends on the kernel's buffers (tolerances.h),
  // until everything has been received.
  bool uncertain = false;
  // The sender has ended the stream: shutdown(2), close(2).
  bool finished = false;
  // The receiver has shut down for reading. Data that arrives later may make it
  // reset the connection.
  bool unwanted = false;
  // The receiver has closed, and it is uncertain whether that was a reset.
  bool torn = false;
  // MSG_MORE may hold data back. Traffic of the other direction releases it
  // only if the window in it has changed.
  bool held = false;
  // There was a reset. Data in flight may be lost.
  bool reset = false;

  int64_t outstanding() const { return sent - received; }
  // It is uncertain whether the FIN has arrived.
  bool unclear() const { return uncertain && finished; }
};

struct Connection {
  Direction there;  // From the end that connected.
  Direction back;
};

// One end of a connection, as its socket sees it.
class End {
 public:
  End() = default;
  End(std::shared_ptr<Connection> connection, bool connector, bool to_itself)
      : connection_(std::move(connection)),
        connector_(connector),
        to_itself_(to_itself) {}

  bool known() const { return connection_ != nullptr; }
  // Require known().
  Direction& out() const { return Way(/*there=*/connector_); }
  Direction& in() const { return Way(/*there=*/connector_ == to_itself_); }
  bool doubtful() const {
    return known() && (out().uncertain || in().uncertain);
  }
  // It is uncertain whether the other end has reset the connection.
  bool torn() const { return known() && out().torn; }
  // It is uncertain whether a FIN has arrived.
  bool unclear() const {
    return known() && (out().unclear() || in().unclear());
  }

 private:
  Direction& Way(bool there) const {
    Connection* const connection = connection_.get();
    assert(connection != nullptr);
    return there ? connection->there : connection->back;
  }

  std::shared_ptr<Connection> connection_;
  bool connector_ = true;
  bool to_itself_ = false;  // A socket that connected to itself.
};

// The connections of one run, by their endpoints.
class Streams {
 public:
  // Adds a connection, and returns the end that connect(2) made.
  End Connected(const ip::Endpoint& local, const ip::Endpoint& peer);
  // Returns the end that accept4(2) returned. Without a peer address, because
  // the connection has ended already, returns the end of the oldest connection
  // to `local` that has not been accepted. The end is not known() if there is
  // none.
  End Accepted(const ip::Endpoint& local,
               const std::optional<ip::Endpoint>& peer);

  // Returns whether there was a connection from this port to that one.
  bool HaveMet(uint16_t local_port, uint16_t peer_port) const;
  // Returns whether it is uncertain if a connection with this port has ended.
  bool MayHaveEnded(uint16_t port) const;

 private:
  struct Known {
    ip::Endpoint local;  // Of the end that connected.
    ip::Endpoint peer;
    std::shared_ptr<Connection> connection;
    bool waits = false;  // It has not been accepted.
  };
  std::vector<Known> connections_;  // The oldest first.
};

// The maximum number of bytes that one call of a program transfers.
inline constexpr size_t kMostBytes = size_t{1} << 20;

// Returns `size` bytes (at most kMostBytes) of a direction, starting at
// `position`. They are valid until the program ends.
absl::string_view Payload(const Direction& direction, int64_t position,
                          size_t size);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_STREAMS_H_
