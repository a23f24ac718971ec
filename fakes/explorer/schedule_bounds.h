#ifndef FAKES_EXPLORER_SCHEDULE_BOUNDS_H_
#define FAKES_EXPLORER_SCHEDULE_BOUNDS_H_

#include <cstdint>

namespace net {

// The bounds of the schedules that are explored. See ExploreSchedules().
struct ScheduleBounds {
  // The exhaustive search runs all schedules with at most this number of
  // preemptions: hand-overs at the entry of a call whose caller could have gone
  // on. A hand-over because a participant blocks or ends does not count. Most
  // races need one or two preemptions.
  int max_preemptions = 2;
  // The exhaustive search gives up after this number of schedules, and a random
  // search follows. 0: only the random search.
  int64_t max_schedules = 20'000;
  // The random search (PCT) runs `pct_schedules` schedules. In a run of n
  // participants with k choices, each schedule finds a race that depends on the
  // order of `pct_depth` events with a probability of at least 1 / (n *
  // k^(pct_depth - 1)).
  int pct_depth = 3;
  int64_t pct_schedules = 2'000;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_BOUNDS_H_
