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

// Owns the descriptor of a TCP socket. Closes it exactly once: in Close() or,
// if Close() was not called, in the destructor.
//
// A Socket keeps a pointer to its Syscalls, which must outlive it.
//
// A Socket that is default-constructed, closed, released or moved-from has the
// descriptor -1. Its methods may be called. They pass -1 to the kernel and
// return its error, EBADF.
//
// Thread-safety:
// - Const methods may run concurrently, also on one Socket: one thread in
//   Recv() and another in Send(), for example.
// - Close(), Release(), moving and destroying need exclusive access.
// - Shutdown() wakes a thread that is blocked in tcp::Accept() or Recv().
//   Close() does not. After Close(), the descriptor's number can be reused
//   while that thread is still blocked.
//
// Errors are absl::Status made by ErrnoError() (syscalls/errors/error.h).
// ErrnoOf() returns the errno and KindOf() its kind. Each method lists the
// errnos of a TCP socket. Any method can also fail with:
// - EBADF: the Socket has no open descriptor (see above).
// - ENOTSOCK: the descriptor that the Socket was constructed with is not a
//   socket.
class [[nodiscard]] Socket {
 public:
  // The result of SendAll(): the number of bytes that the kernel took, and the
  // error if it did not take all.
  struct [[nodiscard]] SendAllResult {
    absl::Status status;
    size_t sent = 0;
    bool ok() const { return status.ok(); }
  };

  Socket() = default;

  // Takes ownership of `fd`, a descriptor of `sys`. -1 means no descriptor.
  Socket(int fd, Syscalls& sys) : fd_(fd), sys_(&sys) {}

  Socket(Socket&& other) noexcept;
  // Closes the descriptor that this Socket had; the errno of that close is
  // lost.
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Closes the descriptor, if there is one. The errno of close(2) is lost. Call
  // Close() if the errno matters.
  ~Socket();

  // Returns the descriptor, or -1 if there is none. The Socket still owns it.
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  // Returns the kernel interface that the descriptor belongs to.
  Syscalls& syscalls() const { return *sys_; }

  // Sends `data` with one send(2) and returns how many bytes the kernel took.
  // That can be fewer than `data` has, but at least one unless `data` is empty.
  // `flags` are MSG_* bits (send(2)). MSG_NOSIGNAL is always added, so SIGPIPE
  // is never raised.
  //
  // Blocks while the send buffer is full, unless the socket is non-blocking or
  // MSG_DONTWAIT is given.
  //
  // Errors:
  // - EAGAIN: the call would block, or SO_SNDTIMEO expired.
  // - EINTR: a signal arrived before anything was sent.
  // - EPIPE: the socket is not connected or is shut down for writing, or the
  //   connection is gone and an earlier call reported its error.
  // - ECONNRESET: the peer reset the connection.
  // - ETIMEDOUT: the peer no longer responds.
  // - EFAULT, EINVAL, ENOBUFS, ENOMEM: see send(2).
  absl::StatusOr<size_t> Send(absl::string_view data, int flags = 0) const;

  // Sends all of `data` with as many calls of send(2) as needed. Retries after
  // EINTR. Stops at any other error, also at EAGAIN on a non-blocking socket.
  // The result then has the error (see Send()) and the number of bytes sent
  // before it, so that the caller can continue with the rest. With empty
  // `data`, makes no call and succeeds.
  SendAllResult SendAll(absl::string_view data, int flags = 0) const;

  // Receives into `buffer` with one recv(2) and returns the number of bytes. 0
  // means the end of the stream (the peer shut down or closed), or that
  // `buffer` is empty. `flags` are MSG_* bits (recv(2)), for example MSG_PEEK,
  // MSG_DONTWAIT, MSG_WAITALL.
  //
  // Blocks until at least one byte or the end of the stream arrives, unless the
  // socket is non-blocking or MSG_DONTWAIT is given.
  //
  // Errors:
  // - EAGAIN: nothing has arrived, or SO_RCVTIMEO expired.
  // - EINTR: a signal arrived before any data.
  // - ECONNRESET: the peer reset the connection. Data that it had sent earlier
  //   may be lost.
  // - ECONNREFUSED: a non-blocking connect was refused.
  // - ENOTCONN: the socket is not connected.
  // - ETIMEDOUT: the peer no longer responds.
  // - EFAULT, EINVAL, ENOMEM: see recv(2).
  absl::StatusOr<size_t> Recv(absl::Span<char> buffer, int flags = 0) const;

  // Shuts down one direction or both with shutdown(2). `how` is SHUT_RD,
  // SHUT_WR or SHUT_RDWR. On a listener, SHUT_RD stops listening and wakes
  // every blocked tcp::Accept(), which fails with EINVAL. Does not block.
  //
  // Errors:
  // - ENOTCONN: the socket is neither connected nor listening.
  // - EINVAL: `how` is none of the three.
  absl::Status Shutdown(int how) const;

  // Returns the local address and port (getsockname(2)). Before bind(2) or
  // connect(2) these are the wildcard address and port 0. Does not block.
  //
  // Errors:
  // - EAFNOSUPPORT: the socket is not an IP socket.
  // - ENOBUFS: see getsockname(2).
  absl::StatusOr<ip::Endpoint> LocalAddr() const;

  // Returns the peer's address and port (getpeername(2)). Does not block.
  // tcp::PeerAddr() is the form without an errno.
  //
  // Errors:
  // - ENOTCONN: the socket is not connected, is still connecting, or was reset.
  // - EAFNOSUPPORT: the socket is not an IP socket.
  absl::StatusOr<ip::Endpoint> PeerAddr() const;

  // Returns the pending error of the socket and clears it (SO_ERROR,
  // socket(7)). OK means that none is pending. After a non-blocking Connect(),
  // call it once poll(2) reports POLLOUT: it returns the outcome of the
  // attempt. Does not block.
  //
  // Errors: any errno of connect(2), send(2) or recv(2) as the pending error.
  absl::Status PendingError() const;

  // Closes the descriptor with one close(2). The descriptor is closed even if
  // close(2) fails. It is never closed a second time, because another thread
  // could have got the same number by then. The kernel still delivers data in
  // flight, unless unread received data makes it reset the connection. Can
  // block if SO_LINGER is set.
  //
  // Errors:
  // - EBADF: the Socket was closed already.
  // - EINTR, EIO: see close(2).
  absl::Status Close();

  // Gives up the descriptor without closing it and returns it, or -1 if there
  // was none. The caller owns it now.
  [[nodiscard]] int Release();

 private:
  int fd_ = -1;
  Syscalls* sys_ = &DefaultSyscalls();
};

// Writes "socket 3", or "closed socket".
std::ostream& operator<<(std::ostream& os, const Socket& socket);
// Writes "OK: 5 bytes sent", or the error and " (after 5 bytes)".
std::ostream& operator<<(std::ostream& os, const Socket::SendAllResult& result);

}  // namespace net

#endif  // TCP_SOCKET_H_
