#ifndef SYSCALLS_ERRORS_ERRNO_SYMBOL_H_
#define SYSCALLS_ERRORS_ERRNO_SYMBOL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "syscalls/require_cxx20.h"

namespace net {

// Returns the symbol of an errno, as in errno(3): "ECONNREFUSED". Returns "0"
// for 0 and, for a number without a symbol, the number: "E4711". If one number
// has two symbols, returns the one that errno.h defines first: EAGAIN, not
// EWOULDBLOCK; EOPNOTSUPP, not ENOTSUP.
std::string ErrnoSymbol(int error);

// Returns the errno of a symbol, or nullopt if there is no such symbol. It is
// the inverse of ErrnoSymbol() for every errno that this libc knows; it also
// accepts the second names EWOULDBLOCK and ENOTSUP.
std::optional<int> ErrnoFromSymbol(absl::string_view symbol);

}  // namespace net

#endif  // SYSCALLS_ERRORS_ERRNO_SYMBOL_H_
