#include "syscalls/net/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/net/ip_addr.h"

namespace net::ip {
namespace {

std::optional<uint16_t> ParsePort(absl::string_view text) {
  uint32_t port = 0;
  // SimpleAtoi also accepts signs and spaces.
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  if (!absl::SimpleAtoi(text, &port) || port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

}  // namespace

std::optional<Endpoint> Endpoint::Parse(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  const std::optional<uint16_t> port = ParsePort(text.substr(colon + 1));
  absl::string_view host = text.substr(0, colon);
  const bool bracketed =
      host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<Addr> addr = Addr::Parse(host);
  if (!port.has_value() || !addr.has_value()) return std::nullopt;
  if (addr->is_v6() != bracketed) return std::nullopt;
  return Endpoint{*addr, *port};
}

std::string Endpoint::ToString() const {
  if (addr.is_v6()) return absl::StrCat("[", addr.ToString(), "]:", port);
  return absl::StrCat(addr.ToString(), ":", port);
}

std::ostream& operator<<(std::ostream& os, const Endpoint& endpoint) {
  return os << endpoint.ToString();
}

SockAddr::SockAddr() : size_(sizeof(address_)) {
  std::memset(&address_, 0, sizeof(address_));
}

SockAddr::SockAddr(const Endpoint& endpoint) : SockAddr() {
  const Addr& addr = endpoint.addr;
  if (addr.is_v4()) {
    const Addr::V4Bytes bytes = addr.v4_bytes();
    address_.v4.sin_family = AF_INET;
    address_.v4.sin_port = htons(endpoint.port);
    std::memcpy(&address_.v4.sin_addr, bytes.data(), bytes.size());
    size_ = sizeof(sockaddr_in);
  } else {
    const Addr::V6Bytes& bytes = addr.v6_bytes();
    address_.v6.sin6_family = AF_INET6;
    address_.v6.sin6_port = htons(endpoint.port);
    address_.v6.sin6_scope_id = addr.scope();
    std::memcpy(&address_.v6.sin6_addr, bytes.data(), bytes.size());
    size_ = sizeof(sockaddr_in6);
  }
}

std::optional<Endpoint> SockAddr::ToEndpoint() const {
  return EndpointFromSockaddr(
      get(), std::min(size_, static_cast<socklen_t>(sizeof(address_))));
}

std::optional<Endpoint> EndpointFromSockaddr(const sockaddr* address,
                                             socklen_t size) {
  if (size < sizeof(sa_family_t)) return std::nullopt;
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    Addr::V4Bytes bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return Endpoint{Addr::V4(bytes), ntohs(v4.sin_port)};
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    Addr::V6Bytes bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return Endpoint{Addr::V6(bytes, v6.sin6_scope_id), ntohs(v6.sin6_port)};
  }
  return std::nullopt;
}

}  // namespace net::ip
