#include "fakes/faults/replay_test_source.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/trace.h"

namespace net {
namespace {

constexpr absl::string_view kTemplate =
    R"cc(// Replays the kernel's side of $SOURCE: what a program saw.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/faults/make_calls.h"
#include "fakes/faults/replayer.h"
#include "fakes/faults/trace.h"
#include "gtest/gtest.h"

         namespace {

         constexpr char kTrace[] = R"trace($TRACE)trace";

         TEST($SUITE, $TEST) {
           const absl::StatusOr<net::Trace> trace = net::ParseTrace(kTrace);
           ASSERT_TRUE(trace.ok()) << trace.status();
           net::Replayer kernel(*trace);
           // The program's calls. Put the code under test in their place.
           const absl::Status made = net::MakeCalls(*trace, kernel);
           EXPECT_TRUE(made.ok()) << made;
           EXPECT_TRUE(kernel.Finish().ok()) << kernel.Finish();
         }

         }  // namespace
    )cc";

bool IsIdentifier(absl::string_view name) {
  return !name.empty() &&
         !absl::ascii_isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '_';
         });
}

}  // namespace

absl::StatusOr<std::string> ReplayTestSource(const Trace& trace,
                                             const ReplayTestOptions& options) {
  for (const std::string& name : {options.suite, options.test}) {
    if (IsIdentifier(name)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is not the name of a test"));
  }
  Trace played;
  for (const Trace::Line& line : trace.lines) {
    if (line.number < options.first || line.number > options.last) continue;
    played.lines.push_back(line);
  }
  if (played.lines.empty()) {
    return absl::InvalidArgumentError("no calls between the lines");
  }
  std::string source =
      absl::StrReplaceAll(kTemplate, {{"$SOURCE", options.source},
                                      {"$TRACE", played.ToString()},
                                      {"$SUITE", options.suite},
                                      {"$TEST", options.test}});
  const auto lines = std::count(source.begin(), source.end(), '\n');
  const auto calls = static_cast<ptrdiff_t>(played.lines.size());
  if (lines > kMostReplayTestLines) {
    return absl::InvalidArgumentError(absl::StrCat(
        calls, " calls are too many for a test of ", kMostReplayTestLines,
        " lines, which has room for ", calls - (lines - kMostReplayTestLines),
        "; choose some by their lines"));
  }
  return source;
}

}  // namespace net
