#ifndef FAKES_KERNEL_PORTS_INTERFACE_IOCTL_H_
#define FAKES_KERNEL_PORTS_INTERFACE_IOCTL_H_

#include <cstdint>
#include <optional>

#include "fakes/kernel/ports/machine.h"

namespace net::fake {

// Executes a request of netdevice(7) that reads the configuration of an
// interface, on a socket of `domain`: SIOCGIFCONF, SIOCGIFNAME, SIOCGIFINDEX,
// SIOCGIFFLAGS, SIOCGIFADDR and its relatives, SIOCGIFMTU, SIOCGIFHWADDR,
// SIOCGIFMETRIC, SIOCGIFTXQLEN. `argument` is the program's pointer and may be
// invalid. The machine has one interface, "lo", with the index 1.
//
// Returns 0 or an errno, or nullopt if it is not such a request.
std::optional<int> InterfaceIoctl(const Machine& machine, int domain,
                                  uint64_t request, void* argument);

}  // namespace net::fake

#endif  // FAKES_KERNEL_PORTS_INTERFACE_IOCTL_H_
