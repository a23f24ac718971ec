#include "fakes/differential/linux_worlds.h"

#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/delivering_syscalls.h"
#include "fakes/differential/program.h"
#include "fakes/differential/worlds.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/capabilities.h"
#include "syscalls/sandbox/delivery.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/routes.h"
#include "syscalls/sandbox/sysctl.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

constexpr int kProgramsPerNetwork = 32;
constexpr uint16_t kFirstFixedPort = 20000;

// The number of worlds that this process has made.
int made = 0;

// The kernel, without late deliveries.
class DeliveringKernel {
 public:
  Syscalls& syscalls() { return syscalls_; }

 private:
  sandbox::Delivery delivery_;
  DeliveringSyscalls syscalls_{DefaultSyscalls(), delivery_};
};

class LinuxWorld : public World {
 public:
  LinuxWorld(const rlimit& descriptors, int turn, bool delivers)
      : descriptors_(descriptors), turn_(turn) {
    if (delivers) delivering_.emplace();
  }

  LinuxWorld(const LinuxWorld&) = delete;
  LinuxWorld& operator=(const LinuxWorld&) = delete;
  // Without its privileges the process could not make the next world.
  ~LinuxWorld() override {
    if (!sandbox::RestoreCapabilities().ok()) std::abort();
  }

  Syscalls& process(int) override {
    return delivering_.has_value() ? delivering_->syscalls()
                                   : DefaultSyscalls();
  }

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
  std::optional<DeliveringKernel> delivering_;
};

std::string Text(const FakeSysctls::Memory& memory) {
  return absl::StrCat(memory.min, " ", memory.initial, " ", memory.max);
}

// net.core.rmem_max and wmem_max belong to the machine and stay unchanged.
// tcp_no_metrics_save: the metrics of a connection would otherwise outlive its
// program.
absl::Status WriteSysctls(const FakeSysctls& s) {
  const std::vector<std::pair<absl::string_view, std::string>> all = {
      {"net.core.somaxconn", absl::StrCat(s.somaxconn)},
      {"net.ipv4.ip_local_port_range",
       absl::StrCat(s.ip_local_port_range.first, " ",
                    s.ip_local_port_range.last)},
      {"net.ipv4.ip_unprivileged_port_start",
       absl::StrCat(s.ip_unprivileged_port_start)},
      {"net.ipv4.tcp_syn_retries", absl::StrCat(s.tcp_syn_retries)},
      {"net.ipv4.tcp_fin_timeout", absl::StrCat(s.tcp_fin_timeout)},
      {"net.ipv4.tcp_tw_reuse", absl::StrCat(s.tcp_tw_reuse)},
      {"net.ipv4.tcp_rmem", Text(s.tcp_rmem)},
      {"net.ipv4.tcp_wmem", Text(s.tcp_wmem)},
      {"net.ipv4.tcp_keepalive_time", absl::StrCat(s.tcp_keepalive_time)},
      {"net.ipv4.tcp_keepalive_intvl", absl::StrCat(s.tcp_keepalive_intvl)},
      {"net.ipv4.tcp_keepalive_probes", absl::StrCat(s.tcp_keepalive_probes)},
      {"net.ipv6.bindv6only", s.bindv6only ? "1" : "0"},
      {"net.ipv4.tcp_no_metrics_save", "1"},
  };
  for (const auto& [name, value] : all) {
    absl::Status status = sandbox::WriteSysctl(name, value);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFakeSysctls() { return WriteSysctls(FakeSysctls()); }

namespace {

// Moves this process into a new network namespace. Loopback is up there and
// acknowledges immediately, and the sysctls are the FakeKernel's as far as they
// belong to the namespace.
absl::Status EnterNewNetwork() {
  absl::Status status = sandbox::EnterOwnNetwork();
  if (status.ok()) status = sandbox::SetQuickAckOnLoopback();
  if (status.ok()) status = WriteFakeSysctls();
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<World>> LinuxWorldFactory::Make(bool delivers) {
  rlimit descriptors = {};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) {
    return ErrnoError(errno, "getrlimit");
  }
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
    return ErrnoError(errno, "signal");
  }
  const int turn = made++ % kProgramsPerNetwork;
  if (turn == 0) {
    absl::Status status = EnterNewNetwork();
    if (status.ok() && prepare_ != nullptr) status = prepare_();
    if (!status.ok()) return status;
  }
  absl::Status dropped = sandbox::DropCapabilities();
  if (!dropped.ok()) return dropped;
  return std::make_unique<LinuxWorld>(descriptors, turn, delivers);
}

absl::StatusOr<std::unique_ptr<World>> LinuxWorldFactory::Make() {
  return Make(/*delivers=*/false);
}

absl::StatusOr<std::unique_ptr<World>> LinuxWorldFactory::MakeDelivering() {
  return Make(/*delivers=*/true);
}

}  // namespace net::differential
