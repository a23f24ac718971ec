#ifndef SYSCALLS_ERRORS_ERRNO_SYMBOL_H_
#define SYSCALLS_ERRORS_ERRNO_SYMBOL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "syscalls/require_cxx20.h"

namespace net {

// The symbol of an errno as errno(3) spells it, "ECONNREFUSED"; "E4711" for a
// number that has none; "0" for 0. Where one number has two symbols, the
// first that errno.h gives it: EAGAIN, not EWOULDBLOCK; EOPNOTSUPP, not
// ENOTSUP.
std::string ErrnoSymbol(int error);

// The errno of a symbol: the inverse of ErrnoSymbol() for every errno that
// this C library knows, plus the second names EWOULDBLOCK and ENOTSUP.
// nullopt if there is no such symbol.
std::optional<int> ErrnoFromSymbol(absl::string_view symbol);

}  // namespace net

#endif  // SYSCALLS_ERRORS_ERRNO_SYMBOL_H_
