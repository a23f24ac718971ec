#ifndef CONFORMANCE_LOOPBACK_CONNECTION_H_
#define CONFORMANCE_LOOPBACK_CONNECTION_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net::loopback {

// Connections over the loopback interface: who listens, who connects, and both
// at once. Errors are made by ErrnoError() (syscalls/errors/error.h) of the
// errno of the system call that failed. Descriptors are close-on-exec.
//
// `family` is AF_INET or AF_INET6.

// 127.0.0.1 or ::1.
ip::Addr LoopbackAddr(int family);

// A TCP socket, neither bound nor connected.
absl::StatusOr<RawSocket> NewSocket(Syscalls& sys, int family,
                                    bool nonblocking = false);

// Binds a socket to a local address and port; port 0 lets the kernel choose.
absl::Status Bind(const RawSocket& socket, const ip::Endpoint& local);

// As a receive or send buffer: the smallest that the kernel has.
inline constexpr int kSmallestBuffer = 1;

struct ListenConfig {
  int backlog = 128;            // listen(2); Linux queues one more than that
  bool nonblocking = false;     // accept answers EAGAIN when nobody is there
  bool reuse_addr = false;      // SO_REUSEADDR
  bool reuse_port = false;      // SO_REUSEPORT
  std::optional<bool> v6_only;  // IPV6_V6ONLY; unset: the system's default
  // SO_RCVBUF, in bytes, which accepted sockets inherit. The kernel raises a
  // small value to its minimum and doubles every one (socket(7)).
  std::optional<int> receive_buffer;
};

// A listening socket, and where it listens.
//
// Thread-safety: as RawSocket.
class [[nodiscard]] Listener {
 public:
  Listener(RawSocket socket, const ip::Endpoint& endpoint);

  const RawSocket& socket() const { return socket_; }
  RawSocket& socket() { return socket_; }
  // With the port that the kernel chose.
  const ip::Endpoint& endpoint() const { return endpoint_; }

  // Takes the next connection, whosever it is. Blocks until one is there, over
  // EINTR, unless the listener is non-blocking. `flags` are of accept4(2);
  // SOCK_CLOEXEC is added.
  absl::StatusOr<RawSocket> Accept(int flags = 0) const;

  // Takes the connection that comes from `client`, the client's local endpoint.
  // The loopback interface is open to every program of the machine: strangers
  // that stand before it are closed and passed over. Blocks until it is there.
  absl::StatusOr<RawSocket> AcceptFrom(const ip::Endpoint& client,
                                       int flags = 0) const;

 private:
  RawSocket socket_;
  ip::Endpoint endpoint_;
};

// Listens on `local`; port 0 lets the kernel choose.
absl::StatusOr<Listener> ListenOn(Syscalls& sys, const ip::Endpoint& local,
                                  const ListenConfig& config = {});

// Listens on a port of the kernel's choice of the loopback address.
absl::StatusOr<Listener> ListenAnywhere(Syscalls& sys, int family,
                                        const ListenConfig& config = {});

struct ConnectConfig {
  std::optional<ip::Endpoint> local;  // bind(2) to it first
  bool nonblocking = false;           // O_NONBLOCK; success may be "under way"
  std::optional<int> send_buffer;     // SO_SNDBUF, in bytes
  std::optional<int> receive_buffer;  // SO_RCVBUF, in bytes
};

// Connects to `remote`. Blocks until the connection is established or has
// failed, over EINTR; the accept queue completes it, nobody has to accept.
//
// Non-blocking: success may mean that the attempt is under way. It has ended
// when Ready(POLLOUT) says so, and PendingError() tells how.
absl::StatusOr<RawSocket> ConnectTo(Syscalls& sys, const ip::Endpoint& remote,
                                    const ConnectConfig& config = {});

// The two ends of one connection. When it goes out of scope, the ends that it
// still holds are reset: nothing stays in TIME_WAIT, so that a test can be
// repeated a hundred thousand times without running out of ports. An end that
// was moved out ends as its new owner likes.
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

// Two connected sockets, blocking. The listener that brought them together is
// gone.
absl::StatusOr<Pair> ConnectedPair(Syscalls& sys, int family);
absl::StatusOr<Pair> ConnectedPair(Syscalls& sys, int family,
                                   const ListenConfig& server,
                                   const ConnectConfig& client);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_CONNECTION_H_
