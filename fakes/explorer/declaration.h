#ifndef FAKES_EXPLORER_DECLARATION_H_
#define FAKES_EXPLORER_DECLARATION_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"

namespace net {

// The way in which the code under test handles the failure of a call. Without a
// declaration, it must report the errno unchanged. There are two exceptions:
// calls other than close(2) must be retried after EINTR, and accept4(2) may be
// retried after ECONNABORTED.
//
// A later declaration outweighs an earlier one about the same call and errno. A
// declaration that names the errno outweighs one for kAnyErrno. A declaration
// that names the call outweighs one for kAnyCall.

inline constexpr int kAnyErrno = -1;
inline constexpr std::optional<Call> kAnyCall = std::nullopt;

enum class Handling : uint8_t { kReports, kRetries, kTranslates, kIgnores };

// Prints the value's place in the enum, for messages of tests.
inline std::ostream& operator<<(std::ostream& os, Handling handling) {
  return os << "handling " << static_cast<int>(handling);
}

struct Declaration {
  Handling handling = Handling::kReports;
  std::optional<Call> call;
  int error = kAnyErrno;
  int reported = 0;    // For kTranslates.
  std::string reason;  // For kIgnores.

  // Returns the C++ expression that makes it.
  std::string ToString() const;
};

// Declares that the code reports the errno unchanged.
Declaration Reports(std::optional<Call> call, int error);

// Declares that the code handles the failure and continues as if the call had
// not failed: it repeats the call, for example, or waits with poll(2) first.
// Such a fault has only the effect that it has on Linux, because a retry
// assumes that the failed call has done nothing else.
Declaration Retries(std::optional<Call> call, int error);

// Declares that the code reports `reported` in place of the errno. If
// `reported` is 0, the code reports an error without an errno.
Declaration Translates(std::optional<Call> call, int error, int reported);

// Declares that the code continues without the call's effect, or reports the
// errno. `reason` is for the reader.
Declaration Ignores(std::optional<Call> call, int error,
                    absl::string_view reason);

// Returns the declaration for a call that failed with `error`.
Declaration DeclarationFor(const std::vector<Declaration>& declarations,
                           Call call, int error);

}  // namespace net

#endif  // FAKES_EXPLORER_DECLARATION_H_
