#ifndef CONFORMANCE_LOOPBACK_CONNECTION_H_
#define CONFORMANCE_LOOPBACK_CONNECTION_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls_fwd.h"

namespace net::loopback {

// Listeners, clients and connected pairs over the loopback interface.
//
// Errors are made by ErrnoError() (syscalls/errors/error.h) from the errno of
// the system call that failed. All descriptors are close-on-exec. `family` is
// AF_INET or AF_INET6.

// Returns 127.0.0.1 or ::1.
ip::Addr LoopbackAddr(int family);

// Makes a TCP socket that is neither bound nor connected.
absl::StatusOr<RawSocket> NewSocket(Syscalls& sys, int family,
                                    bool nonblocking = false);

// Binds a socket to a local address and port. For port 0 the kernel picks a
// port.
absl::Status Bind(const RawSocket& socket, const ip::Endpoint& local);

// Requests the kernel's smallest receive or send buffer.
inline constexpr int kSmallestBuffer = 1;

struct ListenConfig {
  int backlog = 128;            // listen(2); Linux queues one more than that
  bool nonblocking = false;     // O_NONBLOCK
  bool reuse_addr = false;      // SO_REUSEADDR
  bool reuse_port = false;      // SO_REUSEPORT
  std::optional<bool> v6_only;  // IPV6_V6ONLY; unset: the system's default
  // SO_RCVBUF in bytes. Accepted sockets inherit it. The kernel doubles the
  // value and raises it to its minimum (socket(7)).
  std::optional<int> receive_buffer;
};

// A listening socket and its endpoint.
//
// Thread-safety: as RawSocket.
class [[nodiscard]] Listener {
 public:
  Listener(RawSocket socket, const ip::Endpoint& endpoint);

  const RawSocket& socket() const { return socket_; }
  RawSocket& socket() { return socket_; }
  // The address and port, including a port that the kernel picked.
  const ip::Endpoint& endpoint() const { return endpoint_; }

  // Accepts the next connection, whichever client made it. Blocks until there
  // is one, unless the listener is non-blocking. Retries on EINTR. `flags` are
  // those of accept4(2); SOCK_CLOEXEC is added.
  absl::StatusOr<RawSocket> Accept(int flags = 0) const;

  // Accepts the connection of the client whose local endpoint is `client`.
  // Blocks until there is one. Accepts and closes other connections that are
  // queued before it, because every program on the machine can use the loopback
  // interface.
  absl::StatusOr<RawSocket> AcceptFrom(const ip::Endpoint& client,
                                       int flags = 0) const;

 private:
  RawSocket socket_;
  ip::Endpoint endpoint_;
};

// Listens on `local`. For port 0 the kernel picks a port.
absl::StatusOr<Listener> ListenOn(Syscalls& sys, const ip::Endpoint& local,
                                  const ListenConfig& config = {});

// Listens on the loopback address, on a port that the kernel picks.
absl::StatusOr<Listener> ListenAnywhere(Syscalls& sys, int family,
                                        const ListenConfig& config = {});

struct ConnectConfig {
  std::optional<ip::Endpoint> local;  // bind(2) to it before connect(2)
  bool nonblocking = false;           // O_NONBLOCK; see ConnectTo()
  std::optional<int> send_buffer;     // SO_SNDBUF, in bytes
  std::optional<int> receive_buffer;  // SO_RCVBUF, in bytes
};

// Connects to `remote`. Blocks until the connection is established or has
// failed; EINTR does not end it. The connection is established in the accept
// queue, before the listener accepts it.
//
// Non-blocking: returns OK also if the attempt is in progress. The attempt has
// ended when Ready(POLLOUT) returns POLLOUT; PendingError() then returns its
// outcome.
absl::StatusOr<RawSocket> ConnectTo(Syscalls& sys, const ip::Endpoint& remote,
                                    const ConnectConfig& config = {});

// The two ends of one connection. The destructor resets the ends that the Pair
// still owns. No connection then stays in TIME-WAIT, so a test can be repeated
// a hundred thousand times without running out of ports. An end that was moved
// out is closed by its new owner.
struct [[nodiscard]] Pair {
  Pair(RawSocket client_end, RawSocket server_end);
  Pair(Pair&&) = default;
  Pair& operator=(Pair&&) = delete;
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair();

  RawSocket client;  // the end that connected
  RawSocket server;  // the end that was accepted
};

// Makes two blocking sockets that are connected to each other. The listener
// that accepted the connection is closed.
absl::StatusOr<Pair> ConnectedPair(Syscalls& sys, int family);
absl::StatusOr<Pair> ConnectedPair(Syscalls& sys, int family,
                                   const ListenConfig& server,
                                   const ConnectConfig& client);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_CONNECTION_H_
