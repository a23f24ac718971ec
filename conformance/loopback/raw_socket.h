#ifndef CONFORMANCE_LOOPBACK_RAW_SOCKET_H_
#define CONFORMANCE_LOOPBACK_RAW_SOCKET_H_

#include <cstdint>
#include <ostream>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls_fwd.h"

namespace net::loopback {

// A descriptor with its Syscalls, and methods that make plain system calls and
// return the kernel's results. Nothing is hidden or translated, and only Wait()
// retries. A peer made of RawSockets therefore does exactly what the test
// requests, including wrong things. (Send() adds one flag, so that it never
// raises SIGPIPE.)
//
// Owns the descriptor. Close() and Reset() close it, else the destructor does.
// A RawSocket that is default-constructed, closed, released or moved from holds
// -1; its methods still call the kernel, and fail with EBADF.
//
// The Syscalls must outlive it.
//
// Thread-safety: const methods may run concurrently; the others need exclusive
// access.
class [[nodiscard]] RawSocket {
 public:
  RawSocket() = default;
  // Takes ownership of `fd`, a descriptor of `sys`.
  RawSocket(int fd, Syscalls& sys) : fd_(fd), sys_(&sys) {}
  RawSocket(RawSocket&& other) noexcept;
  RawSocket& operator=(RawSocket&& other) noexcept;
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;
  ~RawSocket();

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  Syscalls& syscalls() const { return *sys_; }

  // Call send(2) with MSG_NOSIGNAL, recv(2) and shutdown(2) once, and block as
  // these do. `flags` are MSG_* bits.
  SysResult Send(absl::string_view data, int flags = 0) const;
  SysResult Recv(absl::Span<char> buffer, int flags = 0) const;
  SysResult Shutdown(int how) const;

  // Ends the sending direction with a FIN: Shutdown(SHUT_WR). The socket can
  // still receive.
  SysResult HalfClose() const;

  // Calls close(2) once. The kernel sends a FIN or, if there is unread data, a
  // reset (Linux; RFC 2525, section 2.17).
  SysResult Close();

  // Resets the connection: sets SO_LINGER to 0 seconds (socket(7)) and calls
  // close(2). Data that is not delivered yet is lost, and neither side enters
  // TIME-WAIT. Returns the first error of the two calls; the descriptor is
  // closed in any case.
  SysResult Reset();

  // Returns the descriptor without closing it. The caller then owns it.
  [[nodiscard]] int Release();

  // Call setsockopt(2) and getsockopt(2) for an option that is an int.
  SysResult SetOption(int level, int name, int value) const;
  absl::StatusOr<int> Option(int level, int name) const;

  // Returns and clears the pending error (SO_ERROR): an errno, or 0 for none.
  absl::StatusOr<int> PendingError() const;

  // Returns the TCP state, such as TCP_ESTABLISHED (TCP_INFO, tcp(7)).
  absl::StatusOr<int> TcpState() const;

  // Call poll(2) for `events` and return `revents`. Ready() does not block, and
  // returns 0 if there is no event. Wait() blocks until there is one, without a
  // timeout, and retries on EINTR.
  SysResult Ready(int16_t events) const;
  SysResult Wait(int16_t events) const;

  // Call getsockname(2) and getpeername(2). Fail with EAFNOSUPPORT if the
  // socket is not an IP socket.
  absl::StatusOr<ip::Endpoint> LocalEndpoint() const;
  absl::StatusOr<ip::Endpoint> PeerEndpoint() const;

 private:
  int fd_ = -1;
  Syscalls* sys_ = &DefaultSyscalls();
};

// Prints "socket 3", or "closed socket".
std::ostream& operator<<(std::ostream& os, const RawSocket& socket);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_RAW_SOCKET_H_
