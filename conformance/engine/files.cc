#include "conformance/engine/files.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"

namespace net::conformance {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoError(errno, absl::StrCat("reading '", path, "'"));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::Status WriteFile(const std::string& path, absl::string_view content) {
  const std::string unfinished = path + ".new";
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file << content << std::flush;
  if (!file) return ErrnoError(errno, absl::StrCat("writing '", path, "'"));
  file.close();
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return ErrnoError(errno, absl::StrCat("writing '", path, "'"));
  }
  return absl::OkStatus();
}

}  // namespace net::conformance
