#ifndef FAKES_EXPLORER_SCHEDULE_SHRINK_H_
#define FAKES_EXPLORER_SCHEDULE_SHRINK_H_

#include "absl/functional/function_ref.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"

namespace net {

// Reduces a schedule that shows a defect to one with fewer preemptions: lets
// participants run on where they were preempted, as long as the defect shows.
//
// `shows` runs the program once under the policy and returns whether it shows
// the defect. It is called a few hundred times at most.
ScheduleRecord ShrinkSchedule(
    const ScheduleRecord& record,
    absl::FunctionRef<bool(RecordingSchedule& policy)> shows);

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_SHRINK_H_
