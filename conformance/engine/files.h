#ifndef CONFORMANCE_ENGINE_FILES_H_
#define CONFORMANCE_ENGINE_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace net::conformance {

// Returns the whole content of a file. Errors name the file and the errno.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Replaces a file atomically: after a failure it still has its old content.
absl::Status WriteFile(const std::string& path, absl::string_view content);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_FILES_H_
