#include "conformance/explain/recording.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/explain/script.h"
#include "conformance/suite/case.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/environment_decorator.h"
#include "conformance/suite/fault_carrier.h"
#include "conformance/suite/implementation.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/served_call.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// The log of a trial: lines of a file in memory, which all trials of a run
// share. A trial's process writes them, and however it ends, they are there.
// Thread-safe.
class Log {
 public:
  // `fd` must outlive it, and appends. `trial` begins each line.
  Log(int fd, size_t trial) : fd_(fd), prefix_(absl::StrCat(trial, " ")) {}

  void Write(absl::string_view line) {
    const std::string text = absl::StrCat(prefix_, line);
    Checked(write(fd_, text.data(), text.size()), "write");
  }
  int NextCall() { return ++calls_; }

  // Writes the only character of long data, -1 if it has several: if that is
  // not the one of the data before.
  void WriteFill(int fill) {
    if (fill_.exchange(fill) == fill) return;
    Write(OperationLine(absl::StrCat("fill ", fill)));
  }

 private:
  const int fd_;
  const std::string prefix_;
  std::atomic<int> fill_ = -2;
  std::atomic<int> calls_ = 0;
};

// Removes data from the record if it is long: a program does not show it.
// Returns the only character of what was removed, -1 if it had several, or
// nullopt if nothing was removed.
std::optional<int> RemoveLongData(CallRecord& record) {
  std::string removed;
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(record.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    const bool is_data =
        kinds[i] == ArgumentKind::kDataIn || kinds[i] == ArgumentKind::kDataOut;
    if (is_data && record.arguments[i].size > kLongestLiteral) {
      removed = std::string(record.Target(i));
      record.arguments[i] = {.state = ArgumentState::kUnknown};
      record.bytes.clear();  // Calls with data have no other target.
    }
  }
  for (RecordedMessage& message : record.messages) {
    if (message.data.size() > kLongestLiteral) {
      removed = std::move(message.data);
      message.data.clear();
      message.data_state = ArgumentState::kUnknown;
    }
  }
  if (removed.empty()) return std::nullopt;
  const char first = removed.front();
  const bool is_uniform = removed.find_first_not_of(first) == std::string::npos;
  return is_uniform ? static_cast<unsigned char>(first) : -1;
}

// Returns whether this process has memory at an address.
bool IsReadable(uint64_t address) {
  char byte = 0;
  iovec to = {.iov_base = &byte, .iov_len = 1};
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  iovec from = {.iov_base = reinterpret_cast<void*>(address), .iov_len = 1};
  return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

// Writes each call to the log.
class LoggedSyscalls final : public InterceptingSyscalls {
 public:
  LoggedSyscalls(Syscalls& target, Log& log, bool is_of_subject)
      : InterceptingSyscalls(target),
        log_(log),
        is_of_subject_(is_of_subject) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    const int number = log_.NextCall();
    const std::array<uint64_t, 6> registers = RegistersOf(invocation);
    CallRecord record =
        BeginRecord(IdOf(invocation.call()), registers, ReadOwnMemory);
    const std::array<RecordedArgument, 6> before = record.arguments;
    log_.Write(BeginLine(number, ThreadNumber(), is_of_subject_));
    const SysResult result = make();
    FinishRecord(record, registers, result, ReadOwnMemory);
    if (const auto fill = RemoveLongData(record)) log_.WriteFill(*fill);
    if (result.error() == EFAULT) {
      WritePointers(number, record.call, before, registers);
    }
    log_.Write(EndLine(number, record));
    return result;
  }

 private:
  // Writes what is not in the record of a call that has failed with EFAULT.
  void WritePointers(int number, SyscallId call,
                     absl::Span<const RecordedArgument> before,
                     absl::Span<const uint64_t> registers) {
    const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(call);
    for (size_t i = 0; i < kinds.size(); ++i) {
      const ArgumentState state = before[i].state;
      if (state != ArgumentState::kUnknown && state != ArgumentState::kTarget) {
        continue;
      }
      if (!IsReadable(registers[i])) {
        log_.Write(UnreadableLine(number, i));
      } else if (kinds[i] == ArgumentKind::kLengthInOut) {
        log_.Write(LengthLine(number, i, before[i].number));
      }
    }
  }

  Log& log_;
  const bool is_of_subject_;
};

