#ifndef FAKES_KERNEL_TCP_LISTENERS_H_
#define FAKES_KERNEL_TCP_LISTENERS_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "fakes/kernel/ports/connections.h"

namespace net::fake {

class TcpSocket;

// The listening sockets, by port. Guarded by the kernel's mutex.
class ListenerTable {
 public:
  explicit ListenerTable(uint64_t seed) : seed_(seed) {}

  void Add(uint16_t port, TcpSocket& listener);
  void Remove(uint16_t port, TcpSocket& listener);

  // Returns the listener for a connection from `tuple.remote` to `tuple.local`,
  // or null if there is none. Precedence:
  // - A listener on the exact address before one on the wildcard.
  // - An IPv4 socket before an IPv6 socket that also accepts IPv4.
  // - Among several that share the port by SO_REUSEPORT, the connection and the
  //   seed decide.
  TcpSocket* Find(const FourTuple& tuple) const;

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  const uint64_t seed_;
  absl::flat_hash_map<uint16_t, absl::InlinedVector<TcpSocket*, 2>> by_port_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_LISTENERS_H_
