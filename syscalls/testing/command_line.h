#ifndef SYSCALLS_TESTING_COMMAND_LINE_H_
#define SYSCALLS_TESTING_COMMAND_LINE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// The command line of this tree's programs: of //conformance, of its compare
// program, of its GoogleTest mains, and of the differential fuzzer.

namespace net {

// A flag that was renamed. Both names are as on the command line, without the
// leading dashes.
struct RenamedFlag {
  absl::string_view before;
  absl::string_view now;
};

// Sets ABSL_FLAGs from a command line: --flag=value, --flag value, and for
// booleans --flag and --noflag. Fails at the first mistake. A word that is not
// a flag is a mistake, too. The error suggests the nearest flags, or the new
// name of a renamed flag.
//
// Not absl::ParseCommandLine(): at a mistake it exits with status 1, which in
// our programs means that the run found something.
absl::Status ParseFlags(absl::Span<char* const> arguments,
                        absl::Span<const RenamedFlag> renamed = {});

// Quotes a word for sh(1) if necessary.
std::string ShellWord(absl::string_view word);

// Resolves a path from the command line. A relative path is relative to the
// folder of the caller, although `bazel run` starts programs in another one.
std::string FromCallersFolder(const std::string& path);

}  // namespace net

#endif  // SYSCALLS_TESTING_COMMAND_LINE_H_
