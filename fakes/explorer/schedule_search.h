#ifndef FAKES_EXPLORER_SCHEDULE_SEARCH_H_
#define FAKES_EXPLORER_SCHEDULE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/explorer/schedule_bounds.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"

namespace net {

// The limits of a search.
struct ScheduleLimits {
  ScheduleBounds bounds;
  uint64_t pct_seed = 1;
  // Divides both searches among shards.
  int shard_index = 0;
  int shard_total = 1;
};

// The result of a run.
struct ScheduledRun {
  bool goes_on = true;  // Whether the search goes on.
  uint64_t digest = 0;  // Of the program's calls and results.
};

// A schedule that is to be run.
struct ScheduleNode {
  std::vector<Deviation> deviations;
  // The digest of the choices up to the last deviation, in the run of its
  // parent.
  uint64_t digest = 0;
};

// The progress of a search.
struct ScheduleProgress {
  // The schedules to run, by number of preemptions. Empty: the search has not
  // begun.
  std::vector<std::vector<ScheduleNode>> pending;
  std::vector<int64_t> exhaustive;  // Runs, by number of preemptions.
  int64_t runs = 0;                 // The sum of these.
  int64_t next_random = 0;          // The next one of the random search.
  int64_t random = 0;               // Random runs of this shard.
  size_t longest = 0;               // The most choices that a run had.
};

// Searches the schedules of a program. It need not be a program of a
// FakeKernel: the search knows only the choices.
class ScheduleSearch {
 public:
  // Runs the program once under `policy`. `is_repeated`: the run repeats the
  // last one, to check that the program does the same.
  using Run = absl::FunctionRef<ScheduledRun(RecordingSchedule& policy,
                                             bool is_repeated)>;

  // `run` must outlive this. A search continues where `progress` was taken.
  ScheduleSearch(const ScheduleLimits& limits, Run run,
                 ScheduleProgress progress = {})
      : limits_(limits), run_(run), progress_(std::move(progress)) {}

  // Runs each schedule with at most max_preemptions preemptions once, those
  // with fewer preemptions first. No schedule is left out.
  //
  // A schedule is a list of deviations from the plain choices. After a run,
  // each choice after its last deviation gives new schedules, one for each
  // other participant that could be chosen there. This reaches each schedule
  // exactly once, because a schedule has one list of deviations.
  //
  // The first run, the second, the fourth and so on are repeated, to check
  // whether the program does the same again.
  void SearchExhaustively();

  // Runs bounds.pct_schedules random schedules (PctSchedule).
  void SearchRandomly();

  // Returns whether the exhaustive search has run all schedules.
  bool is_exhausted() const { return is_exhausted_; }
  // Returns whether the search was stopped: by `run`, or because the program
  // does not repeat.
  bool is_stopped() const { return is_stopped_; }
  // Returns false if the program, run again with the same choices, has done
  // something else.
  bool repeats() const { return repeats_; }
  const ScheduleProgress& progress() const { return progress_; }
  // Calls `save` after each `runs` runs.
  void SaveEvery(int64_t runs, std::function<void()> save) {
    save_every_ = runs;
    save_ = std::move(save);
  }

 private:
  using Node = ScheduleNode;

  void RunNode(const Node& node, int preemptions);
  void SaveNowAndThen();
  // Returns whether another run of the node does the same.
  bool Repeats(const Node& node, const ScheduleRecord& record,
               const ScheduledRun& run);
  void AddChildren(const Node& node, int preemptions,
                   const ScheduleRecord& record);
  bool IsOfOtherShard(const Node& parent);

  const ScheduleLimits limits_;
  const Run run_;
  ScheduleProgress progress_;
  int64_t units_ = 0;
  int64_t save_every_ = 0;
  int64_t unsaved_ = 0;
  std::function<void()> save_;
  bool is_exhausted_ = false;
  bool is_stopped_ = false;
  bool repeats_ = true;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_SEARCH_H_
