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

// What a program has sent over each connection and received from it, so that
// every byte can be checked, and so that it is known when a kernel's buffers
// have begun to matter.

// One way of a connection. The bytes that travel on it are known by their
// positions.
struct Direction {
  uint64_t seed = 0;
  int64_t sent = 0;      // bytes that send(2) took
  int64_t received = 0;  // bytes that recv(2) gave
  // More was sent than surely fits: how much is under way, and so what the
  // calls on it answer, is between the kernel and its buffers (tolerances.h),
  // until all has been received.
  bool uncertain = false;
  // The sender has said that nothing more comes: shutdown(2), close(2).
  bool finished = false;
  // The receiver has said that it wants no more: shutdown(2). What comes then
  // may make it reset the connection.
  bool unwanted = false;
  // The receiver has closed, and whether that was a reset is uncertain.
  bool torn = false;
  // MSG_MORE may hold something back. Whether what comes the other way brings
  // it out depends on whether the window in it is the same as before.
  bool held = false;
  // There was a reset: what was under way may be lost.
  bool reset = false;

  int64_t outstanding() const { return sent - received; }
  // Nobody knows how far the end of the stream has come.
  bool unclear() const { return uncertain && finished; }
};

struct Connection {
  Direction there;  // from the end that connected
  Direction back;
};

// One end of a connection: what a socket knows of it.
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
  // Nobody knows whether the other end has reset the connection.
  bool torn() const { return known() && out().torn; }
  // Nobody knows how far the end of a stream has come.
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
  bool to_itself_ = false;  // a socket that connected to itself
};

// The connections of one run, by the names of their ends.
class Streams {
 public:
  // The end that connect(2) made, of a connection that is new.
  End Connected(const ip::Endpoint& local, const ip::Endpoint& peer);
  // The end that accept4(2) gave. Without a peer's name (the connection is over
  // already) it is that of the connection to `local` that has waited longest.
  // Not known() if there is none.
  End Accepted(const ip::Endpoint& local,
               const std::optional<ip::Endpoint>& peer);

  // Whether there was a connection from this port to that one.
  bool HaveMet(uint16_t local_port, uint16_t peer_port) const;
  // Whether there is a connection with this port of which nobody knows if it
  // still has it.
  bool MayHaveEnded(uint16_t port) const;

 private:
  struct Known {
    ip::Endpoint local;  // of the end that connected
    ip::Endpoint peer;
    std::shared_ptr<Connection> connection;
    bool waits = false;  // nobody has accepted it
  };
  std::vector<Known> connections_;  // the oldest first
};

// The largest number of bytes that one call of a program transfers.
inline constexpr size_t kMostBytes = size_t{1} << 20;

// The bytes of a direction from `position` on: `size` of them, at most
// kMostBytes. They live as long as the program.
absl::string_view Payload(const Direction& direction, int64_t position,
                          size_t size);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_STREAMS_H_
