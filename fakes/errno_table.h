#ifndef FAKES_ERRNO_TABLE_H_
#define FAKES_ERRNO_TABLE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"

namespace net {

// Which errnos a system call may answer a TCP program: those of the man pages
// and those seen on Linux 6.18. From syscalls/testdata/errno_table.tsv, which
// is compiled in, so that it is at hand without looking for a file.

// What it takes to have a call answer an errno over loopback.
enum class Provocation {
  kUnprivileged,  // "U": any user can.
  kRoot,          // "R": root in a network namespace can.
  kInjection,     // "I": nobody can, it must be injected.
};

struct ErrnoRow {
  Call call;
  int error;
  Provocation provocation;
};

// All pairs that a TCP socket can meet, in the order of the file. Pairs of the
// class "N", documented but not for TCP, are left out.
absl::Span<const ErrnoRow> ErrnoTable();

// The errnos of one call, in the order of the file.
std::vector<int> ErrnosOf(Call call);

// The rows of a table in the form of the file; INVALID_ARGUMENT, saying which
// line, if there is one that it does not understand, or none at all.
absl::StatusOr<std::vector<ErrnoRow>> ParseErrnoTable(absl::string_view text);

}  // namespace net

#endif  // FAKES_ERRNO_TABLE_H_
