#include "fakes/trap/trap_control.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/control_message.h"
#include "nlohmann/json.hpp"
#include "syscalls/mutex.h"

namespace net {
namespace {

using Json = nlohmann::json;

// Returns the plans that consist of the rules.
std::vector<FaultRule> ParseRules(const std::vector<std::string>& texts) {
  std::vector<FaultRule> rules;
  for (const std::string& text : texts) {
    // The trap printed them, and printing is without loss.
    const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
    if (!plan.ok()) continue;
    rules.insert(rules.end(), plan->rules.begin(), plan->rules.end());
  }
  return rules;
}

}  // namespace

struct TrapControl::Report {
  std::vector<FaultRule> unmatched;
  std::map<std::string, int> counts;
  std::vector<std::string> trace;
  std::vector<int> open;
  int stray_closes = 0;
  int phantoms = 0;
  std::string failure;
};

absl::Status TrapControl::status() const {
  const MutexLock lock(mutex_);
  return status_;
}

void TrapControl::ClearStatus() {
  const MutexLock lock(mutex_);
  if (absl::IsInvalidArgument(status_)) status_ = absl::OkStatus();
}

void TrapControl::Arm(const FaultPlan& plan) {
  {
    const MutexLock lock(mutex_);
    plan_ = plan;
  }
  const Json answer =
      Json::parse(Ask(Json{{"arm", plan.ToString()}}.dump()), nullptr,
                  /*allow_exceptions=*/false);
  if (!answer.is_object()) return;
  if (answer.contains("error")) {
    Fail(absl::InvalidArgumentError(answer["error"].get<std::string>()));
    return;
  }
  const MutexLock lock(mutex_);
  unseen_faults_ = answer.value("unseen_faults", 0);
}

std::vector<FaultRule> TrapControl::Unmatched() const {
  std::vector<FaultRule> unmatched = GetReport().unmatched;
  const MutexLock lock(mutex_);
  return status_.ok() ? unmatched : plan_.rules;
}

int TrapControl::Count(absl::string_view calls) const {
  const std::optional<SyscallSet> selected = SelectSyscalls(calls);
  if (!selected.has_value()) return -1;
  int sum = 0;
  for (const auto& [name, count] : GetReport().counts) {
    const std::optional<SyscallId> id = SyscallIdFromName(name);
    if (id.has_value() && selected->contains(*id)) sum += count;
  }
  return sum;
}

std::vector<std::string> TrapControl::Trace() const {
  return GetReport().trace;
}

std::vector<int> TrapControl::OpenDescriptors() const {
  return GetReport().open;
}

int TrapControl::StrayCloses() const { return GetReport().stray_closes; }

int TrapControl::PhantomInterruptions() const { return GetReport().phantoms; }

int TrapControl::UnseenFaults() const {
  const MutexLock lock(mutex_);
  return unseen_faults_;
}

std::string TrapControl::failure() const { return GetReport().failure; }

TrapControl::Report TrapControl::GetReport() const {
  const Json json = Json::parse(Ask(R"({"report": true})"), nullptr,
                                /*allow_exceptions=*/false);
  Report report;
  if (!json.is_object() || json.contains("error")) return report;
  report.unmatched =
      ParseRules(json["unmatched"].get<std::vector<std::string>>());
  report.counts = json["counts"].get<std::map<std::string, int>>();
  report.trace = json["trace"].get<std::vector<std::string>>();
  report.open = json["open"].get<std::vector<int>>();
  report.stray_closes = json["stray_closes"].get<int>();
  report.phantoms = json["phantom_eintr"].get<int>();
  report.failure = json["failure"].get<std::string>();
  return report;
}

std::string TrapControl::Ask(const std::string& request) const {
  const MutexLock lock(mutex_);
  if (!status_.ok()) return "";
  status_ = trap::SendMessage(channel_.get(), request);
  if (!status_.ok()) return "";
  const auto answer = trap::ReceiveMessage(channel_.get());
  if (!answer.ok()) status_ = answer.status();
  if (answer.ok() && !answer->has_value()) {
    status_ = absl::UnavailableError("the trap has ended");
  }
  return status_.ok() ? **answer : "";
}

void TrapControl::Fail(absl::Status status) const {
  const MutexLock lock(mutex_);
  if (status_.ok()) status_ = std::move(status);
}

}  // namespace net
