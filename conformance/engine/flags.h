#ifndef CONFORMANCE_ENGINE_FLAGS_H_
#define CONFORMANCE_ENGINE_FLAGS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net::conformance {

// A flag that has another name now, both as they are typed, without dashes.
struct RenamedFlag {
  absl::string_view before;
  absl::string_view now;
};

// Sets the ABSL_FLAGs that a command line names: --flag=value, --flag value,
// --flag and --noflag for booleans. The first mistake, a word that is no flag
// included, is an error for the caller to report. It names the nearest flags,
// or the new name of a renamed one.
//
// (absl::ParseCommandLine() ends the process with status 1 itself, which is
// taken: it says that the run found something.)
absl::Status ParseFlags(absl::Span<char* const> arguments,
                        absl::Span<const RenamedFlag> renamed = {});

// A word as it is typed for sh(1): in quotes if need be.
std::string ShellWord(absl::string_view word);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_FLAGS_H_
