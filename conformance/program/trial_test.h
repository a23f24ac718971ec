#ifndef CONFORMANCE_PROGRAM_TRIAL_TEST_H_
#define CONFORMANCE_PROGRAM_TRIAL_TEST_H_

#include "absl/functional/function_ref.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// The main() of a GoogleTest program that runs the cases of one target, a test
// for each case and address family. So `bazel test` can filter, shard, repeat
// and report them. The test of the case `listen.backlog.default` on IPv4 is
// `listen.backlog_default/v4`. A test passes if its trial ended as expected. It
// is skipped if the outcome is `unsupported` or `precondition`.
//
// Two more tests come last. They consider the trials that were run. A filter or
// a shard may have left out others:
//
// - `expectations.are_needed`: each line of the expectations matches a case.
// - `claims.are_true`: the implementation did not do what it claims not to
//   support.
//
// Prints each failure with the command that repeats it, and the reasons of
// skipped trials with counts. --verbose prints everything that GoogleTest
// prints, with whole messages.
//
// Has GoogleTest's flags and, as the program //conformance, --cases=GLOB,...,
// --expectations=FILE, --timeout=DURATION and --verbose.
//
// Calls `target` when all flags are set. Returns the exit status.
int RunAsTests(int argc, char** argv, absl::FunctionRef<Target()> target);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_TRIAL_TEST_H_
