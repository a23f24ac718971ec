#ifndef FAKES_TRAP_RUN_TRAPPED_H_
#define FAKES_TRAP_RUN_TRAPPED_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// The result of RunTrapped().
struct TrapReport {
  int wait_status = 0;
  std::string report;                // What the body returned.
  std::vector<FaultRule> unmatched;  // Rules that applied to no call.
  std::vector<std::string> trace;
  // TCP sockets that the body made and left open.
  std::vector<int> open_descriptors;
  int stray_closes = 0;
  int phantom_interruptions = 0;
};

// Runs `body` in a forked child of this process, with a fault plan, and returns
// what happened. For tests of a C++ library that does not know class Syscalls:
//
//   const auto report = RunTrapped(*ParseFaultPlan("listen=EADDRINUSE"), [] {
//     Server server;
//     return server.Start().ToString();
//   });
//   EXPECT_EQ(report->report, "cannot listen");
//   EXPECT_THAT(report->unmatched, IsEmpty());
//   EXPECT_THAT(report->open_descriptors, IsEmpty());
//
// `body` runs in another process, so its GoogleTest assertions are lost: return
// the values to check instead. close(2) is trapped. Call this while the process
// has one thread.
absl::StatusOr<TrapReport> RunTrapped(const FaultPlan& plan,
                                      absl::FunctionRef<std::string()> body);

}  // namespace net

#endif  // FAKES_TRAP_RUN_TRAPPED_H_
