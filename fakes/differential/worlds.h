#ifndef FAKES_DIFFERENTIAL_WORLDS_H_
#define FAKES_DIFFERENTIAL_WORLDS_H_

#include <array>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "fakes/differential/program.h"
#include "syscalls/syscalls.h"

namespace net::differential {

// Ports, from the first to the last.
struct PortRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

// A machine for one program: nothing of an earlier program is left on it.
//
// What all worlds have in common, so that two can be compared:
// - the sysctls are FakeSysctls' defaults;
// - IPv4 and IPv6 loopback, and no other network;
// - no process may do what takes a privilege: bind a port below 1024, set
//   SO_MARK;
// - what arrives is acknowledged at once (see linux_worlds.h).
class World {
 public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  // The kernel as process `i` sees it, 0 <= i < kProcesses.
  virtual Syscalls& process(int i) = 0;

  // Whether the process has no descriptor left: with true, every call that
  // needs one fails, and those there are stay usable.
  virtual void SetOutOfDescriptors(int process, bool out) = 0;

  // Ports outside of the ephemeral range, which nobody has used.
  virtual std::array<uint16_t, kFixedPorts> fixed_ports() const = 0;

  // The ephemeral ports, or a part of them, that nobody has used. A kernel
  // picks at random: from all of them, it would by accident pick what is still
  // in somebody's TIME-WAIT, or what it has picked before.
  virtual PortRange ephemeral_ports() const = 0;
};

// Makes worlds of one kind, one after the other: a world is gone before the
// next is made.
class Worlds {
 public:
  Worlds() = default;
  Worlds(const Worlds&) = delete;
  Worlds& operator=(const Worlds&) = delete;
  virtual ~Worlds() = default;

  // The error is this machine's: it cannot make one.
  virtual absl::StatusOr<std::unique_ptr<World>> Make() = 0;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_WORLDS_H_
