#include "fakes/trap/trap_state.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/plan_state.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/job.h"
#include "fakes/trap/process.h"
#include "fakes/trap/socket_table.h"
#include "fakes/trap/trapped_call.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net::trap {
namespace {

// The most elements of a poll set that are looked at.
constexpr uint64_t kMostPolled = 65536;

// Returns the descriptors that poll(2) or ppoll(2) waits for.
std::vector<int> PollSetOf(const TrappedCall& call) {
  const uint64_t count = std::min(call.arguments[1], kMostPolled);
  std::vector<pollfd> set(count);
  std::vector<int> fds;
  if (!ReadMemory(call.thread, call.arguments[0], set.data(),
                  count * sizeof(pollfd))) {
    return fds;
  }
  for (const pollfd& one : set) fds.push_back(one.fd);
  return fds;
}

// Returns the descriptors that select(2) or pselect6(2) waits for.
std::vector<int> SelectSetOf(const TrappedCall& call) {
  const int count = std::clamp(call.Int(0), 0, FD_SETSIZE);
  // The kernel reads whole words.
  constexpr size_t kBits = 8 * sizeof(uint64_t);
  const size_t size =
      (static_cast<size_t>(count) + kBits - 1) / kBits * sizeof(uint64_t);
  std::vector<int> fds;
  for (size_t i = 1; i <= 3; ++i) {
    fd_set set;
    FD_ZERO(&set);
    if (call.arguments[i] == 0 ||
        !ReadMemory(call.thread, call.arguments[i], &set, size)) {
      continue;
    }
    for (int fd = 0; fd < count; ++fd) {
      if (FD_ISSET(fd, &set)) fds.push_back(fd);
    }
  }
  return fds;
}

// Returns the arguments as class Syscalls has them.
std::array<uint64_t, 6> ArgumentsForRecord(const TrappedCall& call) {
  std::array<uint64_t, 6> arguments = call.arguments;
  // pselect6(2) has the mask and its size in a struct.
  const uint64_t mask = arguments[5];
  if (call.call == SyscallId::kPSelect6 && mask != 0) {
    ReadMemory(call.thread, mask, &arguments[5], sizeof(mask));
  }
  return arguments;
}

// Returns the descriptors that were added to an epoll: the lines "tfd:" of
// /proc/pid/fdinfo/fd (proc(5)).
std::vector<int> EpollSetOf(const Process& process, int epoll) {
  std::ifstream file(absl::StrCat("/proc/", process.pid(), "/fdinfo/", epoll));
  std::vector<int> fds;
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, "tfd:")) continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(rest, ' ', absl::SkipEmpty());
    int fd = -1;
    if (!words.empty() && absl::SimpleAtoi(words[0], &fd)) fds.push_back(fd);
  }
  return fds;
}

// Returns the address that the call has as an argument.
std::optional<ip::Endpoint> AddressArgument(const TrappedCall& call) {
  const absl::Span<const ArgumentKind> kinds = KindsOf(call.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] != ArgumentKind::kAddressIn) continue;
    ip::SockAddr address;
    const auto size = std::min<socklen_t>(
        static_cast<socklen_t>(call.arguments[i + 1]), address.size());
    if (!ReadMemory(call.thread, call.arguments[i], address.get(), size)) {
      return std::nullopt;
    }
    return ip::EndpointFromSockaddr(address.get(), size);
  }
  return std::nullopt;
}

// Returns whether the plan, and not the kernel, made the result.
bool IsInjected(const Job& job) {
  return job.decision.has_value() &&
         job.decision->action.kind != ActionKind::kDelay;
}

SysResult AsSysResult(std::optional<int64_t> result) {
  if (!result.has_value()) return SysResult();
  return *result < 0 ? SysResult::Error(static_cast<int>(-*result))
                     : SysResult::Ok(*result);
}

}  // namespace

void TrapState::Arm(const FaultPlan& plan) {
  const MutexLock lock(mutex_);
  for (const auto& process : processes_.All()) {
    for (const int fd : process->Descriptors()) {
      const OwnedFd duplicate(process->Duplicate(fd));
      if (duplicate.ok()) sockets_.Find(duplicate.get());
    }
  }
  sockets_.Reset();
  if (plan_.Unmatched().size() < unmatched_when_read_) ++unseen_faults_;
  plan_.Arm(plan);
  unmatched_when_read_ = plan.rules.size();
  needs_order_ = std::any_of(plan.rules.begin(), plan.rules.end(),
                             [](const FaultRule& rule) {
                               return rule.selector.nth_socket.has_value();
                             });
  needs_facts_ = plan_.needs_addresses() ||
                 std::any_of(plan.rules.begin(), plan.rules.end(),
                             [](const FaultRule& rule) {
                               return rule.selector.role != SocketRole::kAny;
                             });
  trace_.clear();
  stray_closes_ = 0;
  phantoms_ = 0;
  failure_.clear();
}

