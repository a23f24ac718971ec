#ifndef FAKES_DIFFERENTIAL_WORLDS_H_
#define FAKES_DIFFERENTIAL_WORLDS_H_

#include <array>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "fakes/differential/program.h"
#include "syscalls/syscalls.h"

namespace net::differential {

// A range of ports, inclusive.
struct PortRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

// A machine for one program, without traces of earlier programs.
//
// All worlds have these properties, so that two can be compared:
// - Sysctls have the defaults of FakeSysctls.
// - The only network is IPv4 and IPv6 loopback.
// - No process has a privilege: it cannot bind a port below 1024 or set
//   SO_MARK.
// - Received data is acknowledged immediately (see linux_worlds.h).
class World {
 public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  // Returns the kernel as process `i` sees it. Requires 0 <= i < kProcesses.
  virtual Syscalls& process(int i) = 0;

  // Sets whether the process is out of descriptors. Calls that need a new one
  // then fail, and open descriptors stay usable.
  virtual void SetOutOfDescriptors(int process, bool out) = 0;

  // Returns unused ports outside of the ephemeral range.
  virtual std::array<uint16_t, kFixedPorts> fixed_ports() const = 0;

  // Returns a range of unused ephemeral ports. Kernels choose ports at random.
  // In the whole ephemeral range they would sometimes choose one that is in
  // TIME-WAIT or was chosen before.
  virtual PortRange ephemeral_ports() const = 0;
};

// Makes worlds of one kind, one at a time: a world must be destroyed before the
// next one is made.
class WorldFactory {
 public:
  WorldFactory() = default;
  WorldFactory(const WorldFactory&) = delete;
  WorldFactory& operator=(const WorldFactory&) = delete;
  virtual ~WorldFactory() = default;

  // Makes a world. Returns an error if this machine cannot make one.
  virtual absl::StatusOr<std::unique_ptr<World>> Make() = 0;

  // Makes a world in which each call sees everything that was sent before it.
  // It is slower where the kernel may deliver late.
  virtual absl::StatusOr<std::unique_ptr<World>> MakeDelivering() {
    return Make();
  }
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_WORLDS_H_
