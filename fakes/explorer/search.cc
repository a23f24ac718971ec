#include "fakes/explorer/search.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/checkpoint.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/found_defects.h"
#include "fakes/explorer/placed_fault.h"
#include "fakes/explorer/verdict.h"
#include "fakes/faults/fault_plan.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

uint64_t Mix(uint64_t digest, uint64_t number) {
  digest = (digest ^ number) * 0x100000001b3u;
  return digest ^ (digest >> 29u);
}

uint64_t DigestOf(const std::vector<MonitoredCall>& calls, size_t from) {
  uint64_t digest = 0xcbf29ce484222325u;
  for (size_t i = from; i < calls.size(); ++i) {
    const SysResult result = calls[i].result;
    digest = Mix(digest, calls[i].digest);
    digest = Mix(digest, static_cast<uint64_t>(result.ok() ? result.value()
                                                           : -result.error()));
  }
  return digest;
}

bool AreAlike(const MonitoredCall& a, const MonitoredCall& b) {
  return a.call == b.call && a.digest == b.digest && a.result == b.result;
}

// Returns whether `calls`, without the `hits` calls from `index` on, which
// failed, are `before`.
bool HasRecovered(const std::vector<MonitoredCall>& before,
                  const std::vector<MonitoredCall>& calls, size_t index,
                  size_t hits) {
  if (calls.size() != before.size() + hits) return false;
  return std::equal(calls.begin() + static_cast<ptrdiff_t>(index + hits),
                    calls.end(), before.begin() + static_cast<ptrdiff_t>(index),
                    before.end(), AreAlike);
}

// Returns a number that tells explorations apart.
uint64_t FingerprintOf(const ExploreOptions& options, uint64_t calls) {
  uint64_t digest = Mix(calls, static_cast<uint64_t>(options.max_faults));
  digest = Mix(digest, static_cast<uint64_t>(options.prune));
  digest = Mix(digest, static_cast<uint64_t>(options.shard.index));
  digest = Mix(digest, static_cast<uint64_t>(options.shard.total));
  for (const Declaration& declaration : options.declarations) {
    for (const char c : declaration.ToString()) {
      digest = Mix(digest, static_cast<unsigned char>(c));
    }
  }
  return digest;
}

// Returns whether nothing sensible can be added to the run.
bool IsDeadEnd(const ExploredRun& run) {
  return run.deadlock.has_value() ||
         std::any_of(run.violations.begin(), run.violations.end(),
                     [](const Violation& violation) {
                       return violation.kind == FindingKind::kEndless;
                     });
}

// The runs of siblings that can stand for each other.
using ClassKey = std::tuple<int, Effect, int, uint64_t>;

}  // namespace

bool Search::IsCrash(const FaultPlan& plan, const PlacedFault& last,
                     bool in_shard) {
  if (current_plan_ == nullptr && crashed_.empty()) return false;
  const std::string text = plan.ToString();
  if (current_plan_ != nullptr) {
    absl::SNPrintF(current_plan_->text, sizeof(current_plan_->text), "%s",
                   text);
  }
  if (!crashed_.contains(text)) return false;
  FoundDefect found;
  found.defect = {FindingKind::kCrash, -1, "the process crashes"};
  found.object = ScenarioSite{last.call, last.position};
  found.plan = plan;
  found.sites = {ScenarioSite{last.call, last.position}};
  found.plans = 1;
  found.in_shard = in_shard;
  if (plan.rules.size() == 1) {
    found.errnos.push_back(last.choice->action.error);
  }
  defects_.Add(std::move(found));
  return true;
}

