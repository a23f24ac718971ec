#ifndef FAKES_FAULTS_REPLAY_TEST_SOURCE_H_
#define FAKES_FAULTS_REPLAY_TEST_SOURCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/trace.h"

namespace net {

struct ReplayTestOptions {
  std::string suite = "Replay";
  std::string test = "Trace";
  // The source of the trace, for the comment: "server.trace".
  std::string source;
  // The calls from the line `first` to the line `last` of the trace's text.
  int first = 1;
  int last = 1'000'000'000;
};

// The longest test, in lines.
inline constexpr int kMostReplayTestLines = 60;

// Returns the C++ source of a GoogleTest in which a Replayer plays the kernel's
// side of a trace. MakeCalls() plays the program's side, until the reader
// replaces it by the code under test.
//
// Fails with INVALID_ARGUMENT if the trace has no calls between the lines, or
// more than fit, or if a name is not a C++ identifier.
absl::StatusOr<std::string> ReplayTestSource(const Trace& trace,
                                             const ReplayTestOptions& options);

}  // namespace net

#endif  // FAKES_FAULTS_REPLAY_TEST_SOURCE_H_