// Writes each plan to the log.
class LoggedFaults final : public Faults {
 public:
  LoggedFaults(std::shared_ptr<Faults> faults, Log& log)
      : faults_(std::move(faults)), log_(log) {}

  void Arm(const FaultPlan& plan) override {
    const std::string text = plan.ToString();
    if (!text.empty()) log_.Write(OperationLine(absl::StrCat("plan ", text)));
    faults_->Arm(plan);
  }
  std::vector<FaultRule> Unmatched() const override {
    return faults_->Unmatched();
  }
  int Count(absl::string_view calls) const override {
    return faults_->Count(calls);
  }
  std::vector<std::string> Trace() const override { return faults_->Trace(); }
  std::vector<int> OpenDescriptors() const override {
    return faults_->OpenDescriptors();
  }
  int StrayCloses() const override { return faults_->StrayCloses(); }

 private:
  const std::shared_ptr<Faults> faults_;
  Log& log_;
};

// Writes to the log each signal, and when the task was seen to be blocked.
class LoggedTask final : public Task {
 public:
  LoggedTask(std::unique_ptr<Task> task,
             std::shared_ptr<const std::atomic<int>> thread, Log& log)
      : task_(std::move(task)), thread_(std::move(thread)), log_(log) {}

  void Join() override { task_->Join(); }
  bool AwaitBlocked() override {
    const bool is_blocked = task_->AwaitBlocked();
    if (is_blocked) log_.Write(BlockedLine(thread_->load()));
    return is_blocked;
  }
  void Interrupt() override {
    log_.Write(InterruptLine(thread_->load()));
    task_->Interrupt();
  }

 private:
  const std::unique_ptr<Task> task_;
  const std::shared_ptr<const std::atomic<int>> thread_;
  Log& log_;
};

// Writes each change of the environment to the log.
class LoggedEnvironment final : public EnvironmentDecorator {
 public:
  LoggedEnvironment(std::unique_ptr<Environment> environment, Need needs,
                    int log, size_t trial)
      : EnvironmentDecorator(std::move(environment)),
        log_(log, trial),
        of_case_(EnvironmentDecorator::syscalls(), log_, false),
        of_subject_(EnvironmentDecorator::syscalls(), log_, true) {
    if (!Includes(needs, Need::kFaults)) return;
    carrier_ = MakeFaultCarrier(of_subject_);
    faults_ = std::make_unique<LoggedFaults>(carrier_.faults, log_);
  }

  Syscalls& syscalls() override { return of_case_; }

  // The kernel of the implementation.
  Syscalls& kernel() {
    if (carrier_.syscalls != nullptr) return *carrier_.syscalls;
    return of_subject_;
  }

  std::unique_ptr<Task> Start(std::function<void()> body) override {
    const auto thread = std::make_shared<std::atomic<int>>();
    return std::make_unique<LoggedTask>(
        EnvironmentDecorator::Start([thread, body = std::move(body)] {
          thread->store(ThreadNumber());
          body();
        }),
        thread, log_);
  }
  std::vector<Descriptor> DescriptorsAfterExec() override {
    std::vector<Descriptor> open = EnvironmentDecorator::DescriptorsAfterExec();
    std::string line = "exec";
    for (const Descriptor& one : open) absl::StrAppend(&line, " ", one.id.fd);
    log_.Write(OperationLine(line));
    return open;
  }
  std::unique_ptr<ChildProcess> Fork(
      std::function<void(Syscalls&)> body) override {
    log_.Write(OperationLine("fork"));
    return EnvironmentDecorator::Fork(std::move(body));
  }
  void LimitDescriptors(std::optional<int> free) override {
    log_.Write(OperationLine(free.has_value() ? absl::StrCat("limit ", *free)
                                              : "unlimit"));
    EnvironmentDecorator::LimitDescriptors(free);
  }
  void DropPrivilegedPorts() override {
    log_.Write(OperationLine("drop_privileged_ports"));
    EnvironmentDecorator::DropPrivilegedPorts();
  }
  void AsOtherUser(absl::FunctionRef<void()> body) override {
    log_.Write(OperationLine("other_user"));
    EnvironmentDecorator::AsOtherUser(body);
  }
  void SetSysctl(absl::string_view name, absl::string_view value) override {
    log_.Write(OperationLine(absl::StrCat("sysctl ", name, " ", value)));
    EnvironmentDecorator::SetSysctl(name, value);
  }
  void SetLoopbackUp(bool up) override {
    log_.Write(OperationLine(up ? "loopback up" : "loopback down"));
    EnvironmentDecorator::SetLoopbackUp(up);
  }
  void AddFailingRoute(const ip::Addr& addr, int error) override {
    log_.Write(OperationLine("route"));
    EnvironmentDecorator::AddFailingRoute(addr, error);
  }
  Faults* faults() override { return faults_.get(); }

