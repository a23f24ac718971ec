#ifndef SYSCALLS_NET_IP_ADDR_H_
#define SYSCALLS_NET_IP_ADDR_H_

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "syscalls/require_cxx20.h"

namespace net::ip {

// An IPv4 or IPv6 address. A value: cheap to copy, ordered, hashable, usable
// in constant expressions. Default-constructed it is 0.0.0.0.
//
// A v4-mapped address (::ffff:127.0.0.1) is an IPv6 address and stays one; it
// differs from 127.0.0.1. Mapped() and Unmapped() go from one to the other.
//
// A scope (the zone of RFC 4007 section 11, the interface's number, 0 for
// none) tells link-local IPv6 addresses of several links apart.
class Addr {
 public:
  using V4Bytes = std::array<uint8_t, 4>;
  using V6Bytes = std::array<uint8_t, 16>;

  constexpr Addr() = default;

  // From bytes in network order.
  static constexpr Addr V4(const V4Bytes& bytes) {
    Addr addr;
    for (size_t i = 0; i < bytes.size(); ++i) addr.bytes_[i] = bytes[i];
    return addr;
  }
  static constexpr Addr V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return V4({a, b, c, d});
  }
  static constexpr Addr V6(const V6Bytes& bytes, uint32_t scope = 0) {
    Addr addr;
    addr.family_ = AF_INET6;
    addr.bytes_ = bytes;
    addr.scope_ = scope;
    return addr;
  }

  // From text: "127.0.0.1" (four decimal numbers, no leading zeros), any form
  // of RFC 4291 section 2.2, "::1", "::ffff:10.0.0.1", or one of these IPv6
  // forms with a numeric scope, "fe80::1%2". nullopt for everything else; no
  // name is looked up, and no interface name either.
  static std::optional<Addr> Parse(absl::string_view text);

  // AF_INET or AF_INET6.
  constexpr int family() const { return family_; }
  constexpr bool is_v4() const { return family_ == AF_INET; }
  constexpr bool is_v6() const { return family_ == AF_INET6; }
  // In ::ffff:0:0/96 (RFC 4291 section 2.5.5.2).
  constexpr bool is_v4_mapped() const {
    for (size_t i = 0; i < 10; ++i) {
      if (bytes_[i] != 0) return false;
    }
    return is_v6() && bytes_[10] == 0xff && bytes_[11] == 0xff;
  }
  constexpr uint32_t scope() const { return scope_; }

  // The bytes in network order. Requires is_v4(), is_v6().
  constexpr V4Bytes v4_bytes() const {
    return {bytes_[0], bytes_[1], bytes_[2], bytes_[3]};
  }
  constexpr const V6Bytes& v6_bytes() const { return bytes_; }

  // An IPv4 address as ::ffff:a.b.c.d; an IPv6 address unchanged.
  constexpr Addr Mapped() const {
    if (is_v6()) return *this;
    return V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, bytes_[0], bytes_[1],
               bytes_[2], bytes_[3]});
  }
  // A v4-mapped address as IPv4; every other unchanged.
  constexpr Addr Unmapped() const {
    if (!is_v4_mapped()) return *this;
    return V4(bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
  }

  // The canonical text of RFC 5952: lower case, the longest run of zeros as
  // "::", mapped addresses as "::ffff:10.0.0.1"; "%2" at the end if there is a
  // scope. Parse() reads it back.
  std::string ToString() const;

  // IPv4 before IPv6, then by bytes, then by scope.
  friend constexpr bool operator==(const Addr&, const Addr&) = default;
  friend constexpr std::strong_ordering operator<=>(const Addr&,
                                                    const Addr&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Addr& addr) {
    return H::combine(std::move(h), addr.family_, addr.bytes_, addr.scope_);
  }

 private:
  int family_ = AF_INET;
  V6Bytes bytes_ = {};  // An IPv4 address uses the first four.
  uint32_t scope_ = 0;
};

static_assert(AF_INET < AF_INET6);  // The order that operator<=> promises.

std::ostream& operator<<(std::ostream& os, const Addr& addr);

inline constexpr Addr kAnyV4 = Addr::V4(0, 0, 0, 0);      // 0.0.0.0
inline constexpr Addr kLocalV4 = Addr::V4(127, 0, 0, 1);  // 127.0.0.1
inline constexpr Addr kAnyV6 = Addr::V6({});              // ::
inline constexpr Addr kLocalV6 =                          // ::1
    Addr::V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

}  // namespace net::ip

#endif  // SYSCALLS_NET_IP_ADDR_H_
