#ifndef CONFORMANCE_LOOPBACK_RAW_SOCKET_H_
#define CONFORMANCE_LOOPBACK_RAW_SOCKET_H_

#include <cstdint>
#include <ostream>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::loopback {

// A socket as the kernel has it: a descriptor and its Syscalls, and calls that
// answer what the kernel answers. Nothing is retried, hidden or translated, so
// that a peer made of these does exactly what the test says, also the wrong
// thing. (One flag is added: Send() never raises SIGPIPE.)
//
// Owns the descriptor, and closes it in Close(), Reset(), or else in the
// destructor. A default-constructed, closed, released or moved-from RawSocket
// holds -1; its calls go to the kernel, and answer EBADF.
//
// The Syscalls must outlive it. Thread-safety: const methods may run
// concurrently; the others need exclusive access.
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

  // One send(2) with MSG_NOSIGNAL, one recv(2), one shutdown(2). They block as
  // these do; `flags` are MSG_* bits.
  SysResult Send(absl::string_view data, int flags = 0) const;
  SysResult Recv(absl::Span<char> buffer, int flags = 0) const;
  SysResult Shutdown(int how) const;

  // Says that nothing more will be sent (a FIN) and goes on receiving:
  // Shutdown(SHUT_WR).
  SysResult HalfClose() const;

  // One close(2): an orderly end, a FIN, unless data was left unread, which
  // Linux answers by a reset (RFC 2525, section 2.17).
  SysResult Close();

  // Ends the connection by a reset: SO_LINGER of 0 seconds (socket(7)), then
  // close(2). What was sent and not yet delivered is lost, and neither side is
  // left in TIME_WAIT. The first error of the two calls; closed either way.
  SysResult Reset();

  // Gives up the descriptor without closing it; the caller owns it now.
  [[nodiscard]] int Release();

  // setsockopt(2) and getsockopt(2) of the options that are an int.
  SysResult SetOption(int level, int name, int value) const;
  absl::StatusOr<int> Option(int level, int name) const;

  // Takes the pending error, which clears it: an errno, 0 for none (SO_ERROR).
  absl::StatusOr<int> PendingError() const;

  // The state of the connection, TCP_ESTABLISHED... (TCP_INFO, tcp(7)).
  absl::StatusOr<int> TcpState() const;

  // One poll(2) for `events`. The value is `revents`; 0 if none of them is
  // there. Ready() looks and returns at once. Wait() blocks until one is there,
  // over EINTR: for as long as it takes, the harness has no clock.
  SysResult Ready(int16_t events) const;
  SysResult Wait(int16_t events) const;

  // getsockname(2) and getpeername(2). EAFNOSUPPORT: not an IP socket.
  absl::StatusOr<ip::Endpoint> LocalEndpoint() const;
  absl::StatusOr<ip::Endpoint> PeerEndpoint() const;

 private:
  int fd_ = -1;
  Syscalls* sys_ = &DefaultSyscalls();
};

// "socket 3", or "closed socket".
std::ostream& operator<<(std::ostream& os, const RawSocket& socket);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_RAW_SOCKET_H_
