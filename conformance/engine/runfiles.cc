#include "conformance/engine/runfiles.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::conformance {
namespace {

namespace fs = std::filesystem;

// Returns the folders in which Bazel may have put the data: `.runfiles` beside
// the program, or the folder named by a variable if the program runs in a test
// or is started by another program.
std::vector<std::string> RunfilesFolders() {
  std::vector<std::string> folders;
  for (const char* name : {"TEST_SRCDIR", "RUNFILES_DIR"}) {
    if (const char* folder = std::getenv(name)) folders.emplace_back(folder);
  }
  std::array<char, 4096> self = {};
  const ssize_t size = readlink("/proc/self/exe", self.data(), self.size());
  if (size > 0) {
    const std::string program(self.data(), static_cast<size_t>(size));
    folders.push_back(program + ".runfiles");
    // The program may itself be in another program's runfiles:
    // <folder>/<repository>/path/program.
    const size_t inside = program.find(".runfiles/");
    if (inside != std::string::npos) {
      folders.push_back(program.substr(0, inside) + ".runfiles");
    }
  }
  return folders;
}

}  // namespace

std::optional<std::string> FindRunfile(absl::string_view path) {
  for (const std::string& folder : RunfilesFolders()) {
    std::error_code error;
    // The folder of this tree is net_tcp with WORKSPACE; with bzlmod _main, or
    // net_tcp and a version.
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename();
      if (name != "_main" && !absl::StartsWith(name, "net_tcp")) continue;
      const std::string file = absl::StrCat(folder, "/", name, "/", path);
      if (fs::exists(file, error)) return file;
    }
  }
  return std::nullopt;
}

}  // namespace net::conformance
