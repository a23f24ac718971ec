#include "fakes/differential/linux_worlds.h"

#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/differential/linux_network.h"
#include "fakes/differential/program.h"
#include "fakes/differential/worlds.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/errors/error.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

constexpr int kProgramsPerNetwork = 32;
constexpr uint16_t kFirstFixedPort = 20000;

// The number of worlds that this process has made.
int made = 0;

class LinuxWorld : public World {
 public:
  LinuxWorld(const rlimit& descriptors, int turn)
      : descriptors_(descriptors), turn_(turn) {}

  LinuxWorld(const LinuxWorld&) = delete;
  LinuxWorld& operator=(const LinuxWorld&) = delete;
  // Without its privileges the process could not make the next world.
  ~LinuxWorld() override {
    if (!RestorePrivileges()) std::abort();
  }

  Syscalls& process(int) override { return DefaultSyscalls(); }

  void SetOutOfDescriptors(int, bool out) override {
    const rlimit limit = {out ? 0 : descriptors_.rlim_cur,
                          descriptors_.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) std::abort();
  }

  std::array<uint16_t, kFixedPorts> fixed_ports() const override {
    std::array<uint16_t, kFixedPorts> ports = {};
    for (uint16_t i = 0; i < kFixedPorts; ++i) {
      ports[i] =
          static_cast<uint16_t>(kFirstFixedPort + turn_ * kFixedPorts + i);
    }
    return ports;
  }

  PortRange ephemeral_ports() const override {
    const auto all = FakeSysctls().ip_local_port_range;
    const uint32_t count =
        (uint32_t{all.last} - all.first + 1) / kProgramsPerNetwork;
    const uint32_t first = all.first + static_cast<uint32_t>(turn_) * count;
    return {first, first + count - 1};
  }

 private:
  const rlimit descriptors_;
  const int turn_;  // Index among the programs that share a network.
};

}  // namespace

absl::StatusOr<std::unique_ptr<World>> LinuxWorlds::Make() {
  rlimit descriptors = {};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) {
    return ErrnoError(errno, "getrlimit");
  }
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
    return ErrnoError(errno, "signal");
  }
  const int turn = made++ % kProgramsPerNetwork;
  if (turn == 0) {
    absl::Status status = EnterNewNetwork(FakeSysctls());
    if (!status.ok()) return status;
  }
  if (!DropPrivileges()) return ErrnoError(errno, "capset");
  return std::make_unique<LinuxWorld>(descriptors, turn);
}

}  // namespace net::differential
