#ifndef FAKES_EXPLORER_RACING_SCENARIOS_H_
#define FAKES_EXPLORER_RACING_SCENARIOS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/fake_kernel.h"
#include "syscalls/syscalls.h"

// Scenarios of two tasks with races, for tests of explorations.

namespace net {

// Makes a call that changes nothing.
void MakeCall(Syscalls& sys);

// Each of two tasks adds 1 to a value, in two steps with calls in between.
absl::Status LoseUpdate(Syscalls& sys, FakeKernel& kernel);

// Leaks a descriptor under some schedules, and fails under others.
absl::Status HasTwoRaces(Syscalls& sys, FakeKernel& kernel);

// One task closes the socket if listen(2) fails, which the other one must not
// see before it reads the port. Calls `on_race` if it does.
absl::Status CloseOnError(void (*on_race)(), Syscalls& sys, FakeKernel& kernel);

// Returns the findings as text, to compare them.
std::vector<std::string> TextsOf(const ScheduleResult& result);

}  // namespace net

#endif  // FAKES_EXPLORER_RACING_SCENARIOS_H_
