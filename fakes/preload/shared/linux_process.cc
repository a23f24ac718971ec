#include "fakes/preload/shared/linux_process.h"

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace net::preload {

LinuxProcess StatusOf(pid_t id) {
  // The fields after the name, which can have any character.
  constexpr size_t kState = 0;
  constexpr size_t kParent = 1;
  constexpr size_t kUserTime = 11;
  constexpr size_t kSystemTime = 12;
  std::ifstream file(absl::StrCat("/proc/", id, "/stat"));
  std::string text;
  std::getline(file, text);
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  const std::vector<absl::string_view> words = absl::StrSplit(
      absl::string_view(text).substr(end + 1), ' ', absl::SkipEmpty());
  LinuxProcess process;
  int64_t user = 0;
  int64_t system = 0;
  if (words.size() <= kSystemTime ||
      !absl::SimpleAtoi(words[kParent], &process.parent) ||
      !absl::SimpleAtoi(words[kUserTime], &user) ||
      !absl::SimpleAtoi(words[kSystemTime], &system)) {
    return {};
  }
  process.state = words[kState].front();
  process.processor_time = absl::Seconds(user + system) / sysconf(_SC_CLK_TCK);
  return process;
}

}  // namespace net::preload
