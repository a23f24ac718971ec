#ifndef CONFORMANCE_LOOPBACK_TRANSFER_H_
#define CONFORMANCE_LOOPBACK_TRANSFER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/raw_socket.h"

namespace net::loopback {

// Complete transfers over a RawSocket. They continue after short counts and
// EINTR, and block until done; on a non-blocking socket they block in poll(2).
// They fail with the errno of send(2), recv(2) or poll(2).

// Sends all of `data`.
absl::Status SendAll(const RawSocket& socket, absl::string_view data);

// Receives `size` bytes. Fails with ENODATA if the stream ends before.
absl::StatusOr<std::string> RecvExactly(const RawSocket& socket, size_t size);

// Receives until the end of the stream.
absl::StatusOr<std::string> RecvUntilEof(const RawSocket& socket);

// Sends filler bytes until the peer's receive buffer and this send buffer are
// full, so that the next send(2) blocks or fails with EAGAIN. Does not block.
// Returns the number of bytes sent, which depends on the kernel.
//
// Fails with ENOBUFS after 256 MiB, because then the peer reads.
absl::StatusOr<size_t> SendUntilFull(const RawSocket& socket);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_TRANSFER_H_
