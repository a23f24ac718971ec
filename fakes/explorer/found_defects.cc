#include "fakes/explorer/found_defects.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/verdict.h"
#include "fakes/faults/fault_plan.h"

namespace net {
namespace {

// An outcome that is worse hides others at the same site.
int Rank(FaultOutcome outcome) { return static_cast<int>(outcome); }

// Returns whether the kind is about the result of a scenario, or about its end.
bool IsAboutOutcome(FindingKind kind) {
  switch (kind) {
    case FindingKind::kHang:
    case FindingKind::kEndless:
    case FindingKind::kRetryStorm:
    case FindingKind::kSwallowed:
    case FindingKind::kMasked:
    case FindingKind::kNotRetried:
    case FindingKind::kWrongErrno:
    case FindingKind::kShortCount:
    case FindingKind::kFailsOtherwise:
      return true;
    default:
      return false;
  }
}

// Returns whether the kind shows that a scenario goes on after an error.
bool Ignores(FindingKind kind) {
  return kind == FindingKind::kHang || kind == FindingKind::kEndless ||
         kind == FindingKind::kRetryStorm || kind == FindingKind::kSwallowed ||
         kind == FindingKind::kFailsOtherwise;
}

// Returns whether the faults that show `less` are part of those that show
// `more`.
bool IsSameCause(const FoundDefect& less, const FoundDefect& more) {
  if (!std::includes(more.sites.begin(), more.sites.end(), less.sites.begin(),
                     less.sites.end())) {
    return false;
  }
  if (less.defect.kind == more.defect.kind && less.object == more.object) {
    return true;
  }
  if (less.sites.empty() || !IsAboutOutcome(less.defect.kind) ||
      !IsAboutOutcome(more.defect.kind)) {
    return false;
  }
  // A scenario that handles one fault wrongly returns the wrong thing with
  // another fault, too. And an errno that it ignores is swallowed with one
  // effect and can make it hang with another.
  return less.plan.rules.size() < more.plan.rules.size() ||
         (less.sites == more.sites && Ignores(less.defect.kind) &&
          Ignores(more.defect.kind));
}

}  // namespace

void FoundDefects::Add(FoundDefect found) {
  const auto is_cause = [&](const FoundDefect& other) {
    return IsSameCause(other, found);
  };
  const auto cause = std::find_if(found_.begin(), found_.end(), is_cause);
  if (cause == found_.end()) {
    found_.push_back(std::move(found));
    return;
  }
  cause->plans += found.plans;
  cause->in_shard |= found.in_shard;
  // The worse form of it is reported: a hang rather than a swallowed errno.
  if (found.defect.kind < cause->defect.kind && found.sites == cause->sites) {
    found.plans = cause->plans;
    found.in_shard = cause->in_shard;
    std::swap(*cause, found);
  }
  if (cause->plan.rules.size() != found.plan.rules.size()) return;
  for (const int error : found.errnos) {
    if (std::count(cause->errnos.begin(), cause->errnos.end(), error) == 0) {
      cause->errnos.push_back(error);
    }
  }
}

void FoundDefects::RecordSites(const ExploredRun& run, const FaultPlan& plan,
                               const Verdict& verdict) {
  size_t rules_seen = 0;  // A bit for each: only its first hit counts.
  for (const FaultHit& hit : run.hits) {
    const FaultAction& action = plan.rules[hit.rule].action;
    const size_t bit = size_t{1} << hit.rule;
    if (action.kind != ActionKind::kError || (rules_seen & bit) != 0) continue;
    rules_seen |= bit;
    const FaultOutcome outcome = verdict.outcomes[hit.rule];
    const bool is_later = outcome == FaultOutcome::kAfterError;
    // With several faults, only the clean-up shows new sites.
    if (plan.rules.size() > 1 && !is_later) continue;
    const MonitoredCall& call = run.calls[static_cast<size_t>(hit.call)];
    AddSite({.call = call.call,
             .occurrence = is_later ? 0 : call.occurrence,
             .error = action.error,
             .outcome = outcome});
  }
}

void FoundDefects::Record(const ExploredRun& run, const FaultPlan& plan,
                          bool in_shard) {
  const Verdict verdict = Judge(run, plan, declarations_);
  if (in_shard) RecordSites(run, plan, verdict);
  if (verdict.defects.empty()) return;
  FoundDefect found;
  found.plan = plan;
  found.plans = 1;
  found.in_shard = in_shard;
  const std::vector<ScenarioSite> sites = SitesOf(plain_, run);
  for (const int call : FirstHits(run)) {
    found.sites.push_back(sites[static_cast<size_t>(call)]);
  }
  std::sort(found.sites.begin(), found.sites.end());
  found.sites.erase(std::unique(found.sites.begin(), found.sites.end()),
                    found.sites.end());
  if (plan.rules.size() == 1 &&
      plan.rules.front().action.kind == ActionKind::kError) {
    found.errnos.push_back(plan.rules.front().action.error);
  }
  for (const Defect& defect : verdict.defects) {
    found.defect = defect;
    found.object = ObjectSite(defect, sites);
    Add(found);
  }
}

void FoundDefects::AddSite(const ExploreSite& site) {
  const auto [place, is_new] = sites_.try_emplace(
      SiteKey(site.call, site.occurrence, site.error), site.outcome);
  if (!is_new && Rank(site.outcome) > Rank(place->second)) {
    place->second = site.outcome;
  }
}

void FoundDefects::AddBroken(const FaultPlan& plan, absl::string_view text) {
  FoundDefect found;
  found.defect = {FindingKind::kBroken, -1, std::string(text)};
  found.plan = plan;
  found.plans = 1;
  Add(std::move(found));
}

void FoundDefects::CheckInCharge(const ExploredRun& run,
                                 const FaultPlan& plan) {
  for (const FaultRule& rule : run.unmatched) {
    // fd0 cannot be done if the scenario has the descriptor 0 already.
    if (rule.action.kind == ActionKind::kDescriptorZero) continue;
    AddBroken(plan,
              absl::StrCat("the rule applies to no call, so the scenario is "
                           "not deterministic: ",
                           rule.ToString()));
  }
}

std::vector<ExploreSite> FoundDefects::Sites() const {
  std::vector<ExploreSite> sites;
  for (const auto& [key, outcome] : sites_) {
    const auto& [call, occurrence, error] = key;
    sites.push_back({call, occurrence, error, outcome});
  }
  return sites;
}

}  // namespace net