Search::Node Search::RunNode(const Node& parent, const PlacedFault& fault,
                             bool in_shard) {
  Node node;
  node.faults = parent.faults;
  node.faults.push_back(fault);
  node.sizes[0] = 1;
  const FaultPlan plan = PlanOf(node.faults);
  if (in_shard) {
    ++counts_.plans;
    ++counts_.runs;
  }
  if (IsCrash(plan, fault, in_shard)) return node;

  ExploredRun run = RunOnFakeKernel(scenario_, plan, run_options_);
  defects_.Record(run, plan, in_shard);
  defects_.CheckInCharge(run, plan);
  const auto first_hit =
      std::find_if(run.hits.begin(), run.hits.end(),
                   [](const FaultHit& hit) { return hit.rule == 0; });
  if (first_hit == run.hits.end() || IsDeadEnd(run)) return node;

  node.failed.assign(run.calls.size(), false);
  size_t hits = 0;
  for (const FaultHit& hit : run.hits) {
    if (hit.rule == 0) ++hits;
    node.failed[static_cast<size_t>(hit.call)] =
        plan.rules[hit.rule].action.kind == ActionKind::kError;
  }
  const auto index = static_cast<size_t>(first_hit->call);
  const bool is_error = fault.choice->action.kind == ActionKind::kError;
  node.recovered = is_error && fault.choice->action.effect == Effect::kBefore &&
                   HasRecovered(parent.calls, run.calls, index, hits);
  node.next = index + 1;
  node.digest = Mix(DigestOf(run.calls, node.next),
                    static_cast<uint64_t>(run.status.ok()));
  node.calls = std::move(run.calls);
  for (const MonitoredCall& call : node.calls) calls_.insert(call.call);
  return node;
}

std::vector<Search::Node> Search::RunChildren(const Node& parent,
                                              bool only_next,
                                              bool is_first_level) {
  std::vector<Node> children;
  int number = 0;
  for (size_t i = parent.next; i < parent.calls.size(); ++i) {
    const MonitoredCall& call = parent.calls[i];
    if (call.position == 0 || parent.failed[i]) continue;
    for (const FaultChoice& choice : choices_.Of(call.call)) {
      if (!MakesDifference(choice, call)) continue;
      const bool in_shard =
          !is_first_level ||
          number++ % options_.shard.total == options_.shard.index;
      children.push_back(
          RunNode(parent, {call.position, call.call, &choice}, in_shard));
    }
    if (only_next) break;
  }
  return children;
}

int64_t Search::CountChildren(const Node& node) const {
  int64_t count = 0;
  for (size_t i = node.next; i < node.calls.size(); ++i) {
    const MonitoredCall& call = node.calls[i];
    if (call.position == 0 || node.failed[i]) continue;
    for (const FaultChoice& choice : choices_.Of(call.call)) {
      if (MakesDifference(choice, call)) ++count;
    }
  }
  return count;
}

bool Search::TakesUnit() {
  if (counts_.runs >= options_.max_runs) complete_ = false;
  if (!complete_) return false;
  const int64_t unit = units_++;
  return unit % options_.shard.total == options_.shard.index &&
         unit >= units_done_;
}

void Search::LoadCheckpoint() {
  const std::optional<Checkpoint> checkpoint =
      ReadCheckpoint(options_.checkpoint);
  if (!checkpoint.has_value() || checkpoint->fingerprint != fingerprint_) {
    return;
  }
  units_done_ = checkpoint->units;
  counts_.plans += checkpoint->counts.plans;
  counts_.runs += checkpoint->counts.runs;
  counts_.pruned_recovered += checkpoint->counts.pruned_recovered;
  counts_.pruned_same += checkpoint->counts.pruned_same;
  for (const std::string& text : checkpoint->plans) {
    const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
    if (!plan.ok()) continue;
    defects_.Record(RunOnFakeKernel(scenario_, *plan, run_options_), *plan,
                    true);
  }
  for (const ExploreSite& site : checkpoint->sites) {
    defects_.AddSite(site);
  }
}

void Search::SaveCheckpoint() {
  Checkpoint checkpoint;
  checkpoint.fingerprint = fingerprint_;
  checkpoint.units = units_;
  checkpoint.counts = {.plans = counts_.plans - counts_of_singles_.plans,
                       .runs = counts_.runs - counts_of_singles_.runs,
                       .pruned_recovered = counts_.pruned_recovered,
                       .pruned_same = counts_.pruned_same};
  for (const FoundDefect& found : defects_.found()) {
    if (found.plan.rules.size() > 1) {
      checkpoint.plans.push_back(found.plan.ToString());
    }
  }
  checkpoint.sites = defects_.Sites();
  saves_ &= WriteCheckpoint(checkpoint, options_.checkpoint);
}