 private:
  Log log_;
  LoggedSyscalls of_case_;
  LoggedSyscalls of_subject_;
  FaultCarrier carrier_;
  std::unique_ptr<Faults> faults_;  // Null if the case needs none.
};

// Returns the target of a trial with a log.
Target LoggedTarget(const Trial& trial, size_t number, int log) {
  Target logged = *trial.target;
  const Need needs = trial.test_case->needs;
  // The engine makes the environment before the implementation.
  const auto kernel = std::make_shared<Syscalls*>();
  logged.make_environment = [make = trial.target->make_environment, kernel,
                             needs, number,
                             log](std::function<void()> abandon) {
    auto environment = std::make_unique<LoggedEnvironment>(
        make(std::move(abandon)), needs, log, number);
    *kernel = &environment->kernel();
    return environment;
  };
  logged.make_implementation = [make = trial.target->make_implementation,
                                kernel](Syscalls&) { return make(**kernel); };
  return logged;
}

std::string ReadAll(int fd) {
  std::string text(
      static_cast<size_t>(Checked(lseek(fd, 0, SEEK_END), "lseek")), '\0');
  size_t size = 0;
  while (size < text.size()) {
    size += static_cast<size_t>(
        Checked(pread(fd, text.data() + size, text.size() - size,
                      static_cast<off_t>(size)),
                "pread"));
  }
  return text;
}

int NewLog() {
  const int log = CheckedFd(memfd_create("script", MFD_CLOEXEC), "memfd");
  Checked(fcntl(log, F_SETFL, O_APPEND), "fcntl");
  return log;
}

}  // namespace

std::vector<absl::StatusOr<std::string>> RecordTrials(
    absl::Span<const Trial> trials, int jobs) {
  const int log = NewLog();
  const absl::Cleanup close_log = [log] { close(log); };
  std::list<Target> targets;
  std::vector<Trial> logged(trials.begin(), trials.end());
  std::map<const Target*, size_t> numbers;
  for (size_t i = 0; i < logged.size(); ++i) {
    targets.push_back(LoggedTarget(trials[i], i, log));
    logged[i].target = &targets.back();
    numbers[&targets.back()] = i;
  }
  std::vector<absl::StatusOr<std::string>> logs(
      trials.size(), absl::InternalError("the trial has no record"));
  RunTrials(logged, {.jobs = jobs}, [&](const Record& record) {
    const Verdict& verdict = record.verdict;
    // Some cases expect other calls where faults are injected from outside,
    // which LoggedEnvironment::faults() looks like.
    const bool is_allowed =
        verdict.outcome == Outcome::kPass ||
        verdict.outcome == Outcome::kVariation ||
        (verdict.outcome == Outcome::kFail &&
         Includes(record.trial.test_case->needs, Need::kFaults));
    absl::StatusOr<std::string>& its = logs[numbers.at(record.trial.target)];
    if (is_allowed) {
      its = "";
    } else {
      its = absl::FailedPreconditionError(
          absl::StrCat(OutcomeName(verdict.outcome), ": ", verdict.message));
    }
  });
  const std::string all = ReadAll(log);
  for (const absl::string_view line :
       absl::StrSplit(all, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    size_t trial = 0;
    if (!absl::SimpleAtoi(parts.first, &trial)) continue;
    if (logs[trial].ok()) absl::StrAppend(&*logs[trial], parts.second, "\n");
  }
  return logs;
}

}  // namespace net::conformance
