#include "fakes/kernel/tcp/listeners.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

// Returns how well a listener matches the address of a connection; 0: not at
// all.
int Fit(const TcpSocket& listener, const ip::Addr& addr) {
  if (listener.has_no_interface()) return 0;
  const ip::Addr bound = listener.local_addr();
  if (addr.is_v4()) {
    if (listener.options().v6only()) return 0;
    const bool v4 = listener.family() == AF_INET;
    if (bound.Unmapped() == addr) return v4 ? 4 : 3;
    if (bound.Unmapped() == ip::kAnyV4) return v4 ? 2 : 1;
    return bound == ip::kAnyV6 ? 1 : 0;
  }
  if (bound == addr) return 3;
  return bound == ip::kAnyV6 ? 1 : 0;
}

size_t Choose(const FourTuple& tuple, uint64_t seed, size_t count) {
  uint64_t mixed = (seed ^ tuple.remote.port) * 0x9e3779b97f4a7c15U;
  mixed ^= mixed >> 32;
  return mixed % count;
}

}  // namespace

void ListenerTable::Add(uint16_t port, TcpSocket& listener) {
  auto& listeners = by_port_[port];
  listeners.insert(listeners.begin(), &listener);
}

void ListenerTable::Remove(uint16_t port, TcpSocket& listener) {
  const auto found = by_port_.find(port);
  if (found == by_port_.end()) return;
  auto& listeners = found->second;
  listeners.erase(std::remove(listeners.begin(), listeners.end(), &listener),
                  listeners.end());
  if (listeners.empty()) by_port_.erase(found);
}

TcpSocket* ListenerTable::Find(const FourTuple& tuple) const {
  const auto found = by_port_.find(tuple.local.port);
  if (found == by_port_.end()) return nullptr;
  TcpSocket* best = nullptr;
  int best_fit = 0;
  size_t equals = 0;  // The listeners that fit as well as `best`.
  for (TcpSocket* listener : found->second) {
    const int fit = Fit(*listener, tuple.local.addr);
    if (fit > best_fit) {
      best = listener;
      best_fit = fit;
      equals = 0;
    }
    if (fit == best_fit) ++equals;
  }
  if (best == nullptr || equals == 1) return best;
  size_t others = Choose(tuple, seed_, equals);
  for (TcpSocket* listener : found->second) {
    if (Fit(*listener, tuple.local.addr) != best_fit) continue;
    if (others == 0) return listener;
    --others;
  }
  return best;
}

}  // namespace net::fake
