#include "syscalls/errors/errno_symbol.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net {
namespace {

// On every architecture, Linux uses only errnos below this (MAX_ERRNO is 4095).
constexpr int kErrnoLimit = 4096;

}  // namespace

std::string ErrnoSymbol(int error) {
  if (const char* symbol = strerrorname_np(error)) return symbol;
  return absl::StrCat("E", error);
}

std::optional<int> ErrnoFromSymbol(absl::string_view symbol) {
  if (symbol == "EWOULDBLOCK") return EWOULDBLOCK;
  if (symbol == "ENOTSUP") return ENOTSUP;
  for (int error = 1; error < kErrnoLimit; ++error) {
    const char* name = strerrorname_np(error);
    if (name != nullptr && symbol == name) return error;
  }
  return std::nullopt;
}

}  // namespace net
