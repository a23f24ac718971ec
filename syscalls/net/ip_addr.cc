#include "syscalls/net/ip_addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::ip {
namespace {

std::optional<uint32_t> ParseScope(absl::string_view text) {
  uint32_t scope = 0;
  // SimpleAtoi also accepts signs and spaces.
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) {
    return std::nullopt;
  }
  if (!absl::SimpleAtoi(text, &scope)) return std::nullopt;
  return scope;
}

// True for addresses in ::/96 whose last four bytes do not begin with two zero
// bytes.
bool IsV4Compatible(const Addr::V6Bytes& bytes) {
  const auto is_zero = [](uint8_t byte) { return byte == 0; };
  return std::all_of(bytes.begin(), bytes.begin() + 12, is_zero) &&
         (bytes[12] != 0 || bytes[13] != 0);
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
  // inet_pton expects a NUL-terminated string; an embedded NUL must not end it
  // early.
  if (absl::StrContains(text, '\0')) return std::nullopt;
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
  std::array<char, INET6_ADDRSTRLEN> buffer = {};
  // Cannot fail: the family is valid, and the buffer is large enough.
  const V6Bytes bytes = v6_bytes();
  inet_ntop(family_, bytes.data(), buffer.data(), buffer.size());
  std::string text = buffer.data();
  // glibc writes ::1:2 as ::0.1.0.2, an IPv4-compatible address. RFC 4291,
  // section 2.5.5.1, deprecates that form.
  if (is_v6() && IsV4Compatible(bytes)) {
    text = absl::StrCat("::", absl::Hex(bytes[12] << 8 | bytes[13]), ":",
                        absl::Hex(bytes[14] << 8 | bytes[15]));
  }
  if (scope_ != 0) absl::StrAppend(&text, "%", scope_);
  return text;
}

std::ostream& operator<<(std::ostream& os, const Addr& addr) {
  return os << addr.ToString();
}

}  // namespace net::ip