void Search::ExtendOne(Node& node, int depth) {
  std::vector<Node> children = RunChildren(node, /*only_next=*/false,
                                           /*is_first_level=*/false);
  Extend(children, depth - 1, /*is_first_level=*/false);
  node.sizes[static_cast<size_t>(depth)] = 1;
  for (const Node& child : children) {
    node.sizes[static_cast<size_t>(depth)] +=
        child.sizes[static_cast<size_t>(depth) - 1];
  }
}

void Search::ExtendRecovered(std::vector<Node>& siblings, size_t index,
                             int depth) {
  Node& node = siblings[index];
  const auto size = static_cast<size_t>(depth);
  std::vector<Node> children = RunChildren(node, /*only_next=*/true,
                                           /*is_first_level=*/false);
  Extend(children, depth - 1, /*is_first_level=*/false);
  node.sizes[size] = 1;
  for (const Node& child : children) {
    node.sizes[size] += child.sizes[size - 1];
  }
  for (const Node& sibling : siblings) {
    if (sibling.faults.back().position <= node.faults.back().position) continue;
    node.sizes[size] += sibling.sizes[size - 1];
    counts_.plans += sibling.sizes[size - 1];
    counts_.pruned_recovered += sibling.sizes[size - 1];
  }
}

void Search::Extend(std::vector<Node>& siblings, int depth,
                    bool is_first_level) {
  if (depth == 0) return;
  for (Node& node : siblings) node.sizes[1] = 1 + CountChildren(node);
  const auto size = static_cast<size_t>(depth);
  std::map<ClassKey, std::vector<size_t>> classes;
  for (size_t i = 0; i < siblings.size(); ++i) {
    const PlacedFault& fault = siblings[i].faults.back();
    const FaultAction& action = fault.choice->action;
    // Only errnos can stand for each other.
    const bool is_error = action.kind == ActionKind::kError;
    const int kind = is_error && options_.prune ? fault.choice->times
                                                : -1 - static_cast<int>(i);
    classes[{fault.position, action.effect, kind, siblings[i].digest}]
        .push_back(i);
  }
  for (const auto& [key, members] : classes) {
    Node& first = siblings[members.front()];
    if (is_first_level && !TakesUnit()) continue;
    if (options_.prune && first.recovered) {
      // The other members have recovered, too: their calls are the same.
      for (const size_t member : members) {
        ExtendRecovered(siblings, member, depth);
      }
    } else {
      ExtendOne(first, depth);
      for (size_t i = 1; i < members.size(); ++i) {
        siblings[members[i]].sizes[size] = first.sizes[size];
        counts_.plans += first.sizes[size] - 1;
        counts_.pruned_same += first.sizes[size] - 1;
      }
    }
    if (is_first_level && !options_.checkpoint.empty()) SaveCheckpoint();
  }
}

void Search::Explore() {
  const bool reports = options_.shard.index == 0;
  if (crashed_.contains("")) {
    defects_.AddBroken({}, "the process crashes without a fault");
    return;
  }
  ExploredRun run = RunOnFakeKernel(scenario_, {}, run_options_);
  if (reports) {
    ++counts_.plans;
    ++counts_.runs;
  }
  defects_.set_plain(run.calls);
  defects_.Record(run, {}, reports);
  const bool is_broken =
      !run.status.ok() || run.deadlock.has_value() || IsDeadEnd(run);
  if (is_broken) return;  // A fault can tell nothing more.
  if (std::none_of(
          run.calls.begin(), run.calls.end(),
          [](const MonitoredCall& call) { return call.position > 0; })) {
    defects_.AddBroken({},
                       "it makes no call on a TCP socket through its Syscalls");
    return;
  }
  Node root;
  root.failed.assign(run.calls.size(), false);
  fingerprint_ = FingerprintOf(options_, DigestOf(run.calls, 0));
  root.calls = std::move(run.calls);
  for (const MonitoredCall& call : root.calls) calls_.insert(call.call);
  if (options_.max_faults < 1) return;
  std::vector<Node> singles = RunChildren(root, /*only_next=*/false,
                                          /*is_first_level=*/true);
  counts_of_singles_ = counts_;
  if (!options_.checkpoint.empty()) LoadCheckpoint();
  Extend(singles, std::min(options_.max_faults, kMaxFaults) - 1,
         /*is_first_level=*/true);
}

}  // namespace net
