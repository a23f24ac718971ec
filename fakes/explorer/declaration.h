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
// declaration, it must report the errno unchanged. Two exceptions: EINTR must
// be retried, except that of close(2); and accept4(2) may be retried after
// ECONNABORTED.
//
// A later declaration outweighs an earlier one that is about the same call and
// errno; one that names the errno outweighs one for kAnyErrno, and one that
// names the call outweighs one for kAnyCall.

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
  int reported = 0;    // Of kTranslates.
  std::string reason;  // Of kIgnores.

  // Returns the C++ expression that makes it.
  std::string ToString() const;
};

// Reports the errno unchanged.
Declaration Reports(std::optional<Call> call, int error);

// Goes on as if the call had not failed, whatever that takes: calls it again,
// for example, or waits with poll(2) first. Only errors that Linux reports
// without having done anything can be retried, so these faults have the effect
// that Linux has and no other.
Declaration Retries(std::optional<Call> call, int error);

// Reports `reported` in its place. If that is 0, reports an error that has no
// errno.
Declaration Translates(std::optional<Call> call, int error, int reported);

// Goes on without the call's effect, or reports the errno. `reason` is for the
// reader.
Declaration Ignores(std::optional<Call> call, int error,
                    absl::string_view reason);

// Returns the declaration for a call that failed with `error`.
Declaration DeclarationFor(const std::vector<Declaration>& declarations,
                           Call call, int error);

}  // namespace net

#endif  // FAKES_EXPLORER_DECLARATION_H_
