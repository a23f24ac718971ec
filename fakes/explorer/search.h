#ifndef FAKES_EXPLORER_SEARCH_H_
#define FAKES_EXPLORER_SEARCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/explorer/found_defects.h"
#include "fakes/explorer/placed_fault.h"
#include "fakes/explorer/scenario.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// The text of the plan that is being run, for another process.
struct CurrentPlan {
  char text[512] = "";
};

// Runs a scenario under all plans of a size. One object explores once.
class Search {
 public:
  Search(const ExploreOptions& options, const Scenario& scenario)
      : options_(options),
        scenario_(scenario),
        run_options_(RunOptionsOf(options)),
        choices_(options.declarations),
        defects_(options.declarations) {}

  // Writes the plan of each run to `current` before the run begins, unless
  // `current` is null. Plans whose text is in `crashed` are not run, and count
  // as defects.
  void WatchCrashes(CurrentPlan* current, std::set<std::string> crashed) {
    current_plan_ = current;
    crashed_ = std::move(crashed);
  }

  void Explore();

  bool complete() const { return complete_; }
  // Returns whether each write of the checkpoint has succeeded.
  bool saves() const { return saves_; }
  const ExploreCounts& counts() const { return counts_; }
  const FoundDefects& defects() const { return defects_; }
  std::vector<Call> Calls() const { return {calls_.begin(), calls_.end()}; }

 private:
  static constexpr int kMaxFaults = 3;

  // The run of a plan that others extend.
  struct Node {
    PlacedFaults faults;
    std::vector<MonitoredCall> calls;
    std::vector<bool> failed;  // The calls that a fault made fail.
    size_t next = 0;           // The first call that a further fault can hit.
    uint64_t digest = 0;       // Of the calls after the fault, and the outcome.
    bool recovered = false;
    // sizes[r]: the plans that extend this one by at most r faults, this one
    // included.
    std::array<int64_t, kMaxFaults + 1> sizes = {};
  };

  // Returns whether the plan is known to crash the scenario, and records that.
  bool IsCrash(const FaultPlan& plan, const PlacedFault& last, bool in_shard);
  // Runs a plan unless it crashes the scenario.
  Node RunNode(const Node& parent, const PlacedFault& fault, bool in_shard);
  // Returns a node for each fault that can be added to `parent`, in order. With
  // `only_next`, adds faults only to the first call after the last fault.
  std::vector<Node> RunChildren(const Node& parent, bool only_next,
                                bool is_first_level);
  int64_t CountChildren(const Node& node) const;
  // Explores the nodes below `siblings`, which are the children of one node, by
  // up to `depth` further faults, and sets their sizes.
  void Extend(std::vector<Node>& siblings, int depth, bool is_first_level);
  void ExtendRecovered(std::vector<Node>& siblings, size_t index, int depth);
  void ExtendOne(Node& node, int depth);
  // Returns whether this run explores the next unit of work: the unit belongs
  // to this shard, and no earlier run has done it.
  bool TakesUnit();

  void LoadCheckpoint();
  void SaveCheckpoint();

  const ExploreOptions& options_;
  const Scenario& scenario_;
  const RunOptions run_options_;
  const FaultChoices choices_;
  CurrentPlan* current_plan_ = nullptr;
  std::set<std::string> crashed_;

  int64_t units_ = 0;       // Seen so far.
  int64_t units_done_ = 0;  // In an earlier run.
  uint64_t fingerprint_ = 0;
  bool complete_ = true;
  bool saves_ = true;  // Whether the checkpoint can be written.
  ExploreCounts counts_;
  ExploreCounts counts_of_singles_;  // They are run again in any case.
  FoundDefects defects_;
  std::set<Call> calls_;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SEARCH_H_
