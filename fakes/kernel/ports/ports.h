#ifndef FAKES_KERNEL_PORTS_PORTS_H_
#define FAKES_KERNEL_PORTS_PORTS_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

struct PortBucket;

// The properties of a socket that decide whether it may share a port.
struct PortClaim {
  // In the form of the socket's family: an IPv6 socket used for IPv4 has a
  // v4-mapped address.
  ip::Addr addr;
  bool v6only = false;
  bool reuse_addr = false;
  bool reuse_port = false;
  uid_t uid = 0;  // The user who created the socket.
  bool listening = false;
  bool time_wait = false;
};

// An owner of a local port: a socket or a TIME-WAIT entry.
class PortOwner {
 public:
  PortOwner() = default;
  PortOwner(const PortOwner&) = delete;
  PortOwner& operator=(const PortOwner&) = delete;

  virtual PortClaim claim() const = 0;

  // Returns its port, or 0 if it has none.
  uint16_t port() const;

 protected:
  // Requires that the port has been released.
  virtual ~PortOwner() = default;

 private:
  friend class PortTable;
  friend struct StateCorruption;

  PortBucket* bucket_ = nullptr;
  PortOwner* previous_ = nullptr;
  PortOwner* next_ = nullptr;
  bool by_connect_ = false;
};

// The local ports of the machine and their owners: the rules of bind(2), of
// socket(7) for SO_REUSEADDR and SO_REUSEPORT, and of ip(7) for ephemeral
// ports.
//
// Guarded by the kernel's mutex.
class PortTable {
 public:
  using Range = FakeSysctls::PortRange;

  explicit PortTable(uint64_t seed);
  PortTable(const PortTable&) = delete;
  PortTable& operator=(const PortTable&) = delete;
  ~PortTable();

  // Assigns a port to `owner` for bind(2), or for listen(2) if it has none.
  // With port 0, picks a port of `range` that has no conflicting owner at the
  // address. If `owner` already has the port, checks whether it may keep it
  // (listen(2)). Returns false for EADDRINUSE.
  bool Claim(PortOwner& owner, uint16_t port, Range range);

  // Assigns a port of `range` to `owner` for connect(2): a port that no socket
  // has by bind(2), and for which `unique` returns true (no connection has the
  // same four-tuple). Returns false for EADDRNOTAVAIL.
  bool ClaimForConnect(PortOwner& owner, Range range,
                       absl::FunctionRef<bool(uint16_t port)> unique);

  // Makes an accepted connection share the port of its listener.
  void Inherit(PortOwner& heir, const PortOwner& owner);
  // Gives a TIME-WAIT entry the port of its socket, in the way in which the
  // socket had it.
  void Remain(PortOwner& timewait, const PortOwner& owner);

  void Release(PortOwner& owner);

  // Returns whether the list of the port's owners is consistent at `owner`.
  // Returns true if `owner` has no port. For checks only.
  static bool Lists(const PortOwner& owner);

 private:
  friend class PortOwner;

  static constexpr size_t kPortsOfPage = 256;
  struct Page;

  PortBucket& Bucket(uint16_t port);
  void Add(PortBucket& bucket, PortOwner& owner, bool by_connect);
  bool PickFree(PortOwner& owner, Range range);

  std::array<std::unique_ptr<Page>, 65536 / kPortsOfPage> pages_;
  uint64_t cursor_;  // Where the search for a free port continues.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_PORTS_PORTS_H_
