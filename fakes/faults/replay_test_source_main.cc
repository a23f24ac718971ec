// Writes a GoogleTest that replays the kernel's side of a trace:
//
//   bazel run //fakes:trap -- --record=server.trace -- python3 server.py
//   bazel run //fakes:replay_test_source -- --trace=server.trace
//       --suite=Server --test=EchoesOnce > server_replay_test.cc
//
// The test depends on //fakes/faults:make_calls, //fakes/faults:replayer,
// //fakes/faults:trace and GoogleTest. Its exit status is 0, or 2 after a
// mistake on the command line or in the trace.

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "fakes/faults/replay_test_source.h"
#include "fakes/faults/trace.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(std::string, trace, "",
          "The file of the trace, as the Recorder or the trap writes it.");
ABSL_FLAG(std::string, suite, "Replay", "The name of the test suite.");
ABSL_FLAG(std::string, test, "Trace", "The name of the test.");
ABSL_FLAG(int, first, 1, "The first line of the trace to replay.");
ABSL_FLAG(int, last, 1'000'000'000, "The last line of the trace to replay.");

namespace net {
namespace {

absl::StatusOr<std::string> Source(absl::Span<char* const> arguments) {
  const absl::Status parsed = ParseFlags(arguments);
  if (!parsed.ok()) return parsed;
  const std::string path = absl::GetFlag(FLAGS_trace);
  std::ifstream file(FromCallersFolder(path));
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("--trace=", path, ": cannot be read, or is empty"));
  }
  const absl::StatusOr<Trace> trace = ParseTrace(text.str());
  if (!trace.ok()) return trace.status();
  return ReplayTestSource(*trace, {.suite = absl::GetFlag(FLAGS_suite),
                                   .test = absl::GetFlag(FLAGS_test),
                                   .source = path,
                                   .first = absl::GetFlag(FLAGS_first),
                                   .last = absl::GetFlag(FLAGS_last)});
}

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  const absl::StatusOr<std::string> source =
      net::Source(absl::MakeSpan(argv + 1, static_cast<size_t>(argc) - 1));
  if (!source.ok()) {
    std::cerr << "replay_test_source: " << source.status().message() << "\n";
    return 2;
  }
  std::cout << *source;
  return 0;
}
