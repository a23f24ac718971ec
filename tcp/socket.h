#ifndef TCP_SOCKET_H_
#define TCP_SOCKET_H_

#include <cstddef>
#include <ostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net {

// Owns a TCP socket's descriptor and closes it exactly once: in Close() or, if
// that was not called, in the destructor.
//
// Keeps a pointer to the Syscalls that it was made with; that must outlive it.
//
// A default-constructed, closed, released or moved-from Socket holds the
// descriptor -1. Its methods may be called; they report the kernel's EBADF.
//
// Thread-safety: const methods may run concurrently, also on one Socket (a
// thread in Recv, another in Send). Close(), Release(), moving and destroying
// need exclusive access. To wake a thread that is blocked in Accept() or
// Recv(), call Shutdown(); closing does not wake it, and the descriptor's
// number may by then belong to something else.
//
// Errors are absl::Status made by ErrnoError() (syscalls/errors/error.h):
// ErrnoOf() reads the errno, KindOf() its kind. The errnos that follow are
// those of a TCP socket; EBADF (closed, see above) and ENOTSOCK (adopted
// something else) can come from each method.
class [[nodiscard]] Socket {
 public:
  // What SendAll() answers: how many bytes the kernel took and, if those are
  // not all, why.
  struct [[nodiscard]] SendAllResult {
    absl::Status status;
    size_t sent = 0;
    bool ok() const { return status.ok(); }
  };

  Socket() = default;

  // Takes ownership of `fd`, a descriptor of `sys`.
  Socket(int fd, Syscalls& sys) : fd_(fd), sys_(&sys) {}

  Socket(Socket&& other) noexcept;
  // Closes what it held before; the errno of that close is lost.
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Closes the descriptor, if any. The errno of close(2) is lost: call Close()
  // where it matters.
  ~Socket();

  // The descriptor, still owned by the Socket; -1 if there is none.
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  // The kernel that the descriptor belongs to.
  Syscalls& syscalls() const { return *sys_; }

  // Sends some of `data` with send(2) and returns how many bytes the kernel
  // took, at least one unless `data` is empty. `flags` are MSG_* bits;
  // MSG_NOSIGNAL is always added, so SIGPIPE is never raised.
  //
  // Blocks while the send buffer is full, unless the socket is non-blocking or
  // MSG_DONTWAIT is given.
  //
  // EAGAIN: it would block, or SO_SNDTIMEO ran out. EINTR: a signal came before
  // anything was sent. EPIPE: not connected, or shut down for writing, or the
  // connection is gone and that was already reported. ECONNRESET: the peer
  // reset the connection. ETIMEDOUT: the peer stopped answering. EFAULT,
  // EINVAL, ENOBUFS, ENOMEM: as in send(2).
  absl::StatusOr<size_t> Send(absl::string_view data, int flags = 0) const;

  // Sends all of `data`, with as many send(2) as it takes; goes on over EINTR.
  // Any other error ends it, EAGAIN on a non-blocking socket included: the
  // result has the error (see Send) and how many bytes went before it, so that
  // the caller can go on with the rest. Empty data: no call, OK.
  SendAllResult SendAll(absl::string_view data, int flags = 0) const;

  // Receives into `buffer` with recv(2) and returns how many bytes came: 0 is
  // the end of the stream (the peer shut down or closed; or `buffer` is empty).
  // `flags` are MSG_* bits: MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL...
  //
  // Blocks until at least one byte or the end is there, unless the socket is
  // non-blocking or MSG_DONTWAIT is given.
  //
  // EAGAIN: nothing there, or SO_RCVTIMEO ran out. EINTR: a signal came before
  // any data. ECONNRESET: the peer reset the connection (data that it had sent
  // before may be lost). ECONNREFUSED: a non-blocking connect was refused.
  // ENOTCONN: not connected. ETIMEDOUT: the peer stopped answering. EFAULT,
  // EINVAL, ENOMEM: as in recv(2).
  absl::StatusOr<size_t> Recv(absl::Span<char> buffer, int flags = 0) const;

  // shutdown(2): ends one direction or both; `how` is SHUT_RD, SHUT_WR or
  // SHUT_RDWR. On a listener SHUT_RD ends listening and wakes every blocked
  // Accept(), which reports EINVAL. Does not block.
  //
  // ENOTCONN: neither connected nor listening. EINVAL: no such `how`.
  absl::Status Shutdown(int how) const;

  // The local address and port, by getsockname(2); the wildcard address and
  // port 0 before they are known. Does not block.
  //
  // ENOBUFS: as in getsockname(2). EAFNOSUPPORT: not an IP socket.
  absl::StatusOr<ip::Endpoint> LocalAddr() const;

  // The peer's address and port, by getpeername(2). Does not block.
  //
  // ENOTCONN: not connected, not yet, or no longer (after a reset).
  // EAFNOSUPPORT: not an IP socket. tcp::PeerAddr() is the form without errnos.
  absl::StatusOr<ip::Endpoint> PeerAddr() const;

  // Takes the error that is pending on the socket (SO_ERROR, socket(7)), which
  // clears it: the outcome of a non-blocking Connect() once poll(2) says that
  // the socket is writable. OK: none is pending. Does not block.
  //
  // Any errno of connect(2), send(2), recv(2) as the pending error.
  absl::Status PendingError() const;

  // Closes the descriptor by one close(2), whatever that answers: the
  // descriptor is gone either way, and a second attempt could hit another
  // thread's. Data in flight is still delivered, unless unread data makes the
  // kernel reset the connection. May block if SO_LINGER is set.
  //
  // EINTR, EIO: as in close(2). EBADF: it was closed already.
  absl::Status Close();

  // Gives up the descriptor without closing it, and returns it; -1 if there was
  // none. The caller owns it now.
  [[nodiscard]] int Release();

 private:
  int fd_ = -1;
  Syscalls* sys_ = &DefaultSyscalls();
};

// "socket 3", or "closed socket".
std::ostream& operator<<(std::ostream& os, const Socket& socket);
// "OK: 5 bytes sent", or the error and " (after 5 bytes)".
std::ostream& operator<<(std::ostream& os, const Socket::SendAllResult& result);

}  // namespace net

#endif  // TCP_SOCKET_H_
