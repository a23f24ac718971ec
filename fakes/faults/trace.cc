#include "fakes/faults/trace.h"

#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fakes/faults/call_record.h"

namespace net {

std::string Trace::ToString() const {
  std::string text(kTraceHeader);
  for (const Line& line : lines) {
    absl::StrAppend(&text, net::ToString(line.call), "\n");
  }
  return text;
}

std::ostream& operator<<(std::ostream& os, const Trace& trace) {
  return os << trace.ToString();
}

absl::StatusOr<Trace> ParseTrace(absl::string_view text) {
  Trace trace;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    absl::ConsumeSuffix(&line, "\r");
    if (number == 1) {
      if (line == absl::StripSuffix(kTraceHeader, "\n")) continue;
      return absl::InvalidArgumentError(
          "line 1, column 1: expected the version of the format, \"trace 1\"");
    }
    if (line.empty() || absl::StartsWith(line, "#")) continue;
    absl::StatusOr<CallRecord> call = ParseCallRecord(line, number);
    if (!call.ok()) return call.status();
    trace.lines.push_back({number, *std::move(call)});
  }
  return trace;
}

}  // namespace net
