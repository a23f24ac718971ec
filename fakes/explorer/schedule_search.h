#ifndef FAKES_EXPLORER_SCHEDULE_SEARCH_H_
#define FAKES_EXPLORER_SCHEDULE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/explorer/schedule_bounds.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"

namespace net {

// What a search covers.
struct ScheduleLimits {
  ScheduleBounds bounds;
  uint64_t pct_seed = 1;
  // Divides both searches among shards.
  int shard_index = 0;
  int shard_total = 1;
};

// What came of a run.
struct ScheduledRun {
  bool goes_on = true;  // Whether the search goes on.
  uint64_t digest = 0;  // Of what the program did.
};

// Searches the schedules of a program. It need not be a program of a
// FakeKernel: the search knows only the choices.
class ScheduleSearch {
 public:
  // Runs the program once under `policy`. `is_repeated`: it runs as the last
  // time, only to see whether it does the same.
  using Run = absl::FunctionRef<ScheduledRun(RecordingSchedule& policy,
                                             bool is_repeated)>;

  // `run` must outlive this.
  ScheduleSearch(const ScheduleLimits& limits, Run run)
      : limits_(limits), run_(run) {}

  // Runs each schedule with at most max_preemptions preemptions once, those
  // with fewer preemptions first. No schedule is left out.
  //
  // A schedule is a list of deviations from the plain choices. After a run,
  // each choice after its last deviation gives new ones: to choose each other
  // participant there. That reaches each schedule once, because a schedule has
  // one list of deviations.
  //
  // The first run, the second, the fourth and so on are repeated, to see
  // whether the program repeats.
  void SearchExhaustively();

  // Runs bounds.pct_schedules random schedules (PctSchedule).
  void SearchRandomly();

  // Whether the exhaustive search has run all schedules.
  bool is_exhausted() const { return is_exhausted_; }
  // Whether `run` has ended the search, or the program does not repeat.
  bool is_stopped() const { return is_stopped_; }
  // False if the program, run again with the same choices, did not do the same.
  bool repeats() const { return repeats_; }
  // The schedules of the exhaustive search by their number of preemptions.
  const std::vector<int64_t>& exhaustive() const { return exhaustive_; }
  int64_t random() const { return random_; }
  // The most choices that a run had.
  size_t longest() const { return longest_; }

 private:
  // A schedule that is to be run.
  struct Node {
    std::vector<Deviation> deviations;
    // Of the choices up to the last deviation, as its parent has met them.
    uint64_t digest = 0;
  };

  void RunNode(const Node& node, int preemptions);
  // Whether another run of the node does the same.
  bool Repeats(const Node& node, const ScheduleRecord& record,
               const ScheduledRun& run);
  void AddChildren(const Node& node, int preemptions,
                   const ScheduleRecord& record);
  bool IsOfOtherShard(const Node& parent);

  const ScheduleLimits limits_;
  const Run run_;
  // By number of preemptions: what is to be run.
  std::vector<std::vector<Node>> pending_;
  std::vector<int64_t> exhaustive_;
  int64_t runs_ = 0;
  int64_t random_ = 0;
  int64_t units_ = 0;
  size_t longest_ = 0;
  bool is_exhausted_ = false;
  bool is_stopped_ = false;
  bool repeats_ = true;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_SEARCH_H_
