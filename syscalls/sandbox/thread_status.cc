#include "syscalls/sandbox/thread_status.h"

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace net::sandbox {

std::optional<ThreadStatus> ReadThreadStatus(const std::string& path) {
  std::ifstream file(path);
  ThreadStatus status;
  bool whole = false;
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "Name:\t")) {
      status.name = std::string(rest);
    } else if (absl::ConsumePrefix(&rest, "State:\t")) {
      status.sleeps = absl::ConsumePrefix(&rest, "S");
    } else if (absl::ConsumePrefix(&rest, "SigPnd:\t")) {
      if (!absl::SimpleHexAtoi(rest, &status.pending)) return std::nullopt;
    } else if (absl::ConsumePrefix(&rest, "SigBlk:\t")) {
      if (!absl::SimpleHexAtoi(rest, &status.blocked)) return std::nullopt;
    } else if (absl::ConsumePrefix(&rest, "SigCgt:\t")) {
      if (!absl::SimpleHexAtoi(rest, &status.caught)) return std::nullopt;
    } else if (absl::ConsumePrefix(&rest, "voluntary_ctxt_switches:\t")) {
      whole = absl::SimpleAtoi(rest, &status.times_slept);
    }
  }
  if (!whole) return std::nullopt;
  return status;
}

}  // namespace net::sandbox