void TrapState::AddProcess(pid_t pid) {
  const MutexLock lock(mutex_);
  processes_.Of(pid);
}

std::vector<FaultRule> TrapState::Unmatched() const {
  const MutexLock lock(mutex_);
  std::vector<FaultRule> unmatched = plan_.Unmatched();
  unmatched_when_read_ = unmatched.size();
  return unmatched;
}

int TrapState::UnseenFaults() const {
  const MutexLock lock(mutex_);
  return unseen_faults_;
}

int TrapState::Count(absl::string_view calls) const {
  const MutexLock lock(mutex_);
  return plan_.Count(calls);
}

int TrapState::Count(SyscallId call) const {
  const MutexLock lock(mutex_);
  return plan_.Count(call);
}

std::vector<TracedCall> TrapState::Trace() const {
  const MutexLock lock(mutex_);
  return trace_;
}

std::vector<int> TrapState::OpenDescriptors() const {
  const MutexLock lock(mutex_);
  std::vector<int> open;
  for (const auto& process : processes_.All()) {
    for (const int fd : process->Descriptors()) {
      const OwnedFd duplicate(process->Duplicate(fd));
      if (!duplicate.ok()) continue;
      const SocketFacts* const facts = sockets_.Find(duplicate.get());
      if (facts != nullptr && facts->nth > 0) open.push_back(fd);
    }
  }
  std::sort(open.begin(), open.end());
  return open;
}

int TrapState::StrayCloses() const {
  const MutexLock lock(mutex_);
  return stray_closes_;
}

int TrapState::PhantomInterruptions() const {
  const MutexLock lock(mutex_);
  return phantoms_;
}

std::string TrapState::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

bool TrapState::needs_order() const {
  const MutexLock lock(mutex_);
  return needs_order_;
}

pid_t TrapState::ProcessOf(pid_t thread) {
  const MutexLock lock(mutex_);
  const auto process = processes_.Of(thread);
  return process == nullptr ? -1 : process->pid();
}

bool TrapState::Begin(Job& job) {
  const MutexLock lock(mutex_);
  const TrappedCall& call = job.call;
  job.process = processes_.Of(call.thread);
  if (job.process == nullptr) return false;
  FindSockets(job);
  if (!Counts(job)) return false;
  const auto found = interrupted_.find(call.thread);
  const bool is_restart =
      found != interrupted_.end() && IsSameCall(found->second.call, call);
  if (is_restart) {
    job.decision = found->second.decision;
    interrupted_.erase(found);
  } else {
    Decide(job);
  }
  if (!keep_trace_) return true;
  job.record = BeginRecord(call.call, ArgumentsForRecord(call),
                           [&](uint64_t address, void* to, size_t size) {
                             return ReadMemory(call.thread, address, to, size);
                           });
  job.record->thread = NumberOfThread(call.thread);
  return true;
}

void TrapState::FindSockets(Job& job) {
  const TrappedCall& call = job.call;
  if (FamilyOf(call.call) == "poll") {
    AddPolledTo(job);
    return;
  }
  const absl::Span<const ArgumentKind> kinds = KindsOf(call.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] != ArgumentKind::kFd) continue;
    AddTo(job, call.Int(i));
    // The second one of dup3(2) is closed.
    if (call.call == SyscallId::kDup3) break;
  }
}

void TrapState::AddPolledTo(Job& job) {
  std::vector<int> fds;
  switch (job.call.call) {
    case SyscallId::kPoll:
    case SyscallId::kPPoll:
      fds = PollSetOf(job.call);
      break;
    case SyscallId::kSelect:
    case SyscallId::kPSelect6:
      fds = SelectSetOf(job.call);
      break;
    default:
      fds = EpollSetOf(*job.process, job.call.Int(0));
      break;
  }
  for (const int fd : fds) AddTo(job, fd);
}

