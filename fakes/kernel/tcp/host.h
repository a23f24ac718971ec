#ifndef FAKES_KERNEL_TCP_HOST_H_
#define FAKES_KERNEL_TCP_HOST_H_

#include <cstdint>
#include <string>
#include <utility>

#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/listeners.h"

namespace net::fake {

// A machine of the network: its addresses and sysctls, and its TCP's tables.
// Guarded by the kernel's mutex.
struct Host {
  Host(std::string host_name, const FakeSysctls& sysctls, uint64_t seed)
      : name(std::move(host_name)),
        machine(sysctls),
        ports(seed),
        listeners(seed) {}
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() = default;

  const std::string name;
  Machine machine;
  PortTable ports;
  ListenerTable listeners;
  ConnectionTable connections;
  // Whether the machine is on. If it is off, it neither sends nor receives
  // anything.
  bool on = true;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_HOST_H_
