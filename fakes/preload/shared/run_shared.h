#ifndef FAKES_PRELOAD_SHARED_RUN_SHARED_H_
#define FAKES_PRELOAD_SHARED_RUN_SHARED_H_

#include <string>

#include "absl/types/span.h"
#include "fakes/preload/options.h"

namespace net::preload {

// Runs a program in a child, and serves it and its descendants. `command` is
// its argv without the null. Each process of the tree loads the library that
// the environment names (LD_PRELOAD).
//
// When the program ends, the processes that it has left behind are killed: they
// cannot live without their FakeKernel. Then this process ends in the same way,
// by a signal or with the exit status. Returns a message if the program could
// not be started.
std::string RunShared(const Options& options, const std::string& program,
                      absl::Span<char* const> command);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_RUN_SHARED_H_
