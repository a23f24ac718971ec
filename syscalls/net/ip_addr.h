#ifndef SYSCALLS_NET_IP_ADDR_H_
#define SYSCALLS_NET_IP_ADDR_H_

#include <sys/socket.h>

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "syscalls/require_cxx20.h"

namespace net::ip {

// An IPv4 or IPv6 address. It is a value type: cheap to copy, ordered,
// hashable, and usable in constant expressions. A default-constructed Addr is
// 0.0.0.0.
//
// A v4-mapped address (::ffff:127.0.0.1) is an IPv6 address and is not equal to
// 127.0.0.1. Mapped() and Unmapped() convert between the two.
//
// An IPv6 address has a scope ID: the zone of RFC 4007, section 11, as an
// interface index, or 0 for none. It distinguishes equal link-local addresses
// on different links.
class Addr {
 public:
  using V4Bytes = std::array<uint8_t, 4>;
  using V6Bytes = std::array<uint8_t, 16>;

  constexpr Addr() = default;

  // Constructs an address from bytes in network byte order.
  static constexpr Addr V4(const V4Bytes& bytes) {
    Addr addr;
    addr.first_ = std::bit_cast<uint32_t>(bytes);
    return addr;
  }
  static constexpr Addr V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return V4({a, b, c, d});
  }
  static constexpr Addr V6(const V6Bytes& bytes, uint32_t scope = 0) {
    Addr addr;
    addr.family_ = AF_INET6;
    const auto words = std::bit_cast<std::array<uint64_t, 2>>(bytes);
    addr.first_ = words[0];
    addr.second_ = words[1];
    addr.scope_ = scope;
    return addr;
  }

  // Parses an address. Returns nullopt for any other text; resolves no host
  // names and no interface names. Accepts:
  // - IPv4 as four decimal numbers without leading zeros: "127.0.0.1".
  // - IPv6 in any form of RFC 4291, section 2.2: "::1", "::ffff:10.0.0.1".
  // - IPv6 with a numeric scope ID: "fe80::1%2".
  static std::optional<Addr> Parse(absl::string_view text);

  // AF_INET or AF_INET6.
  constexpr int family() const { return family_; }
  constexpr bool is_v4() const { return family_ == AF_INET; }
  constexpr bool is_v6() const { return family_ == AF_INET6; }
  // Returns whether the address is in ::ffff:0:0/96 (RFC 4291, section
  // 2.5.5.2).
  constexpr bool is_v4_mapped() const {
    return is_v6() && first_ == 0 &&
           static_cast<uint32_t>(second_) == kMappedPrefix;
  }
  constexpr uint32_t scope() const { return scope_; }

  // The bytes in network byte order. v4_bytes() requires is_v4(), and
  // v6_bytes() requires is_v6().
  constexpr V4Bytes v4_bytes() const {
    return std::bit_cast<V4Bytes>(static_cast<uint32_t>(first_));
  }
  constexpr V6Bytes v6_bytes() const {
    return std::bit_cast<V6Bytes>(std::array<uint64_t, 2>{first_, second_});
  }

  // The sixteen bytes as two words, for hashes. The last twelve bytes of an
  // IPv4 address are 0.
  constexpr std::array<uint64_t, 2> words() const { return {first_, second_}; }

  // Returns an IPv4 address as ::ffff:a.b.c.d, and an IPv6 address unchanged.
  constexpr Addr Mapped() const {
    if (is_v6()) return *this;
    Addr addr;
    addr.family_ = AF_INET6;
    addr.second_ = first_ << 32 | kMappedPrefix;
    return addr;
  }
  // Returns a v4-mapped address as IPv4, and any other address unchanged.
  constexpr Addr Unmapped() const {
    if (!is_v4_mapped()) return *this;
    Addr addr;
    addr.first_ = second_ >> 32;
    return addr;
  }

  // Returns the canonical text of RFC 5952: lower case, the longest run of
  // zeros as "::", mapped addresses as "::ffff:10.0.0.1". A scope ID is
  // appended as "%2". Parse() is the inverse.
  std::string ToString() const;

  friend constexpr bool operator==(const Addr&, const Addr&) = default;
  // Orders IPv4 before IPv6, then by bytes, then by scope ID.
  friend constexpr std::strong_ordering operator<=>(const Addr& a,
                                                    const Addr& b) {
    if (a.family_ != b.family_) return a.family_ <=> b.family_;
    if (a.first_ != b.first_) return Swap(a.first_) <=> Swap(b.first_);
    if (a.second_ != b.second_) return Swap(a.second_) <=> Swap(b.second_);
    return a.scope_ <=> b.scope_;
  }

  template <typename H>
  friend H AbslHashValue(H h, const Addr& addr) {
    return H::combine(std::move(h), addr.family_, addr.first_, addr.second_,
                      addr.scope_);
  }

 private:
  // The last four of the twelve bytes of ::ffff:0:0/96, as in `second_`.
  static constexpr uint32_t kMappedPrefix = 0xffff0000;

  static constexpr uint64_t Swap(uint64_t word) {
    return __builtin_bswap64(word);
  }

  int family_ = AF_INET;
  uint32_t scope_ = 0;
  // The bytes, as they are in memory. They are stored as words, because words
  // are copied and compared in a fraction of the time. An IPv4 address uses the
  // first four bytes.
  uint64_t first_ = 0;
  uint64_t second_ = 0;
};

static_assert(std::endian::native == std::endian::little);
static_assert(AF_INET < AF_INET6);  // operator<=> depends on this order.

std::ostream& operator<<(std::ostream& os, const Addr& addr);

inline constexpr Addr kAnyV4 = Addr::V4(0, 0, 0, 0);      // 0.0.0.0
inline constexpr Addr kLocalV4 = Addr::V4(127, 0, 0, 1);  // 127.0.0.1
inline constexpr Addr kAnyV6 = Addr::V6({});              // ::
inline constexpr Addr kLocalV6 =                          // ::1
    Addr::V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

}  // namespace net::ip

#endif  // SYSCALLS_NET_IP_ADDR_H_
