#include "syscalls/sandbox/sysctl.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "syscalls/sandbox/proc.h"

namespace net::sandbox {
namespace {

std::string PathOf(absl::string_view name) {
  return absl::StrCat("/proc/sys/", absl::StrReplaceAll(name, {{".", "/"}}));
}

}  // namespace

absl::StatusOr<std::string> ReadSysctl(absl::string_view name) {
  absl::StatusOr<std::string> text = ReadFile(PathOf(name));
  if (text.ok() && !text->empty() && text->back() == '\n') text->pop_back();
  return text;
}

absl::Status WriteSysctl(absl::string_view name, absl::string_view value) {
  return WriteFile(PathOf(name), value);
}

}  // namespace net::sandbox
