#ifndef CONFORMANCE_ENGINE_RUNFILES_H_
#define CONFORMANCE_ENGINE_RUNFILES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace net::conformance {

// A file of this tree that was built with the program: data of its target.
// `path` is from the top of the tree, "conformance/drivers/python". Nullopt if
// there is none: it was not built, or the program was moved away from its
// `.runfiles` folder.
std::optional<std::string> FindRunfile(absl::string_view path);

// A path that a caller of the program gave: `bazel run` starts programs
// elsewhere, and a relative path is the caller's.
std::string FromCallersFolder(const std::string& path);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RUNFILES_H_
