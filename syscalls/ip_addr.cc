#include "syscalls/ip_addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::ip {
namespace {

std::optional<uint32_t> ParseScope(absl::string_view text) {
  uint32_t scope = 0;
  // SimpleAtoi also takes signs and spaces.
  if (text.empty() || !absl::ascii_isdigit(text.front())) return std::nullopt;
  if (!absl::SimpleAtoi(text, &scope)) return std::nullopt;
  return scope;
}

}  // namespace

std::optional<Addr> Addr::Parse(absl::string_view text) {
  uint32_t scope = 0;
  const size_t percent = text.find('%');
  if (percent != absl::string_view::npos) {
    const std::optional<uint32_t> parsed = ParseScope(text.substr(percent + 1));
    if (!parsed.has_value()) return std::nullopt;
    scope = *parsed;
    text = text.substr(0, percent);
  }
  // inet_pton wants a terminated string; an embedded NUL must not end it early.
  if (text.find('\0') != absl::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  V6Bytes v6;
  if (inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) {
    return V6(v6, scope);
  }
  V4Bytes v4;
  if (percent == absl::string_view::npos &&
      inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) {
    return V4(v4);
  }
  return std::nullopt;
}

std::string Addr::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  // Cannot fail: the family is known and the buffer long enough.
  inet_ntop(family_, bytes_.data(), text.data(), text.size());
  if (scope_ == 0) return text.data();
  return absl::StrCat(text.data(), "%", scope_);
}

std::ostream& operator<<(std::ostream& os, const Addr& addr) {
  return os << addr.ToString();
}

}  // namespace net::ip
