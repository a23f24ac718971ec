#ifndef CONFORMANCE_PROGRAM_TRIAL_TEST_H_
#define CONFORMANCE_PROGRAM_TRIAL_TEST_H_

#include "absl/functional/function_ref.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// The main() of a GoogleTest program that runs the cases of one column, each on
// each axis as a test: `bazel test` with its filters, shards, repetitions and
// reports. The case `listen.backlog.default` on v4 is the test
// `listen.backlog_default/v4`. What was expected of a trial passes; what was
// not supported, or cannot be run here, is skipped.
//
// Last come two tests about the run: `expectations.are_needed`, that each line
// of the expectations is of some case, and `claims.are_true`, that the
// implementation did not do what it claims not to support. Where only a part of
// the trials is run, by a filter or as a shard, they go by that part.
//
// Prints the failures, each with the command that runs it again, and the
// reasons of skipped trials, with counts; with --verbose all that GoogleTest
// prints, and whole messages.
//
// Besides GoogleTest's, there are the flags --cases=GLOB,...,
// --expectations=FILE, --timeout=DURATION and --verbose of the program
// //conformance.
// `column` is called when all flags are set. Returns the exit status.
int RunAsTests(int argc, char** argv, absl::FunctionRef<Column()> column);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_TRIAL_TEST_H_
