#include "fakes/kernel/ports/machine.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

constexpr ip::Addr kBroadcastV4 = ip::Addr::V4(255, 255, 255, 255);

bool IsMulticastV4(const ip::Addr& addr) {
  return addr.is_v4() && (addr.v4_bytes()[0] & 0xf0) == 0xe0;
}

bool IsMulticastV6(const ip::Addr& addr) {
  return addr.is_v6() && addr.v6_bytes()[0] == 0xff;
}

}  // namespace

bool Machine::IsLoopback(const ip::Addr& addr) {
  return IsLoopbackV4(addr) || addr == ip::kLocalV6;
}

bool Machine::HasAddress(const ip::Addr& addr) const {
  return std::find(addresses_.begin(), addresses_.end(), addr) !=
         addresses_.end();
}

const ip::Addr* Machine::AddressOf(int family) const {
  const auto found = std::find_if(
      addresses_.begin(), addresses_.end(),
      [family](const ip::Addr& one) { return one.family() == family; });
  return found == addresses_.end() ? nullptr : &*found;
}

void Machine::AddFastOpenCookie(const ip::Addr& server) {
  if (!HasFastOpenCookie(server)) fast_open_cookies_.push_back(server);
}

bool Machine::HasFastOpenCookie(const ip::Addr& server) const {
  return std::find(fast_open_cookies_.begin(), fast_open_cookies_.end(),
                   server) != fast_open_cookies_.end();
}

bool Machine::IsOtherLocal(const ip::Addr& addr) const {
  if (addr == ip::kLocalV6) return ipv6_enabled() && loopback_up_;
  if (addr.is_v6() && !ipv6_enabled()) return false;
  return HasAddress(addr);
}

bool Machine::CanBind(const ip::Addr& addr) const {
  return addr == ip::kAnyV4 || addr == ip::kAnyV6 || IsLocal(addr) ||
         IsMulticastV4(addr) || addr == kBroadcastV4 ||
         IsLoopbackBroadcast(addr);
}

int Machine::RouteError(const ip::Addr& to) const {
  const auto failing =
      std::find_if(failing_routes_.begin(), failing_routes_.end(),
                   [&](const FailingRoute& one) { return one.addr == to; });
  if (failing != failing_routes_.end()) return failing->error;
  if (IsMulticastV4(to) || IsMulticastV6(to)) return ENETUNREACH;
  if (IsLocal(to)) return 0;
  // ::1 is gone, but the way to it is not: no source address is left.
  if (to == ip::kLocalV6) return EADDRNOTAVAIL;
  return ENETUNREACH;
}

bool Machine::IsAssumedOnLink(const ip::Addr& to) const {
  return loopback_up_ && to.is_v4() && !IsLocal(to) && !IsMulticastV4(to) &&
         to != kBroadcastV4 && !IsLoopbackBroadcast(to);
}

ip::Addr Machine::SourceFor(const ip::Addr& to) {
  return IsLoopbackV4(to) ? ip::kLocalV4 : to;
}

}  // namespace net::fake
