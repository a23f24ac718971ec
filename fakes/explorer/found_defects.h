#ifndef FAKES_EXPLORER_FOUND_DEFECTS_H_
#define FAKES_EXPLORER_FOUND_DEFECTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/verdict.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// A defect that plans have shown, before it is reduced.
struct FoundDefect {
  Defect defect;
  // The site of defect.object; nullopt if there is none. Two defects with the
  // same kind and object can be the same defect.
  std::optional<ScenarioSite> object;
  FaultPlan plan;                   // The first one that showed it.
  std::vector<ScenarioSite> sites;  // Where the faults of `plan` are; sorted.
  std::vector<int> errnos;          // Of single faults.
  int64_t plans = 0;
  bool in_shard = true;  // Whether this shard reports it.
};

// The defects that an exploration has found. Defects with one cause are one
// defect.
class FoundDefects {
 public:
  explicit FoundDefects(const std::vector<Declaration>& declarations)
      : declarations_(declarations) {}

  // Sets the calls of the run without faults. Call it before the other methods.
  void set_plain(std::vector<MonitoredCall> plain) {
    plain_ = std::move(plain);
  }
  const std::vector<MonitoredCall>& plain() const { return plain_; }

  // Judges a run. `in_shard`: whether this shard reports it.
  void Record(const ExploredRun& run, const FaultPlan& plan, bool in_shard);
  // Records a rule of the plan that applied to no call as a defect. Otherwise
  // an exploration whose faults reach no call would find nothing.
  void CheckInCharge(const ExploredRun& run, const FaultPlan& plan);

  void Add(FoundDefect found);
  void AddBroken(const FaultPlan& plan, absl::string_view text);
  void AddSite(const ExploreSite& site);

  const std::vector<FoundDefect>& found() const { return found_; }
  std::vector<ExploreSite> Sites() const;

 private:
  using SiteKey = std::tuple<Call, int, int>;  // Call, occurrence, errno.

  void RecordSites(const ExploredRun& run, const FaultPlan& plan,
                   const Verdict& verdict);

  const std::vector<Declaration>& declarations_;
  std::vector<MonitoredCall> plain_;
  std::vector<FoundDefect> found_;
  std::map<SiteKey, FaultOutcome> sites_;
};

}  // namespace net

#endif  // FAKES_EXPLORER_FOUND_DEFECTS_H_
