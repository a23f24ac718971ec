#ifndef FAKES_EXPLORER_SCHEDULE_CANARY_H_
#define FAKES_EXPLORER_SCHEDULE_CANARY_H_

#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/schedule_bounds.h"

namespace net {

// Searches a scenario with a planted race, on a FakeKernel with these options,
// and returns true if the search finds the race. Otherwise the explorer is not
// in charge of the schedules: it would find nothing and report success.
//
// The race can be found within the bounds: an update that is lost by one
// preemption, or, if they allow none, an order of two tasks.
bool FindsPlantedRace(const ScheduleBounds& bounds, const RunOptions& options);

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_CANARY_H_
