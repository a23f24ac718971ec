#ifndef CONFORMANCE_EXPLAIN_PROLOGUE_H_
#define CONFORMANCE_EXPLAIN_PROLOGUE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace net::conformance {

// Returns the includes, and the definitions of the variables, macros and
// functions that the C code uses. `size` is the size of its buffers in bytes.
std::string PrologueFor(absl::string_view code, size_t size);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_PROLOGUE_H_
