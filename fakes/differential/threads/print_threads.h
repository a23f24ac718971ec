#ifndef FAKES_DIFFERENTIAL_THREADS_PRINT_THREADS_H_
#define FAKES_DIFFERENTIAL_THREADS_PRINT_THREADS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "fakes/differential/threads/thread_differ.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {

// Returns a program as C++ text: a function that makes the calls of the setup
// and then runs the threads as tasks (fakes/run_tasks.h) of the FakeKernel
// `kernel`, whose process `sys` is. The results of `expected` are comments
// after the calls.
std::string PrintThreadedProgram(absl::string_view name,
                                 const ThreadedProgram& program,
                                 const ThreadedAnswer& expected);

// Returns the same, preceded by a comment. The comment has the oracle's answer,
// the candidate's answer that differs least from it, and the schedule of that.
// A FakeKernel with ScheduleOptions::replay of this schedule gives that answer
// again.
std::string PrintThreadedDifference(absl::string_view name,
                                    const ThreadedDifference& difference);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_PRINT_THREADS_H_
