#ifndef CONFORMANCE_ENGINE_FLAGS_H_
#define CONFORMANCE_ENGINE_FLAGS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net::conformance {

// A flag that was renamed. Both names are as on the command line, without the
// leading dashes.
struct RenamedFlag {
  absl::string_view before;
  absl::string_view now;
};

// Sets ABSL_FLAGs from a command line: --flag=value, --flag value, and for
// booleans --flag and --noflag. Fails at the first mistake; a word that is not
// a flag is one. The error suggests the nearest flags, or the new name of a
// renamed flag.
//
// absl::ParseCommandLine() cannot be used: at a mistake it exits with status 1,
// which in our programs means that the run found something.
absl::Status ParseFlags(absl::Span<char* const> arguments,
                        absl::Span<const RenamedFlag> renamed = {});

// Quotes a word for sh(1) if necessary.
std::string ShellWord(absl::string_view word);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_FLAGS_H_
