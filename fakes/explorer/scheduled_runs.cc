#include "fakes/explorer/scheduled_runs.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/verdict.h"
#include "fakes/schedule/schedule.h"
#include "syscalls/errors/errno_symbol.h"

namespace net {
namespace {

// FNV-1a (Fowler, Noll, Vo), a word at a time.
class Digest {
 public:
  void Add(uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3u; }
  void AddText(const std::string& text) { Add(std::hash<std::string>()(text)); }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325u;
};

std::string ResultText(const MonitoredCall& call) {
  // The run was ended before the call returned.
  if (call.end == 0) return "?";
  return call.result.ok()
             ? absl::StrCat(call.result.value())
             : absl::StrCat("-1 ", ErrnoSymbol(call.result.error()));
}

}  // namespace

ExploredRun RunUnder(SchedulePolicy& policy, const Scenario& scenario,
                     const RunOptions& options) {
  RunOptions with_policy = options;
  with_policy.runs_again = false;
  with_policy.kernel.schedule.policy = &policy;
  with_policy.kernel.schedule.replay.clear();
  return RunOnFakeKernel(scenario, {}, with_policy);
}

std::vector<Defect> DefectsOf(const ExploredRun& run,
                              const std::vector<Declaration>& declarations) {
  std::vector<Defect> defects = Judge(run, {}, declarations).defects;
  if (!run.not_replayable.empty()) {
    defects.push_back({FindingKind::kNotRepeatable, -1, run.not_replayable});
  }
  return defects;
}

void MakeRaces(std::vector<Defect>& defects) {
  for (Defect& defect : defects) {
    if (defect.kind == FindingKind::kBroken) defect.kind = FindingKind::kRace;
  }
}

std::string KeyOf(const Defect& defect) {
  std::string key = absl::StrCat(static_cast<int>(defect.kind), " ");
  for (const char c : defect.text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '#') {
      continue;
    }
    key += c;
  }
  return key;
}

uint64_t DigestOf(const ExploredRun& run) {
  Digest digest;
  for (const MonitoredCall& call : run.calls) {
    digest.Add(call.digest);
    digest.Add(static_cast<uint64_t>(call.participant));
    digest.Add(static_cast<uint64_t>(call.end));
    digest.Add(static_cast<uint64_t>(call.result.ok() ? call.result.value()
                                                      : -call.result.error()));
  }
  digest.AddText(run.status.ToString());
  digest.AddText(run.deadlock.value_or(""));
  return digest.value();
}

std::string Interleaving(const ExploredRun& run) {
  std::vector<const MonitoredCall*> calls;
  for (const MonitoredCall& call : run.calls) calls.push_back(&call);
  std::stable_sort(calls.begin(), calls.end(),
                   [](const MonitoredCall* a, const MonitoredCall* b) {
                     // Those that have not returned come last.
                     return (a->end == 0 ? INT32_MAX : a->end) <
                            (b->end == 0 ? INT32_MAX : b->end);
                   });
  std::string text;
  for (const MonitoredCall* call : calls) {
    const auto number = static_cast<size_t>(call->participant);
    absl::StrAppend(
        &text,
        number < run.participants.size() ? run.participants[number] : "?", ": ",
        CallName(call->call), "(", call->fd < 0 ? "" : absl::StrCat(call->fd),
        ") = ", ResultText(*call), "\n");
  }
  return text;
}

}  // namespace net
