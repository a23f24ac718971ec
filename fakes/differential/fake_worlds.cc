#include "fakes/differential/fake_worlds.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "fakes/differential/program.h"
#include "fakes/differential/worlds.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

class FakeWorld : public World {
 public:
  FakeWorld() : self_(kernel_, "the program") {
    // As in LinuxWorldFactory.
    kernel_.SetQuickAckOnLoopback();
    for (FakeProcess*& process : processes_) process = &kernel_.NewProcess();
  }

  Syscalls& process(int i) override { return At(i); }

  void SetOutOfDescriptors(int process, bool out) override {
    const int limit = FakeProcessOptions().nofile_limit;
    At(process).set_nofile_limit(out ? 0 : limit);
  }

  std::array<uint16_t, kFixedPorts> fixed_ports() const override {
    return {20000, 20001, 20002};
  }

  PortRange ephemeral_ports() const override {
    const auto range = FakeSysctls().ip_local_port_range;
    return {range.first, range.last};
  }

 private:
  FakeProcess& At(int i) { return *processes_[static_cast<size_t>(i)]; }

  FakeKernel kernel_;
  FakeKernel::Participant self_;
  std::array<FakeProcess*, kProcesses> processes_ = {};
};

}  // namespace

absl::StatusOr<std::unique_ptr<World>> FakeWorldFactory::Make() {
  return std::make_unique<FakeWorld>();
}

}  // namespace net::differential
