#ifndef FAKES_EXPLORER_SCHEDULE_BOUNDS_H_
#define FAKES_EXPLORER_SCHEDULE_BOUNDS_H_

#include <cstdint>

namespace net {

// Which schedules are explored. See ExploreSchedules().
struct ScheduleBounds {
  // The exhaustive search runs all schedules with at most so many preemptions:
  // hand-overs at the entry of a call whose caller could have gone on.
  // Hand-overs because a participant blocks or ends are not counted. Most
  // races need one or two preemptions.
  int max_preemptions = 2;
  // The exhaustive search gives up after so many schedules, and a random search
  // follows. 0: only the random search.
  int64_t max_schedules = 20'000;
  // The random search (PCT) runs so many schedules. It finds a race that
  // depends on the order of `pct_depth` events, in a run of n participants with
  // k choices, with a probability of at least 1 / (n * k^(pct_depth - 1)) in
  // each schedule.
  int pct_depth = 3;
  int64_t pct_schedules = 2'000;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_BOUNDS_H_
