#include "conformance/explain/c_values.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "fakes/symbols.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

// Returns the size of a value of that type; 0 if it has any size.
size_t SizeOf(OptionType type) {
  switch (type) {
    case OptionType::kInt:
      return sizeof(int);
    case OptionType::kLinger:
      return sizeof(linger);
    case OptionType::kTimeval:
      return sizeof(timeval);
    case OptionType::kTcpInfo:
    case OptionType::kBytes:
      return 0;
  }
  return 0;
}

std::string PointerTo(OptionType type, absl::string_view bytes) {
  switch (type) {
    case OptionType::kInt:
      return absl::StrCat("&(int){", Load<int>(bytes), "}");
    case OptionType::kLinger: {
      const auto it = Load<linger>(bytes);
      return absl::StrCat("&(struct linger){", it.l_onoff, ", ", it.l_linger,
                          "}");
    }
    case OptionType::kTimeval: {
      const auto it = Load<timeval>(bytes);
      return absl::StrCat("&(struct timeval){", it.tv_sec, ", ", it.tv_usec,
                          "}");
    }
    case OptionType::kTcpInfo:
    case OptionType::kBytes:
      return CString(bytes);
  }
  return "NULL";
}

std::string SizeText(OptionType type) {
  switch (type) {
    case OptionType::kLinger:
      return "sizeof(struct linger)";
    case OptionType::kTimeval:
      return "sizeof(struct timeval)";
    default:
      return "sizeof(int)";
  }
}

}  // namespace

std::string CString(absl::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c >= ' ' && c <= '~' && c != '?') {  // "??" begins a trigraph.
      text += c;
    } else {
      absl::StrAppendFormat(&text, "\\%03o", static_cast<unsigned char>(c));
    }
  }
  return text + "\"";
}

std::optional<ip::Endpoint> WholeEndpoint(absl::string_view address) {
  const std::string aligned(address);
  const std::optional<ip::Endpoint> endpoint = ip::EndpointFromSockaddr(
      reinterpret_cast<const sockaddr*>(aligned.data()),
      static_cast<socklen_t>(aligned.size()));
  if (!endpoint.has_value()) return std::nullopt;
  const ip::SockAddr whole(*endpoint);
  const absl::string_view expected(reinterpret_cast<const char*>(whole.get()),
                                   whole.size());
  if (address != expected ||
      absl::StrContains(endpoint->addr.ToString(), "%")) {
    return std::nullopt;  // inet_pton(3) reads no scope.
  }
  return endpoint;
}

OptionType TypeOfOption(int64_t level, int64_t name, size_t size) {
  if (level == IPPROTO_TCP && name == TCP_INFO) return OptionType::kTcpInfo;
  if (level == SOL_SOCKET && name == SO_LINGER && size == sizeof(linger)) {
    return OptionType::kLinger;
  }
  if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO) &&
      size == sizeof(timeval)) {
    return OptionType::kTimeval;
  }
  return size == sizeof(int) ? OptionType::kInt : OptionType::kBytes;
}

std::string OptionArgument(OptionType type, absl::string_view bytes,
                           int64_t length) {
  if (type == OptionType::kInt && length == sizeof(int)) {
    return absl::StrCat("INT(", Load<int>(bytes), ")");
  }
  const bool is_usual =
      length > 0 && static_cast<size_t>(length) == SizeOf(type);
  return absl::StrCat(PointerTo(type, bytes), ", ",
                      is_usual ? SizeText(type) : absl::StrCat(length));
}

std::string FcntlValue(int64_t command, int64_t value) {
  switch (command) {
    case F_GETFD:
    case F_SETFD:
      return DescriptorFlagSymbols(static_cast<int>(value));
    case F_GETFL:
    case F_SETFL:
      return StatusFlagSymbols(static_cast<int>(value));
    default:
      return absl::StrCat(value);
  }
}

}  // namespace net::conformance
