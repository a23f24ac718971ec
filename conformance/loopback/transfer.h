#ifndef CONFORMANCE_LOOPBACK_TRANSFER_H_
#define CONFORMANCE_LOOPBACK_TRANSFER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/raw_socket.h"

namespace net::loopback {

// Whole transfers over a RawSocket: over short counts and EINTR, and on
// non-blocking sockets, too, where they wait with poll(2). They block until
// done. Errors carry the errno of send(2), recv(2) or poll(2).

// Sends all of `data`.
absl::Status SendAll(const RawSocket& socket, absl::string_view data);

// Receives `size` bytes. ENODATA: the stream ended before.
absl::StatusOr<std::string> RecvExactly(const RawSocket& socket, size_t size);

// Receives up to the end of the stream.
absl::StatusOr<std::string> RecvUntilEof(const RawSocket& socket);

// Sends filler bytes until the kernel takes no more without blocking: the
// peer's receive buffer and this send buffer are full, and the next send(2)
// blocks, or answers EAGAIN. Does not block. Returns how many bytes that took;
// the number is the kernel's affair.
//
// Never full: ENOBUFS after 256 MiB, when somebody reads at the other end.
absl::StatusOr<size_t> SendUntilFull(const RawSocket& socket);

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_TRANSFER_H_
