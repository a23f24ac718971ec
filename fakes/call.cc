#include "fakes/call.h"

#include <cstddef>
#include <optional>
#include <ostream>

#include "absl/strings/string_view.h"

namespace net {
namespace {

constexpr absl::string_view kNames[] = {
#define NET_SYSCALL(method, name, ...) name,
#include "syscalls/syscall_table.inc"
};

}  // namespace

absl::string_view CallName(Call call) {
  const auto index = static_cast<size_t>(call);
  return index < kCallCount ? kNames[index] : "?";
}

std::optional<Call> CallFromName(absl::string_view name) {
  for (const Call call : kAllCalls) {
    if (CallName(call) == name) return call;
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& os, Call call) {
  return os << CallName(call);
}

}  // namespace net
