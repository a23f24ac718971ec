#ifndef FAKES_KERNEL_PORTS_PORTS_H_
#define FAKES_KERNEL_PORTS_PORTS_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "fakes/kernel/deviation.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

struct PortBucket;

// What decides whether two can have one port.
struct PortClaim {
  // As the socket's family has it: IPv6 sockets that speak IPv4 have a
  // v4-mapped address.
  ip::Addr addr;
  bool v6only = false;
  bool reuse_addr = false;
  bool reuse_port = false;
  uid_t uid = 0;  // who made the socket
  bool listening = false;
  bool time_wait = false;
};

// One who has, or wants, a local port: a socket, or what is left of one in
// TIME-WAIT.
class PortOwner {
 public:
  PortOwner() = default;
  PortOwner(const PortOwner&) = delete;
  PortOwner& operator=(const PortOwner&) = delete;

  virtual PortClaim claim() const = 0;

  // The port it has; 0: none.
  uint16_t port() const;

 protected:
  // Must have released its port.
  virtual ~PortOwner() = default;

 private:
  friend class PortTable;

  PortBucket* bucket_ = nullptr;
  PortOwner* previous_ = nullptr;
  PortOwner* next_ = nullptr;
  bool by_connect_ = false;
};

// The local ports of the machine and who has them: the rules of bind(2),
// socket(7) on SO_REUSEADDR and SO_REUSEPORT, and ip(7) on ephemeral ports.
//
// Guarded by the kernel's mutex.
class PortTable {
 public:
  using Range = FakeSysctls::PortRange;

  explicit PortTable(uint64_t seed, Deviation deviation = Deviation::kNone);
  PortTable(const PortTable&) = delete;
  PortTable& operator=(const PortTable&) = delete;
  ~PortTable();

  // Gives `owner` a port, as bind(2) does, or listen(2) for an owner that has
  // none; port 0: one of the range that nobody else can have at that address.
  // For an owner that has the port already, checks again whether it may go on
  // having it, as listen(2) does. False: EADDRINUSE.
  bool Claim(PortOwner& owner, uint16_t port, Range range);

  // Gives `owner` a port of the range, as connect(2) does: one that nobody has
  // by bind(2), and with which the connection is `unique`. False:
  // EADDRNOTAVAIL.
  bool ClaimForConnect(PortOwner& owner, Range range,
                       absl::FunctionRef<bool(uint16_t port)> unique);

  // `heir` has the port of `owner`, too: an accepted connection's.
  void Inherit(PortOwner& heir, const PortOwner& owner);
  // `remnant` has it as `owner` had it: what is left of its connection.
  void Remain(PortOwner& remnant, const PortOwner& owner);

  void Release(PortOwner& owner);

 private:
  friend class PortOwner;

  static constexpr size_t kPortsOfPage = 256;
  struct Page;

  PortBucket& Bucket(uint16_t port);
  void Add(PortBucket& bucket, PortOwner& owner, bool by_connect);
  bool PickFree(PortOwner& owner, Range range);

  const Deviation deviation_;
  std::array<std::unique_ptr<Page>, 65536 / kPortsOfPage> pages_;
  uint64_t cursor_;  // where the search for a free port goes on
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_PORTS_PORTS_H_
