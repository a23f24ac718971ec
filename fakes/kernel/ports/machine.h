#ifndef FAKES_KERNEL_PORTS_MACHINE_H_
#define FAKES_KERNEL_PORTS_MACHINE_H_

#include <vector>

#include "fakes/kernel/sysctls.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

// The machine's addresses, its one interface and its routes. IPv4 addresses are
// in IPv4 form, never v4-mapped. Guarded by the kernel's mutex.
class Machine {
 public:
  explicit Machine(const FakeSysctls& sysctls) : sysctls_(sysctls) {}

  FakeSysctls& sysctls() { return sysctls_; }
  const FakeSysctls& sysctls() const { return sysctls_; }

  // Adds an address. 127.0.0.0/8 and ::1 exist from the start.
  void AddAddress(const ip::Addr& addr) { addresses_.push_back(addr); }
  // The added addresses.
  const std::vector<ip::Addr>& addresses() const { return addresses_; }

  // Makes connect(2) to `addr` fail with `error` from now on.
  void AddFailingRoute(const ip::Addr& addr, int error) {
    failing_routes_.push_back({addr, error});
  }

  // Returns whether `addr` is one of the added addresses.
  bool HasAddress(const ip::Addr& addr) const;
  // Returns the first added address of a family, or null.
  const ip::Addr* AddressOf(int family) const;

  // An interface that is down loses all segments, and has no address ::1.
  void set_loopback_up(bool up) { loopback_up_ = up; }
  bool loopback_up() const { return loopback_up_; }

  // The servers whose cookies clients of this machine have (TCP Fast Open,
  // RFC 7413).
  void AddFastOpenCookie(const ip::Addr& server);
  bool HasFastOpenCookie(const ip::Addr& server) const;

  // Whether the routes to the loopback addresses have the metric quickack.
  void set_quick_ack_on_loopback(bool on) { quick_ack_on_loopback_ = on; }
  bool quick_ack_on_loopback() const { return quick_ack_on_loopback_; }
  // Returns whether `addr` is in 127.0.0.0/8, or is ::1.
  static bool IsLoopback(const ip::Addr& addr);

  bool ipv6_enabled() const { return !sysctls_.disable_ipv6; }

  // Returns whether a socket may be bound to `addr`: an address of the machine,
  // the wildcard or, for IPv4, a multicast or broadcast address (ip(7)).
  bool CanBind(const ip::Addr& addr) const;

  // Returns whether packets to `addr` arrive at this machine.
  bool IsLocal(const ip::Addr& addr) const {
    return IsLoopbackV4(addr) ? !IsLoopbackBroadcast(addr) : IsOtherLocal(addr);
  }

  // Returns the errno with which connect(2) to an address fails before a
  // segment is sent, or 0.
  int RouteError(const ip::Addr& to) const;

  // Returns whether a socket that is bound to the loopback interface may send
  // to an address to which there is no route. Linux assumes then that the
  // address is on the link (ip_route_output_key_hash_rcu() in
  // net/ipv4/route.c). The segments are lost.
  bool IsAssumedOnLink(const ip::Addr& to) const;

  // Returns the source address for a destination, for a socket without one.
  static ip::Addr SourceFor(const ip::Addr& to);

 private:
  struct FailingRoute {
    ip::Addr addr;
    int error;
  };

  static bool IsLoopbackV4(const ip::Addr& addr) {
    return addr.is_v4() && addr.v4_bytes()[0] == 127;
  }
  // Returns whether `addr` is the broadcast address of the loopback network
  // 127.0.0.0/8. Since Linux 5.14, 127.0.0.0 is an address like others.
  static bool IsLoopbackBroadcast(const ip::Addr& addr) {
    return addr.is_v4() &&
           addr.v4_bytes() == ip::Addr::V4Bytes{127, 255, 255, 255};
  }
  // Implements IsLocal() for an address that is not in 127.0.0.0/8.
  bool IsOtherLocal(const ip::Addr& addr) const;

  FakeSysctls sysctls_;
  std::vector<ip::Addr> addresses_;
  std::vector<FailingRoute> failing_routes_;
  std::vector<ip::Addr> fast_open_cookies_;
  bool loopback_up_ = true;
  bool quick_ack_on_loopback_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_PORTS_MACHINE_H_
