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
#include "syscalls/error.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

constexpr int kProgramsPerNetwork = 32;
constexpr uint16_t kFirstFixedPort = 20000;

// How many worlds this process has made.
int made = 0;

class LinuxWorld : public World {
 public:
  LinuxWorld(const rlimit& descriptors, uint16_t first_port)
      : descriptors_(descriptors), first_port_(first_port) {}

  LinuxWorld(const LinuxWorld&) = delete;
  LinuxWorld& operator=(const LinuxWorld&) = delete;
  // Without them the next world could not be made: better to end here.
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
      ports[i] = static_cast<uint16_t>(first_port_ + i);
    }
    return ports;
  }

 private:
  const rlimit descriptors_;
  const uint16_t first_port_;
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
  const int first_port = kFirstFixedPort + turn * kFixedPorts;
  return std::make_unique<LinuxWorld>(descriptors,
                                      static_cast<uint16_t>(first_port));
}

}  // namespace net::differential