void TrapState::AddTo(Job& job, int fd) {
  if (fd < 0) return;
  int duplicate = job.process->Duplicate(fd);
  if (duplicate == -ESRCH) {
    // The number of a thread that has ended was given to another process.
    processes_.Forget(job.call.thread);
    job.process = processes_.Of(job.call.thread);
    if (job.process == nullptr) return;
    duplicate = job.process->Duplicate(fd);
  }
  if (job.call.call == SyscallId::kClose && duplicate == -EBADF) {
    ++stray_closes_;
  }
  OwnedFd owned(duplicate);
  if (!owned.ok()) return;
  SocketFacts* const facts = sockets_.Find(owned.get());
  if (facts == nullptr) return;
  if (needs_facts_) {
    SocketTable::Refresh(owned.get(), *facts, plan_.needs_addresses());
  }
  if (job.call.call == SyscallId::kClose) {
    last_closed_[job.process->pid()] = fd;
  }
  job.sockets.push_back({std::move(owned), facts});
}

bool TrapState::Counts(const Job& job) {
  // The filter lets through only the socket(2) that makes a TCP socket.
  return job.call.call == SyscallId::kSocket || UsesNoSocket(job.call.call) ||
         !job.sockets.empty();
}

void TrapState::Decide(Job& job) {
  const TrappedCall& call = job.call;
  if (!plan_.has_rules()) {
    plan_.CountOnly(call.call);
    return;
  }
  std::vector<const SocketFacts*> sockets;
  for (const JobSocket& socket : job.sockets) sockets.push_back(socket.facts);
  CallFacts facts = {
      .call = call.call, .sockets = sockets, .address = AddressArgument(call)};
  if (call.call == SyscallId::kSetSockOpt ||
      call.call == SyscallId::kGetSockOpt) {
    facts.option_level = call.Int(1);
    facts.option_name = call.Int(2);
  } else if (call.call == SyscallId::kFcntl) {
    facts.option_level = kFcntlLevel;
    facts.option_name = call.Int(1);
  }
  job.decision = plan_.Decide(facts);
}

int TrapState::NumberOfThread(pid_t thread) {
  const auto next = static_cast<int>(threads_.size()) + 1;
  return threads_.try_emplace(thread, next).first->second;
}

void TrapState::Read(Job& job, std::optional<int64_t> result) {
  if (!job.record.has_value()) return;
  FinishRecord(*job.record, ArgumentsForRecord(job.call), AsSysResult(result),
               [&](uint64_t address, void* to, size_t size) {
                 return ReadMemory(job.call.thread, address, to, size);
               });
}

void TrapState::Write(Job& job, std::optional<int64_t> result) {
  if (!job.record.has_value()) return;
  job.record->result = AsSysResult(result);
  const TrappedCall& call = job.call;
  TracedCall line = {.call = call.call,
                     .thread = call.thread,
                     .injected = IsInjected(job),
                     .text = ToString(*job.record)};
  if (KindsOf(call.call)[0] == ArgumentKind::kFd) line.fd = call.Int(0);
  if (!result.has_value()) {
    line.text.replace(line.text.rfind(" = "), std::string::npos, " = ?");
  }
  if (line.injected) line.text += " (INJECTED)";
  const MutexLock lock(mutex_);
  if (sink_ != nullptr) sink_(line.text);
  trace_.push_back(std::move(line));
}

void TrapState::Interrupt(Job& job) {
  const MutexLock lock(mutex_);
  if (std::exchange(job.was_interrupted, true)) return;
  interrupted_.insert_or_assign(
      job.call.thread, Interrupted{.call = job.call, .decision = job.decision});
}

void TrapState::TakeBack(Job& job) {
  const MutexLock lock(mutex_);
  plan_.Retract(*job.decision);
  job.decision.reset();
}

void TrapState::CountPhantom() {
  const MutexLock lock(mutex_);
  ++phantoms_;
  if (sink_ != nullptr) {
    sink_(
        "# A signal ended a trapped call before it was received: unless the "
        "kernel restarts it, it fails with EINTR and was not made.");
  }
}

int TrapState::LastClosed(const Process& process) const {
  const MutexLock lock(mutex_);
  const auto found = last_closed_.find(process.pid());
  return found == last_closed_.end() ? -1 : found->second;
}

void TrapState::AddSocket(int fd) {
  const MutexLock lock(mutex_);
  sockets_.Find(fd);
}

void TrapState::Fail(absl::string_view why) {
  const MutexLock lock(mutex_);
  if (failure_.empty()) failure_ = std::string(why);
}

}  // namespace net::trap
