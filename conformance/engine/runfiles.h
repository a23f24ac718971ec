#ifndef CONFORMANCE_ENGINE_RUNFILES_H_
#define CONFORMANCE_ENGINE_RUNFILES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace net::conformance {

// Finds a file that Bazel built as data of the program. `path` is relative to
// the top of the tree: "conformance/drivers/python". Returns nullopt if it was
// not built, or if the program was moved away from its `.runfiles` folder.
std::optional<std::string> FindRunfile(absl::string_view path);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RUNFILES_H_
