#include "fakes/fake_kernel.h"

#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/hang_failure.h"
#include "fakes/kernel/invariants.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/kernel_observer.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/tcp/host.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/net/ip_addr.h"

namespace net {

FakeKernel::FakeKernel(const FakeKernelOptions& options)
    : kernel_(std::make_unique<fake::Kernel>(
          options.sysctls, fake::SchedulerOptions{.seed = options.seed,
                                                  .schedule = options.schedule,
                                                  .hangs = options.hangs})) {
  if constexpr (fake::kChecksInvariants) {
    kernel_->observer = std::make_unique<fake::Invariants>(*kernel_);
  }
  for (const ip::Addr& addr : options.addresses) {
    kernel_->first_host().machine.AddAddress(addr);
  }
}

FakeKernel::~FakeKernel() {
  if constexpr (fake::kChecksInvariants) {
    const fake::KernelLock lock(*kernel_);
    kernel_->observer->OnEnd();
  }
  for (const auto& process : processes_) process->Exit();
}

FakeProcess& FakeKernel::NewProcess(const FakeProcessOptions& options) {
  fake::Host& host =
      options.host != nullptr ? options.host->host_ : kernel_->first_host();
  std::unique_ptr<FakeProcess> process;
  {
    const fake::KernelLock lock(*kernel_);
    process.reset(new FakeProcess(*this, *kernel_, host, options));
  }
  return Adopt(std::move(process));
}

FakeProcess& FakeKernel::Adopt(std::unique_ptr<FakeProcess> process) {
  const fake::KernelLock lock(*kernel_);
  processes_.push_back(std::move(process));
  return *processes_.back();
}

bool FakeKernel::SetSysctl(absl::string_view name, absl::string_view text) {
  const fake::KernelLock lock(*kernel_);
  return kernel_->first_host().machine.sysctls().Set(name, text);
}

void FakeKernel::AddAddress(const ip::Addr& addr) {
  const fake::KernelLock lock(*kernel_);
  kernel_->first_host().machine.AddAddress(addr);
}

void FakeKernel::SetLoopbackUp(bool up) {
  const fake::KernelLock lock(*kernel_);
  kernel_->first_host().machine.set_loopback_up(up);
}

void FakeKernel::SetQuickAckOnLoopback() {
  const fake::KernelLock lock(*kernel_);
  kernel_->first_host().machine.set_quick_ack_on_loopback(true);
}

void FakeKernel::AddFailingRoute(const ip::Addr& addr, int error) {
  const fake::KernelLock lock(*kernel_);
  kernel_->first_host().machine.AddFailingRoute(addr, error);
}

// --- Hosts and links ---------------------------------------------------------

FakeHost& FakeKernel::AddHost(const FakeHostOptions& options) {
  const fake::KernelLock lock(*kernel_);
  fake::Host& host = kernel_->hosts.emplace_back(
      options.name, options.sysctls, kernel_->seed + kernel_->hosts.size());
  for (const ip::Addr& addr : options.addresses) {
    host.machine.AddAddress(addr);
  }
  hosts_.push_back(std::unique_ptr<FakeHost>(new FakeHost(*kernel_, host)));
  return *hosts_.back();
}

absl::Status FakeKernel::SetLink(const LinkEnds& ends,
                                 const LinkOptions& options) {
  if (options.delay < absl::ZeroDuration() ||
      options.jitter < absl::ZeroDuration() ||
      options.delay == absl::InfiniteDuration() ||
      options.jitter == absl::InfiniteDuration() || options.bandwidth < 0 ||
      !(options.loss >= 0 && options.loss <= 1)) {
    std::ostringstream text;
    text << "SetLink(" << ends << "): out of range: " << options;
    return absl::InvalidArgumentError(text.str());
  }
  const fake::KernelLock lock(*kernel_);
  kernel_->network.links().Set(ends, options);
  return absl::OkStatus();
}

void FakeKernel::Cut(const LinkEnds& ends) {
  const fake::KernelLock lock(*kernel_);
  kernel_->network.links().SetCut(ends, true);
}

void FakeKernel::Restore(const LinkEnds& ends) {
  const fake::KernelLock lock(*kernel_);
  kernel_->network.links().SetCut(ends, false);
}

const std::string& FakeHost::name() const { return host_.name; }

void FakeHost::PowerOff() {
  const fake::KernelLock lock(kernel_);
  host_.on = false;
}

void FakeHost::PowerOn() {
  const fake::KernelLock lock(kernel_);
  if (host_.on) return;
  kernel_.ForgetConnections(host_);
  host_.on = true;
}

bool FakeHost::SetSysctl(absl::string_view name, absl::string_view text) {
  const fake::KernelLock lock(kernel_);
  return host_.machine.sysctls().Set(name, text);
}

void FakeHost::AddAddress(const ip::Addr& addr) {
  const fake::KernelLock lock(kernel_);
  host_.machine.AddAddress(addr);
}

absl::Duration FakeKernel::Now() const {
  const fake::KernelLock lock(*kernel_);
  return absl::Nanoseconds(kernel_->clock.now());
}

std::vector<absl::Duration> FakeKernel::Timers() const {
  const fake::KernelLock lock(*kernel_);
  std::vector<absl::Duration> times;
  for (const fake::Nanoseconds when : kernel_->clock.Timers()) {
    times.push_back(absl::Nanoseconds(when));
  }
  return times;
}

void FakeKernel::Advance(absl::Duration duration) {
  const fake::KernelLock lock(*kernel_);
  kernel_->clock.Advance(absl::ToInt64Nanoseconds(duration));
  kernel_->scheduler.Settle();
}

std::string FakeKernel::Dump() const {
  const fake::KernelLock lock(*kernel_);
  return kernel_->Dump();
}

std::optional<std::string> FakeKernel::Deadlock() const {
  const fake::KernelLock lock(*kernel_);
  return kernel_->scheduler.deadlock();
}

void FakeKernel::ExpectDeadlock() {
  const fake::KernelLock lock(*kernel_);
  kernel_->scheduler.ExpectDeadlock();
}

void FakeKernel::StrictOptions() {
  const fake::KernelLock lock(*kernel_);
  kernel_->strict_options.Enable();
}

void FakeKernel::SetStallLimit(absl::Duration real_time) {
  const fake::KernelLock lock(*kernel_);
  kernel_->scheduler.SetStallLimit(real_time);
}

std::string FakeKernel::Schedule() const {
  const fake::KernelLock lock(*kernel_);
  return kernel_->scheduler.schedule().ToString();
}

std::string FakeKernel::NotReplayable() const {
  const fake::KernelLock lock(*kernel_);
  return kernel_->scheduler.not_replayable();
}

void FakeKernel::Outside(absl::FunctionRef<void()> body) {
  kernel_->scheduler.RunOutside(body);
}

int FakeKernel::CurrentParticipant() const {
  const fake::ParticipantState* const current = kernel_->scheduler.Current();
  return current == nullptr ? -1 : current->number;
}

std::vector<std::string> FakeKernel::ParticipantNames() const {
  const fake::KernelLock lock(*kernel_);
  return kernel_->scheduler.ParticipantNames();
}

FakeKernel::Participant::Participant(FakeKernel& kernel, absl::string_view name)
    : kernel_(kernel), state_([&] {
        const fake::KernelLock lock(*kernel.kernel_);
        fake::Scheduler& scheduler = kernel.kernel_->scheduler;
        fake::ParticipantState* const state = scheduler.Join(name);
        scheduler.Begin(*state);
        return state;
      }()) {}

FakeKernel::Participant::~Participant() {
  const fake::KernelLock lock(*kernel_.kernel_);
  kernel_.kernel_->scheduler.Leave(*state_);
}

bool FakeKernel::Participant::Interrupt(bool restart) {
  const fake::KernelLock lock(*kernel_.kernel_);
  return kernel_.kernel_->scheduler.Interrupt(*state_, restart);
}

FakeKernel::Thread::Thread(FakeKernel& kernel, absl::string_view name,
                           std::function<void()> body)
    : kernel_(kernel), state_([&] {
        const fake::KernelLock lock(*kernel.kernel_);
        return kernel.kernel_->scheduler.Join(name);
      }()) {
  // A hook of pthread_create(3) would make it a participant once more.
  const fake::UnhookedSection unhooked;
  thread_ = std::thread([this, body = std::move(body)] {
    fake::Kernel& all = *kernel_.kernel_;
    {
      const fake::KernelLock lock(all);
      all.scheduler.Begin(*state_);
    }
    body();
    const fake::KernelLock lock(all);
    all.scheduler.Leave(*state_);
  });
}

FakeKernel::Thread::~Thread() { Join(); }

void FakeKernel::Thread::Join() {
  if (!thread_.joinable()) return;
  {
    fake::Kernel& all = *kernel_.kernel_;
    const fake::KernelLock lock(all);
    const fake::CallSite site = {.process = "", .call = "join"};
    fake::Wait wait(all.scheduler, site);
    wait.Add(state_->end);
    // A caller that does not take part must not block in a Wait: it would stop
    // the clock, which `body` may need.
    while (!state_->ended && all.scheduler.Current() != nullptr) {
      // After a deadlock all blocked calls fail, so `body` returns, too. It
      // needs the baton for that.
      if (wait.Block() == fake::Woken::kDeadlock) {
        all.scheduler.AwaitBlocked(*state_);
      }
    }
  }
  thread_.join();
  std::optional<std::string> failure;
  {
    const fake::KernelLock lock(*kernel_.kernel_);
    failure = kernel_.kernel_->scheduler.FailureOf(*state_);
  }
  if (failure.has_value()) {
    fake::FailTest(absl::StrCat("Thread::Join() of ", state_->name,
                                ": it would have waited for ever"),
                   *failure);
  }
}

bool FakeKernel::Thread::AwaitBlocked() {
  const fake::KernelLock lock(*kernel_.kernel_);
  return kernel_.kernel_->scheduler.AwaitBlocked(*state_);
}

bool FakeKernel::Thread::Interrupt(bool restart) {
  const fake::KernelLock lock(*kernel_.kernel_);
  return kernel_.kernel_->scheduler.Interrupt(*state_, restart);
}

}  // namespace net
