#ifndef CONFORMANCE_ENGINE_FILES_H_
#define CONFORMANCE_ENGINE_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace net::conformance {

// The whole content of a file. Errors name the file and the errno's symbol.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes a file as a whole: it is either as before or as said, never half.
absl::Status WriteFile(const std::string& path, absl::string_view content);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_FILES_H_
