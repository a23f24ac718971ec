#ifndef FAKES_ERRNO_TABLE_H_
#define FAKES_ERRNO_TABLE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"

namespace net {

// The errnos that system calls can return for TCP sockets: those of the man
// pages and those seen on Linux 6.18. The source is
// syscalls/testdata/errno_table.tsv, which is compiled in, so that a program
// need not find a file.

// The means by which a call can be made to return an errno over loopback.
enum class Provocation {
  kUnprivileged,  // "U": by any user.
  kRoot,          // "R": by root in a network namespace.
  kInjection,     // "I": by nobody; the errno must be injected.
};

struct ErrnoRow {
  Call call;
  int error;
  Provocation provocation;
  // True if the call takes effect although it fails with the errno: close(2)
  // with EIO releases the descriptor. If false, the call changes nothing.
  bool takes_effect = false;
  // The source of the row: a man page, the kernel's source, or "seen" on Linux
  // 6.18. (errno_provenance_test provokes these again.)
  absl::string_view source = "";
  // The way to provoke it; for kInjection, the reason why it cannot be
  // provoked.
  absl::string_view note = "";
};

// Returns all pairs that apply to TCP sockets, in the order of the file. Omits
// pairs of class "N" (documented, but not for TCP).
absl::Span<const ErrnoRow> ErrnoTable();

// Returns the errnos of a call, in the order of the file. Some calls have no
// rows of their own. They have the errnos, and after them the effects, of a
// call that does the same (fakes/faults/syscall_id.h has these families):
//
//   accept4      serves accept
//   recv         serves recvfrom, recvmsg, recvmmsg, read and readv
//   send         serves sendto, sendmsg, sendmmsg, write and writev
//   poll         serves ppoll, select and pselect6
//   epoll_wait   serves epoll_pwait and epoll_pwait2
//
// close, shutdown, sendfile, splice, socket and others have rows of their own.
// clock_gettime and nanosleep have no errnos in the table, because they use no
// descriptor.
//
// (recvmsg(2) and sendmsg(2) also have EMSGSIZE for a msg_iovlen beyond
// IOV_MAX; read(2), write(2), readv(2) and writev(2) lack ENOTSOCK.)
std::vector<int> ErrnosOf(Call call);

// Parses a table in the format of the file. Fails with INVALID_ARGUMENT if a
// line is malformed (the message quotes it), or if there are no rows. The
// sources and notes of the rows are parts of `text`.
absl::StatusOr<std::vector<ErrnoRow>> ParseErrnoTable(absl::string_view text);

}  // namespace net

#endif  // FAKES_ERRNO_TABLE_H_
