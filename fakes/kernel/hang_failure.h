#ifndef FAKES_KERNEL_HANG_FAILURE_H_
#define FAKES_KERNEL_HANG_FAILURE_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace net::fake {

// Prints a report on stderr, with one write(2).
void PrintHang(absl::string_view report);

// Lets the process's hang handler report a failure, or aborts the process if it
// has none (fakes/kernel/hangs.h). `report` has been printed already.
void FailTest(absl::string_view what, absl::string_view report);

// Prints the report, lets the handler report it, too, and aborts the process.
// For a program that cannot go on.
[[noreturn]] void EndProcess(absl::string_view report);

struct ThreadOfProcess {
  pid_t id = 0;      // gettid(2)
  std::string name;  // pthread_setname_np(3); the program's unless it was set.
};
// Returns the threads of the process: task/ in proc(5). Empty if /proc is not
// mounted.
std::vector<ThreadOfProcess> ThreadsOfProcess();

// Returns whether a debugger is attached to the process: TracerPid in proc(5).
bool IsTraced();

}  // namespace net::fake

#endif  // FAKES_KERNEL_HANG_FAILURE_H_
